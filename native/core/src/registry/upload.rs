//! One blob into a registry: from another registry or a file, streamed and checked on its way, or from memory.
//!
//! An upload is one POST and one PUT with the whole blob: ECR loses what comes after the first PATCH
//! (<https://github.com/aws/containers-roadmap/issues/2831>) and answers 416 to a second try within
//! one session, so each try begins with a session of its own.

use std::error::Error;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use backon::Retryable as _;
use futures_util::Stream;
use futures_util::stream::{self, StreamExt as _};
use reqwest::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, LOCATION};
use reqwest::{Body, Method, StatusCode, Url};
use sha2::Digest as _;
use tokio_util::io::ReaderStream;

use super::answer::Refusal;
use super::exchange::{Opened, Setback};
use super::transport::{self, Request};
use super::{Access, Descriptor, ManifestReference, Registry, RegistryError, Subject};
use crate::cause::Cause;
use crate::http::retry::RetryPolicy;
use crate::http::{Answer, NoAnswer, is_private};
use crate::reference::{Digest, Repository};

/// The answers to HEAD, POST and PUT have nothing to say.
const ANSWER_LIMIT: usize = 64 * 1024;
/// How long one blob may take: the sensor's largest has some 60 MB.
const TRANSFER: Duration = Duration::from_mins(15);
/// How long all tries for one blob may take together.
const BUDGET: Duration = Duration::from_mins(30);

/// What is read of a file at once.
const CHUNK: usize = 256 * 1024;

/// How a try ended: done, or failed for good.
type Ended = Result<(), RegistryError>;

/// A blob on its way.
struct Transfer<'a> {
    from: Origin<'a>,
    to: Subject<'a>,
    blob: &'a Descriptor,
}

