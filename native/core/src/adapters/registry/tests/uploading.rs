//! Blobs of our own.

use crate::report::problem::Explain as _;
use std::io::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use super::{Setting, refusal};
use crate::adapters::registry::blob_stream::BlobOrigin;
use crate::adapters::registry::upload::{Arrival, Upload};
use crate::domain::image::descriptor::Descriptor;
use crate::domain::reference::digest::Digest;
use crate::report::code::Code;
use crate::test_support::loopback_server::Reply;

/// A registry without the blob; every try gets a session of its own.
async fn registry(failures: usize) -> Setting {
    Setting::of(move |received, number| {
        let line = &received.line;
        match line.split_once(' ').expect("a line").0 {
            "HEAD" => refusal(404, "BLOB_UNKNOWN", "no"),
            "POST" => {
                let place = format!("/v2/app/web/blobs/uploads/{number}");
                Reply::new(202, &[("location", &place)], "")
            }
            _ if number < failures => refusal(503, "UNAVAILABLE", "later"),
            _ => Reply::new(201, &[], ""),
        }
    })
    .await
}

#[tokio::test]
async fn bytes_are_sent_in_one_piece_and_again_in_a_new_session() {
    let setting = registry(4).await;
    let to = setting.repository();
    let put = setting
        .registry
        .put_bytes(&to, "application/json", b"{}")
        .await;
    let (blob, arrival) = put.expect("uploaded");
    assert_eq!((blob.digest.clone(), blob.size), (Digest::of(b"{}"), 2));
    assert_eq!(arrival, Arrival::Sent);
    let received = setting.server.received();
    let puts: Vec<_> = received
        .iter()
        .filter(|request| request.line.starts_with("PUT "))
        .collect();
    assert_eq!(puts.len(), 2);
    assert!(puts.iter().all(|request| request.body == b"{}"));
    assert_ne!(puts[0].line, puts[1].line, "each try has its own session");
}

#[tokio::test]
async fn new_bytes_are_not_looked_for() {
    let setting = registry(1).await;
    let to = setting.repository();
    let put = setting
        .registry
        .put_new_bytes(&to, "application/json", b"{}")
        .await;
    assert_eq!(put.expect("uploaded").digest, Digest::of(b"{}"));
    let received = setting.server.received();
    assert!(
        !received
            .iter()
            .any(|request| request.line.starts_with("HEAD "))
    );
}

#[tokio::test]
async fn a_sign_in_that_expires_while_a_blob_is_sent_is_renewed_once() {
    for helps in [true, false] {
        let refused = Arc::new(AtomicUsize::new(0));
        let setting = Setting::of(move |received, number| {
            match received.line.split_once(' ').expect("a line").0 {
                "HEAD" => refusal(404, "BLOB_UNKNOWN", "no"),
                "POST" => {
                    let place = format!("/v2/app/web/blobs/uploads/{number}");
                    Reply::new(202, &[("location", &place)], "")
                }
                _ if refused.fetch_add(1, Ordering::SeqCst) == 0 || !helps => {
                    refusal(403, "DENIED", "Your authorization token has expired.")
                }
                _ => Reply::new(201, &[], ""),
            }
        })
        .await;
        let to = setting.repository();
        let put = setting
            .registry
            .put_bytes(&to, "application/json", b"{}")
            .await;
        assert_eq!(put.is_ok(), helps, "{put:?}");
        assert_eq!(setting.passwords(), 2);
        let received = setting.server.received();
        let puts = received.iter().filter(|r| r.line.starts_with("PUT "));
        let shown: Vec<_> = puts.map(|put| put.header("authorization")).collect();
        assert_eq!(shown.len(), 2);
        assert_ne!(shown[0], shown[1], "the new password is shown");
    }
}

/// Reports of the bytes done and to do.
type Counts = Arc<Mutex<Vec<(u64, u64)>>>;

fn recorded() -> (Counts, impl Fn(u64, u64) + Sync) {
    let told = Counts::default();
    let tell = Arc::clone(&told);
    let tell = move |done, total| tell.lock().expect("no panic").push((done, total));
    (told, tell)
}

#[tokio::test]
async fn a_file_is_sent_unless_it_is_not_what_it_was() {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(b"layer").expect("written");
    for (content, is_good) in [(&b"layer"[..], true), (b"other", false)] {
        let setting = registry(0).await;
        let blob = Descriptor::of("application/octet-stream", content);
        let to = setting.repository();
        let upload = Upload {
            blob: &blob,
            origin: BlobOrigin::File(file.path()),
        };
        let (told, tell) = recorded();
        match setting.registry.upload_all(&to, &[upload], &tell).await {
            Ok(arrivals) => {
                assert!(is_good);
                assert_eq!(arrivals, [Arrival::Sent]);
                assert_eq!(told.lock().expect("no panic").last(), Some(&(5, 5)));
            }
            Err(error) => {
                assert!(!is_good, "{error:?}");
                assert_eq!(error.code(), Code::RegistryAnswerInvalid);
            }
        }
    }
}
