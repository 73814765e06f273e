//! A large blob read from its repository to its end, past broken connections.

use std::time::{Duration, Instant};

use futures_util::TryStreamExt as _;
use hyper::body::Bytes;
use sha2::Digest as _;
use tokio::sync::{Mutex, mpsc};

use super::attempt::AttemptError;
use super::client::Registry;
use super::error::RegistryError;
use super::refusal::RegistryRefusal;
use super::subject::Subject;
use crate::adapters::http::client::NoAnswer;
use crate::adapters::http::retry::RetryPolicy;
use crate::domain::image::descriptor::Descriptor;
use crate::domain::image::manifest::ManifestReference;
use crate::domain::reference::digest::Digest;
use crate::domain::reference::repository::Repository;
use crate::report::cause::Cause;

/// Longest time that all tries for one blob may take together.
const BUDGET: Duration = Duration::from_mins(30);

/// Part of a blob that was passed on.
#[derive(Default)]
struct Progress {
    hash: sha2::Sha256,
    bytes: u64,
}

/// A blob on its way to a reader.
struct Reading<'a> {
    subject: Subject<'a>,
    blob: &'a Descriptor,
    reader: mpsc::Sender<Bytes>,
    progress: Mutex<Progress>,
}

impl Registry {
    /// Passes a blob of an image to a reader, in order, and checks that it is the one that the digest names.
    ///
    /// After a broken connection it asks for the missing bytes alone, if the registry knows ranges. A reader must not
    /// trust the bytes before this has ended well. It also ends well as soon as the reader is gone.
    pub(crate) async fn read_blob(
        &self,
        repository: &Repository,
        image: &Digest,
        blob: &Descriptor,
        reader: mpsc::Sender<Bytes>,
    ) -> Result<(), RegistryError> {
        let reference = ManifestReference::Digest(image.clone());
        let reading = Reading {
            subject: Subject::read(repository, Some(&reference)),
            blob,
            reader,
            progress: Mutex::default(),
        };
        let policy = RetryPolicy {
            budget: BUDGET,
            ..self.0.policy
        };
        let result = policy.run(Instant::now(), || self.read_rest(&reading));
        match result.await.map_err(AttemptError::end) {
            Ok(ended) => ended,
            Err(Err(failed)) => Err(reading.subject.failed(failed)),
            Err(Ok(answer)) => Err(reading.subject.refused(&RegistryRefusal::of(&answer))),
        }
    }

    /// One try, from the first byte that is missing.
    async fn read_rest(
        &self,
        reading: &Reading<'_>,
    ) -> Result<Result<(), RegistryError>, AttemptError> {
        let Reading { subject, blob, .. } = reading;
        let mut progress = reading.progress.lock().await;
        let opened = self.open_blob(subject, &blob.digest, progress.bytes);
        let mut pieces = match opened.await? {
            Ok(pieces) => pieces,
            Err(error) => return Ok(Err(error)),
        };
        while let Some(piece) = pieces.try_next().await.map_err(broken)? {
            progress.hash.update(&piece);
            progress.bytes += piece.len() as u64;
            if progress.bytes > blob.size {
                let why = format!("a blob has more than its {} bytes", blob.size);
                return Ok(Err(subject.invalid(&why)));
            }
            if reading.reader.send(piece).await.is_err() {
                return Ok(Ok(()));
            }
        }
        let (bytes, size) = (progress.bytes, blob.size);
        if bytes < size {
            let why = format!("the blob ended after {bytes} of {size} bytes");
            return Err(broken(Cause::said(&why)));
        }
        let found = Digest::of_hash(&progress.hash.clone().finalize());
        Ok(if found == blob.digest {
            Ok(())
        } else {
            Err(subject.invalid(&format!(
                "a blob's digest is {found}, and it should be {}",
                blob.digest
            )))
        })
    }
}

/// An answer that broke off, which is a passing trouble.
fn broken(source: Cause) -> AttemptError {
    NoAnswer::Connection { source, tls: false }.into()
}
