//! The bytes of a blob as a stream: opened at their place, and checked on their way.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use futures_util::stream::{BoxStream, StreamExt as _, TryStreamExt as _};
use futures_util::{Stream, stream};
use hyper::body::Bytes;
use reqwest::header::CONTENT_RANGE;
use reqwest::{Response, StatusCode};
use sha2::Digest as _;
use tokio_util::io::ReaderStream;

use super::attempt::AttemptError;
use super::client::Registry;
use super::error::RegistryError;
use super::exchange::Opened;
use super::refusal::RegistryRefusal;
use super::request_kind::RegistryRequest;
use super::subject::Subject;
use super::transport::Request;
use crate::domain::image::descriptor::Descriptor;
use crate::domain::reference::digest::Digest;
use crate::domain::reference::repository::Repository;
use crate::report::cause::Cause;

/// Number of bytes of a file that are read at once.
const CHUNK: usize = 256 * 1024;

/// The bytes of a blob, piece by piece.
pub(super) type ByteStream = BoxStream<'static, Result<Bytes, Cause>>;

/// Place of the bytes of a blob.
#[derive(Clone, Copy, Debug)]
pub enum BlobOrigin<'a> {
    /// In a repository, of this registry or another.
    Repository(&'a Repository),
    /// In a file.
    File(&'a Path),
    /// Here.
    Bytes(&'a [u8]),
    /// Here, and so new that no repository can have them.
    NewBytes(&'a [u8]),
}

impl Registry {
    /// The bytes of the blob from their beginning.
    pub(super) async fn open_bytes(
        &self,
        origin: BlobOrigin<'_>,
        from: &Subject<'_>,
        blob: &Digest,
    ) -> Result<Result<ByteStream, RegistryError>, AttemptError> {
        match origin {
            BlobOrigin::Repository(_) => self.open_blob(from, blob, 0).await,
            BlobOrigin::File(path) => Ok(match tokio::fs::File::open(path).await {
                Ok(file) => Ok(ReaderStream::with_capacity(file, CHUNK)
                    .map_err(|error| Cause::of(&error))
                    .boxed()),
                Err(error) => Err(RegistryError::FileUnreadable {
                    file: path.display().to_string(),
                    source: Cause::of(&error),
                }),
            }),
            BlobOrigin::Bytes(bytes) | BlobOrigin::NewBytes(bytes) => {
                let bytes = Bytes::copy_from_slice(bytes);
                Ok(Ok(stream::once(async { Ok(bytes) }).boxed()))
            }
        }
    }

    /// The bytes of a blob in a repository from `offset` on. A registry that does not know ranges sends all of them,
    /// of which the first are dropped.
    pub(super) async fn open_blob(
        &self,
        from: &Subject<'_>,
        blob: &Digest,
        offset: u64,
    ) -> Result<Result<ByteStream, RegistryError>, AttemptError> {
        let request = Request {
            kind: RegistryRequest::BlobStream,
            repository: from.repository.clone(),
            path: from.blob(blob),
            offset,
            accept: None,
            body: None,
            limit: 0,
        };
        let response = match self.0.open(&request, self.0.policy.transfer).await? {
            Opened::Good(response) => response,
            Opened::Refused(answer) if answer.is_passing() => {
                return Err(AttemptError::Busy(answer));
            }
            Opened::Refused(answer) => {
                return Ok(Err(from.refused(&RegistryRefusal::of(&answer))));
            }
        };
        if !matches!(
            response.status(),
            StatusCode::OK | StatusCode::PARTIAL_CONTENT
        ) {
            let why = format!(
                "it answers {} instead of a blob",
                response.status().as_u16()
            );
            return Ok(Err(from.invalid(&why)));
        }
        let Some(begin) = begin(&response) else {
            return Ok(Err(from.invalid("it sent a part of a blob without a place")));
        };
        let Some(surplus) = offset.checked_sub(begin) else {
            let why = format!("it sent a blob from byte {begin}, and {offset} was asked for");
            return Ok(Err(from.invalid(&why)));
        };
        let bytes = response
            .bytes_stream()
            // A source that breaks off is a passing trouble.
            .map_err(|error| Cause::of(&error.without_url()));
        Ok(Ok(without_first(bytes, surplus)))
    }
}

/// Place in the blob at which the body of an answer begins; none if a part of a blob does not name it.
fn begin(response: &Response) -> Option<u64> {
    if response.status() != StatusCode::PARTIAL_CONTENT {
        return Some(0);
    }
    let range = response.headers().get(CONTENT_RANGE)?.to_str().ok()?;
    range
        .strip_prefix("bytes ")?
        .split('-')
        .next()?
        .parse()
        .ok()
}

/// A stream without its first bytes.
fn without_first(
    bytes: impl Stream<Item = Result<Bytes, Cause>> + Send + 'static,
    mut surplus: u64,
) -> ByteStream {
    let kept = bytes.map_ok(move |mut piece| {
        let dropped = usize::try_from(surplus).map_or(piece.len(), |n| n.min(piece.len()));
        surplus -= dropped as u64;
        piece.split_off(dropped)
    });
    kept.boxed()
}

/// The bytes of a blob, the last of which are only passed on when all are those that the digest
/// names: else the upload breaks off, and `wrong` says why.
pub(super) fn checked(
    bytes: ByteStream,
    wanted: &Descriptor,
    wrong: Arc<OnceLock<String>>,
) -> impl Stream<Item = Result<Bytes, Cause>> + Send + 'static {
    let mut hash = sha2::Sha256::new();
    let mut seen = 0_u64;
    let (size, digest) = (wanted.size, wanted.digest.clone());
    let refuse = move |why: String| {
        let cause = Cause::said(&why);
        let _ = wrong.set(why);
        Err(cause)
    };
    bytes.map(move |chunk| {
        let chunk = chunk?;
        hash.update(&chunk);
        seen += u64::try_from(chunk.len()).unwrap_or(u64::MAX);
        if seen < size {
            return Ok(chunk);
        }
        let found = Digest::of_hash(&hash.clone().finalize());
        if seen > size {
            return refuse(format!("a blob has more than its {size} bytes"));
        }
        if found != digest {
            return refuse(format!(
                "a blob's digest is {found}, and it should be {digest}"
            ));
        }
        Ok(chunk)
    })
}
