//! Large blobs, read to their end.

use hyper::body::Bytes;
use tokio::sync::mpsc;

use super::{Setting, refusal};
use crate::adapters::registry::error::RegistryError;
use crate::domain::image::descriptor::Descriptor;
use crate::domain::reference::digest::Digest;
use crate::report::code::Code;
use crate::report::problem::Problem;
use crate::test_support::loopback_server::{LoopbackServer, Received, Reply};

const LAYER: &[u8] = b"a layer of an image, long enough to break in the middle of it";

/// Bytes that arrive before a connection breaks.
const ARRIVED: usize = 17;

/// Reads the layer, and returns the bytes that its reader got.
async fn read(setting: &Setting) -> (Result<(), RegistryError>, Vec<u8>) {
    let (send, mut receive) = mpsc::channel::<Bytes>(4);
    let collect = async {
        let mut bytes = Vec::new();
        while let Some(piece) = receive.recv().await {
            bytes.extend_from_slice(&piece);
        }
        bytes
    };
    let (repository, image) = (setting.repository(), Digest::of(b"image"));
    let layer = Descriptor::of("application/vnd.oci.image.layer.v1.tar", LAYER);
    let reading = setting
        .registry
        .read_blob(&repository, &image, &layer, send);
    tokio::join!(reading, collect)
}

/// Reads the layer from a registry whose first answer breaks off.
async fn read_broken(
    rest: impl Fn(&Received) -> Reply + Send + Sync + 'static,
) -> (Result<(), RegistryError>, Vec<u8>, Vec<Option<String>>) {
    let setting = Setting::of(move |received, earlier| match earlier {
        0 => Reply::claiming(LAYER.len(), 200, &[], &LAYER[..ARRIVED]),
        _ => rest(received),
    })
    .await;
    let (result, bytes) = read(&setting).await;
    let ranges = setting.server.received();
    let ranges = ranges.iter().map(|r| r.header("range").map(str::to_owned));
    (result, bytes, ranges.collect())
}

#[tokio::test]
async fn after_a_broken_connection_the_rest_alone_is_read() {
    let (result, bytes, ranges) = read_broken(|_| {
        let place = format!("bytes {ARRIVED}-{}/{}", LAYER.len() - 1, LAYER.len());
        Reply::new(206, &[("content-range", &place)], &LAYER[ARRIVED..])
    })
    .await;
    assert_eq!((result, &bytes[..]), (Ok(()), LAYER));
    assert_eq!(ranges, [None, Some(format!("bytes={ARRIVED}-"))]);
}

#[tokio::test]
async fn a_registry_without_ranges_sends_all_again() {
    let (result, bytes, ranges) = read_broken(|_| Reply::new(200, &[], LAYER)).await;
    assert_eq!((result, &bytes[..]), (Ok(()), LAYER));
    assert_eq!(ranges.len(), 2);
}

#[tokio::test]
async fn a_part_that_begins_elsewhere_is_refused() {
    for place in ["bytes 18-60/61", "bytes */61", "lines 17-60/61"] {
        let part = move |_: &Received| Reply::new(206, &[("content-range", place)], LAYER);
        let (result, _, _) = read_broken(part).await;
        let code = result.map_err(|error| Problem::from(error).code);
        assert_eq!(code, Err(Code::RegistryAnswerInvalid), "{place}");
    }
    let (result, _, _) = read_broken(|_| Reply::new(206, &[], LAYER)).await;
    let code = result.map_err(|error| Problem::from(error).code);
    assert_eq!(code, Err(Code::RegistryAnswerInvalid));
}

#[tokio::test]
async fn other_bytes_than_the_digest_names_are_refused() {
    let mut other = LAYER.to_vec();
    other[3] ^= 1;
    for (content, reason) in [
        (other, "digest"),
        ([LAYER, b"more"].concat(), "more than its"),
    ] {
        let setting = Setting::of(move |_, _| Reply::new(200, &[], &content)).await;
        let problem = Problem::from(read(&setting).await.0.expect_err(reason));
        assert_eq!(problem.code, Code::RegistryAnswerInvalid);
        assert!(problem.why[0].contains(reason), "{:?}", problem.why);
        assert_eq!(setting.server.received().len(), 1, "nothing to try again");
    }
}

#[tokio::test]
async fn a_blob_that_stays_too_short_is_tried_again_and_fails() {
    let setting = Setting::of(|_, _| Reply::new(200, &[], &LAYER[..ARRIVED])).await;
    let (result, bytes) = read(&setting).await;
    let problem = Problem::from(result.expect_err("it is short"));
    assert_eq!(problem.code, Code::RegistryNotReachable);
    assert!(problem.why[0].contains("17 of 61"), "{:?}", problem.why);
    assert_eq!((bytes.len(), setting.server.received().len()), (ARRIVED, 5));
}

#[tokio::test]
async fn refusals_and_troubles_have_their_codes() {
    for (status, code, requests) in [
        (404, Code::RegistryImageNotFound, 1),
        (403, Code::RegistryDenied, 1),
        (416, Code::RegistryRequestFailed, 1),
        (500, Code::RegistryRequestFailed, 5),
    ] {
        let setting = Setting::of(move |_, _| refusal(status, "UNKNOWN", "no")).await;
        let problem = Problem::from(read(&setting).await.0.expect_err("refused"));
        assert_eq!(problem.code, code, "{status}");
        assert_eq!(setting.server.received().len(), requests, "{status}");
    }
    let passing = Setting::of(|_, earlier| match earlier {
        0 => refusal(503, "UNAVAILABLE", "later"),
        _ => Reply::new(200, &[], LAYER),
    })
    .await;
    assert_eq!(read(&passing).await, (Ok(()), LAYER.to_vec()));
}

#[tokio::test]
async fn the_blob_store_gets_the_range_and_no_login() {
    let store = LoopbackServer::start(|_, earlier| match earlier {
        0 => Reply::claiming(LAYER.len(), 200, &[], &LAYER[..ARRIVED]),
        _ => Reply::new(200, &[], LAYER),
    })
    .await;
    let place = format!("http://{}/blob?signature=x", store.host());
    let setting = Setting::of(move |received, _| match received.header("authorization") {
        None => Reply::new(401, &[("www-authenticate", "Basic realm=\"x\"")], ""),
        Some(_) => Reply::new(307, &[("location", &place)], ""),
    })
    .await;
    assert_eq!(read(&setting).await, (Ok(()), LAYER.to_vec()));
    let received = store.received();
    assert_eq!(received[1].header("range"), Some("bytes=17-"));
    for request in received {
        assert_eq!(request.header("authorization"), None);
    }
}

#[tokio::test]
async fn a_reader_that_is_gone_ends_the_reading() {
    let setting = Setting::of(|_, _| Reply::new(200, &[], LAYER)).await;
    let (send, receive) = mpsc::channel::<Bytes>(4);
    drop(receive);
    let (repository, image) = (setting.repository(), Digest::of(b"image"));
    let layer = Descriptor::of("application/vnd.oci.image.layer.v1.tar", LAYER);
    let reading = setting
        .registry
        .read_blob(&repository, &image, &layer, send);
    assert_eq!(reading.await, Ok(()));
}