/// Where a blob comes from.
enum Origin<'a> {
    Registry(Subject<'a>),
    File(&'a Path),
    Memory(&'a [u8]),
}

impl Registry {
    /// Copies a blob unless it is there.
    pub(super) async fn copy_blob(
        &self,
        from: &Repository,
        to: &Repository,
        blob: &Descriptor,
    ) -> Result<(), RegistryError> {
        let reference = ManifestReference::Digest(blob.digest.clone());
        let subject = |repository, access| Subject {
            repository,
            reference: Some(&reference),
            access,
        };
        self.send_blob(&Transfer {
            from: Origin::Registry(subject(from, Access::Read)),
            to: subject(to, Access::Write),
            blob,
        })
        .await
    }

    /// Uploads a file as a blob unless it is there.
    pub async fn put_file(
        &self,
        to: &Repository,
        blob: &Descriptor,
        file: &Path,
    ) -> Result<(), RegistryError> {
        self.put_blob(to, blob, Origin::File(file)).await
    }

    /// Uploads bytes as a blob unless they are there.
    pub async fn put_bytes(
        &self,
        to: &Repository,
        media_type: &str,
        bytes: &[u8],
    ) -> Result<Descriptor, RegistryError> {
        let blob = Descriptor {
            media_type: media_type.to_owned(),
            digest: Digest::of(bytes),
            size: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
        };
        self.put_blob(to, &blob, Origin::Memory(bytes)).await?;
        Ok(blob)
    }

    async fn put_blob(
        &self,
        to: &Repository,
        blob: &Descriptor,
        from: Origin<'_>,
    ) -> Result<(), RegistryError> {
        let reference = ManifestReference::Digest(blob.digest.clone());
        let to = Subject {
            repository: to,
            reference: Some(&reference),
            access: Access::Write,
        };
        self.send_blob(&Transfer { from, to, blob }).await
    }

    async fn send_blob(&self, transfer: &Transfer<'_>) -> Result<(), RegistryError> {
        let policy = RetryPolicy {
            budget: BUDGET,
            ..self.0.policy
        };
        let started = Instant::now();
        let result = (|| self.transfer(transfer))
            .retry(policy.waits())
            .when(Setback::is_passing)
            .adjust(|setback, wait| policy.wait(wait, setback.retry_after(), started))
            .await;
        match result {
            Ok(ended) => ended,
            Err(Setback::Failed(failed)) => Err(transfer.to.failed(failed)),
            Err(Setback::Busy(answer)) => Err(transfer.to.refused(&Refusal::of(&answer))),
        }
    }

    /// One try, from the question whether the blob is there to the answer that it is.
    async fn transfer(&self, transfer: &Transfer<'_>) -> Result<Ended, Setback> {
        let path = transfer.to.blob(&transfer.blob.digest);
        let head = self.ask(transfer, Method::HEAD, path).await?;
        if head.status == StatusCode::OK {
            return Ok(Ok(()));
        }
        let session = self.ask(transfer, Method::POST, transfer.session()).await?;
        match session.status {
            // Mounted from the other repository.
            StatusCode::CREATED => return Ok(Ok(())),
            // Also the answer of a registry that does not mount.
            StatusCode::ACCEPTED => {}
            _ => return Ok(Err(transfer.to.refused(&Refusal::of(&session)))),
        }
        let Some(location) = transfer.location(&session) else {
            let error = transfer.to.invalid("it names no place to upload to");
            return Ok(Err(error));
        };
        let wrong = Arc::new(OnceLock::new());
        match self.open_blob(transfer, &wrong).await? {
            Ok(blob) => self.upload(transfer, location, blob, &wrong).await,
            Err(error) => Ok(Err(error)),
        }
    }

    /// A request without a body about the target; what a registry in trouble answers is a setback.
    async fn ask(
        &self,
        transfer: &Transfer<'_>,
        method: Method,
        path: String,
    ) -> Result<Answer, Setback> {
        let request = Request {
            method,
            repository: transfer.to.repository.clone(),
            path,
            accept: None,
            body: None,
            limit: ANSWER_LIMIT,
        };
        self.0.try_once(&request).await
    }

    /// The bytes to send; `wrong` will hold what is wrong with them, if anything is.
    async fn open_blob(
        &self,
        transfer: &Transfer<'_>,
        wrong: &Arc<OnceLock<String>>,
    ) -> Result<Result<Body, RegistryError>, Setback> {
        let blob = transfer.blob;
        let from = match &transfer.from {
            Origin::Memory(bytes) => return Ok(Ok(Body::from(bytes.to_vec()))),
            Origin::File(path) => {
                let file = match tokio::fs::File::open(path).await {
                    Ok(file) => file,
                    Err(error) => {
                        return Ok(Err(RegistryError::FileUnreadable {
                            file: path.display().to_string(),
                            source: Cause::of(&error),
                        }));
                    }
                };
                let bytes = ReaderStream::with_capacity(file, CHUNK);
                return Ok(Ok(Body::wrap_stream(checked(bytes, blob, wrong.clone()))));
            }
            Origin::Registry(from) => from,
        };
        let request = Request {
            method: Method::GET,
            repository: from.repository.clone(),
            path: from.blob(&blob.digest),
            accept: None,
            body: None,
            limit: 0,
        };
        match self.0.open(&request, TRANSFER).await? {
            Opened::Good(response) => {
                // A source that breaks off is a passing trouble.
                let bytes = response.bytes_stream();
                let bytes = bytes.map(|chunk| chunk.map_err(reqwest::Error::without_url));
                Ok(Ok(Body::wrap_stream(checked(bytes, blob, wrong.clone()))))
            }
            Opened::Refused(answer) if answer.is_passing() => Err(Setback::Busy(answer)),
            Opened::Refused(answer) => Ok(Err(from.refused(&Refusal::of(&answer)))),
        }
    }

    /// Sends the whole blob at once.
    async fn upload(
        &self,
        transfer: &Transfer<'_>,
        location: Url,
        body: Body,
        wrong: &OnceLock<String>,
    ) -> Result<Ended, Setback> {
        let Transfer {
            to, blob: wanted, ..
        } = transfer;
        let mut request = self.0.http.direct(&location).put(location.clone());
        request = request
            .header(CONTENT_TYPE, "application/octet-stream")
            .header(CONTENT_LENGTH, wanted.size)
            .timeout(TRANSFER)
            .body(body);
        // The session may be on another host, which has its own way of knowing us.
        if same_host(to.repository, &location) {
            let pass = self.0.pass(to.repository, TRANSFER).await?;
            if let Some(header) = pass.and_then(|pass| pass.header()) {
                request = request.header(AUTHORIZATION, header);
            }
        }
        let sent = request.send().await;
        if let Some(why) = wrong.get() {
            let from = match &transfer.from {
                Origin::Registry(from) => from,
                Origin::File(_) | Origin::Memory(_) => to,
            };
            return Ok(Err(from.invalid(why)));
        }
        let answer = Answer::read(sent?, ANSWER_LIMIT).await?;
        if answer.is_passing() {
            return Err(Setback::Busy(answer));
        }
        if answer.status.is_success() {
            return Ok(Ok(()));
        }
        Ok(Err(to.refused(&Refusal::of(&answer))))
    }
}

impl Transfer<'_> {
    /// Where an upload begins; within one registry it asks to mount instead.
    fn session(&self) -> String {
        let path = format!("/v2/{}/blobs/uploads/", self.to.repository.name);
        match &self.from {
            Origin::Registry(from) if from.repository.registry == self.to.repository.registry => {
                let query = url::form_urlencoded::Serializer::new(String::new())
                    .append_pair("mount", self.blob.digest.as_str())
                    .append_pair("from", &from.repository.name)
                    .finish();
                format!("{path}?{query}")
            }
            Origin::Registry(_) | Origin::File(_) | Origin::Memory(_) => path,
        }
    }

    /// Where the blob is to be sent, if that is a place that it may be sent to.
    fn location(&self, session: &Answer) -> Option<Url> {
        let begun = transport::url(self.to.repository, &self.session()).ok()?;
        let mut location = begun.join(session.header(LOCATION.as_str())?).ok()?;
        if !is_private(&location) || (begun.scheme() == "https" && location.scheme() != "https") {
            return None;
        }
        let digest = self.blob.digest.as_str();
        location.query_pairs_mut().append_pair("digest", digest);
        Some(location)
    }
}

fn same_host(repository: &Repository, location: &Url) -> bool {
    let own = transport::url(repository, "/");
    own.is_ok_and(|own| own.origin() == location.origin())
}

/// The bytes of a blob, the last of which are only passed on when all are those that the digest
/// names: else the upload breaks off, and `wrong` says why.
fn checked<E: Error + 'static>(
    bytes: impl Stream<Item = Result<impl AsRef<[u8]> + Into<Vec<u8>> + Send + 'static, E>>
    + Send
    + 'static,
    wanted: &Descriptor,
    wrong: Arc<OnceLock<String>>,
) -> impl Stream<Item = Result<Vec<u8>, Cause>> + Send + 'static {
    let mut hash = sha2::Sha256::new();
    let mut seen = 0_u64;
    let (size, digest) = (wanted.size, wanted.digest.clone());
    let refuse = move |why: String| {
        let cause = Cause::said(&why);
        let _ = wrong.set(why);
        Err(cause)
    };
    bytes
        .map(move |chunk| {
            let chunk = chunk.map_err(|error| Cause::of(&error))?;
            hash.update(chunk.as_ref());
            seen += u64::try_from(chunk.as_ref().len()).unwrap_or(u64::MAX);
            if seen < size {
                return Ok(chunk.into());
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
            Ok(chunk.into())
        })
        .chain(stream::empty())
}

impl From<Cause> for NoAnswer {
    fn from(source: Cause) -> Self {
        Self::Connection { source, tls: false }
    }
}
