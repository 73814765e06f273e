//! One blob into a registry: from another registry or a file, streamed and checked on its way, or from memory.
//!
//! An upload is one POST and one PUT with the whole blob: ECR loses what comes after the first PATCH
//! (<https://github.com/aws/containers-roadmap/issues/2831>) and answers 416 to a second try within
//! one session, so each try begins with a session of its own.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use futures_util::stream::TryStreamExt as _;
use reqwest::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, LOCATION};
use reqwest::{Body, StatusCode, Url};

use super::attempt::AttemptError;
use super::authorization_header::AuthorizationHeader;
use super::blob_stream::{BlobOrigin, ByteStream, checked};
use super::client::Registry;
use super::error::RegistryError;
use super::refusal::RegistryRefusal;
use super::request_kind::RegistryRequest;
use super::sign_in::refuses_sign_in;
use super::subject::Subject;
use super::transport;
use super::transport::Request;
use crate::adapters::http::client::Answer;
use crate::adapters::http::retry::RetryPolicy;
use crate::domain::address::is_private;
use crate::domain::image::descriptor::Descriptor;
use crate::domain::image::manifest::ManifestReference;
use crate::domain::reference::digest::Digest;
use crate::domain::reference::repository::Repository;

/// The answers to HEAD, POST and PUT have nothing to say.
const ANSWER_LIMIT: usize = 64 * 1024;

/// Longest time that all tries for one blob may take together.
const BUDGET: Duration = Duration::from_mins(30);

/// A blob that must be in a repository.
#[derive(Clone, Copy, Debug)]
pub struct Upload<'a> {
    /// The blob.
    pub(crate) blob: &'a Descriptor,
    /// Place of its bytes.
    pub(crate) origin: BlobOrigin<'a>,
}

/// Way in which a blob came to be in a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// It was there.
    Present,
    /// The registry took it from another of its repositories.
    Mounted,
    /// It was sent.
    Sent,
}

/// End of a try: done, or failed for good.
type Ended = Result<Arrival, RegistryError>;

/// A blob on its way.
struct Transfer<'a> {
    to: Subject<'a>,
    /// Subject that a failure names where the bytes are.
    from: Subject<'a>,
    upload: Upload<'a>,
    /// Bytes that this try has sent.
    sent: &'a Arc<AtomicU64>,
    /// True once a sign-in that was refused while the blob was sent has been renewed.
    renewed: AtomicBool,
}

impl Registry {
    /// Uploads bytes as a blob unless they are there.
    pub async fn put_bytes(
        &self,
        to: &Repository,
        media_type: &str,
        bytes: &[u8],
    ) -> Result<(Descriptor, Arrival), RegistryError> {
        let blob = Descriptor::of(media_type, bytes);
        let upload = Upload {
            blob: &blob,
            origin: BlobOrigin::Bytes(bytes),
        };
        let arrival = self.upload(to, upload, &Arc::default()).await?;
        Ok((blob, arrival))
    }

    /// Uploads bytes that no repository can have, without a request that looks for them.
    pub(super) async fn put_new_bytes(
        &self,
        to: &Repository,
        media_type: &str,
        bytes: &[u8],
    ) -> Result<Descriptor, RegistryError> {
        let blob = Descriptor::of(media_type, bytes);
        let upload = Upload {
            blob: &blob,
            origin: BlobOrigin::NewBytes(bytes),
        };
        self.upload(to, upload, &Arc::default()).await?;
        Ok(blob)
    }

    /// Brings a blob into a repository unless it is there; `sent` follows the bytes of it that are.
    pub(super) async fn upload(
        &self,
        to: &Repository,
        upload: Upload<'_>,
        sent: &Arc<AtomicU64>,
    ) -> Result<Arrival, RegistryError> {
        let reference = ManifestReference::Digest(upload.blob.digest.clone());
        let reference = Some(&reference);
        let transfer = Transfer {
            from: match upload.origin {
                BlobOrigin::Repository(from) => Subject::read(from, reference),
                BlobOrigin::File(_) | BlobOrigin::Bytes(_) | BlobOrigin::NewBytes(_) => {
                    Subject::write(to, reference)
                }
            },
            to: Subject::write(to, reference),
            upload,
            sent,
            renewed: AtomicBool::new(false),
        };
        let policy = RetryPolicy {
            budget: BUDGET,
            ..self.0.policy
        };
        let started = Instant::now();
        let result = policy.run(started, || self.transfer(&transfer)).await;
        match result.map_err(AttemptError::end) {
            Ok(ended) => {
                sent.store(upload.blob.size, Ordering::Relaxed);
                ended
            }
            Err(Err(failed)) => Err(transfer.to.failed(failed)),
            Err(Ok(answer)) => Err(transfer.to.refused(&RegistryRefusal::of(&answer))),
        }
    }

    /// One try, from the question whether the blob is there to the answer that it is.
    async fn transfer(&self, transfer: &Transfer<'_>) -> Result<Ended, AttemptError> {
        transfer.sent.store(0, Ordering::Relaxed);
        if !matches!(transfer.upload.origin, BlobOrigin::NewBytes(_)) {
            let path = transfer.to.blob(transfer.digest());
            let head = self.ask(transfer, RegistryRequest::BlobPresence, path);
            let head = head.await?;
            if head.status == StatusCode::OK {
                return Ok(Ok(Arrival::Present));
            }
        }
        let (kind, path) = transfer.session();
        let session = self.ask(transfer, kind, path).await?;
        match session.status {
            StatusCode::CREATED => return Ok(Ok(Arrival::Mounted)),
            // Also the answer of a registry that does not mount.
            StatusCode::ACCEPTED => {}
            _ => return Ok(Err(transfer.to.refused(&RegistryRefusal::of(&session)))),
        }
        let Some(location) = transfer.location(&session) else {
            let error = transfer.to.invalid("it names no place to upload to");
            return Ok(Err(error));
        };
        let (upload, from) = (&transfer.upload, &transfer.from);
        match self
            .open_bytes(upload.origin, from, &upload.blob.digest)
            .await?
        {
            Ok(bytes) => self.put_blob(transfer, location, bytes).await,
            Err(error) => Ok(Err(error)),
        }
    }

    /// A request without a body about the target; what a registry in trouble answers is a failed attempt.
    async fn ask(
        &self,
        transfer: &Transfer<'_>,
        kind: RegistryRequest,
        path: String,
    ) -> Result<Answer, AttemptError> {
        let request = Request {
            kind,
            repository: transfer.to.repository.clone(),
            path,
            offset: 0,
            accept: None,
            body: None,
            limit: ANSWER_LIMIT,
        };
        self.0.try_once(&request).await
    }

    /// Sends the whole blob at once.
    async fn put_blob(
        &self,
        transfer: &Transfer<'_>,
        location: Url,
        bytes: ByteStream,
    ) -> Result<Ended, AttemptError> {
        let (to, wanted) = (&transfer.to, transfer.upload.blob);
        let wrong = Arc::new(OnceLock::new());
        let sent = Arc::clone(transfer.sent);
        let body = checked(bytes, wanted, Arc::clone(&wrong)).inspect_ok(move |bytes| {
            sent.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        });
        let (http, time) = (&self.0.http, self.0.policy.transfer);
        let mut request = http
            .request(RegistryRequest::BlobUpload, location.clone())
            .header(CONTENT_TYPE, "application/octet-stream")
            .header(CONTENT_LENGTH, wanted.size)
            .timeout(time)
            .body(Body::wrap_stream(body));
        // The session may be on another host, which has its own way of knowing us.
        let is_own = same_host(to.repository, &location);
        let pass = if is_own {
            self.0.pass(to.repository, time).await?
        } else {
            None
        };
        if let Some(header) = pass.as_ref().and_then(AuthorizationHeader::header) {
            request = request.header(AUTHORIZATION, header);
        }
        let answer = request.send().await;
        if let Some(why) = wrong.get() {
            return Ok(Err(transfer.from.invalid(why)));
        }
        let answer = Answer::read(answer?, ANSWER_LIMIT).await?;
        if answer.is_passing() {
            return Err(AttemptError::Busy(answer));
        }
        if answer.status.is_success() {
            return Ok(Ok(Arrival::Sent));
        }
        // The bytes are spent, so the next try begins with a session of its own.
        if is_own
            && refuses_sign_in(&answer)
            && !transfer.renewed.swap(true, Ordering::Relaxed)
            && self
                .0
                .renew(to.repository, &answer, pass.as_ref(), time)
                .await?
        {
            return Err(AttemptError::Busy(answer));
        }
        Ok(Err(to.refused(&RegistryRefusal::of(&answer))))
    }
}

impl Transfer<'_> {
    fn digest(&self) -> &Digest {
        &self.upload.blob.digest
    }

    /// Path where an upload begins; within one registry it asks to mount instead.
    fn session(&self) -> (RegistryRequest, String) {
        let path = format!("/v2/{}/blobs/uploads/", self.to.repository.name);
        let from = match self.upload.origin {
            BlobOrigin::Repository(from) if from.registry == self.to.repository.registry => from,
            BlobOrigin::Repository(_)
            | BlobOrigin::File(_)
            | BlobOrigin::Bytes(_)
            | BlobOrigin::NewBytes(_) => {
                return (RegistryRequest::UploadStart, path);
            }
        };
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("mount", self.digest().as_str())
            .append_pair("from", &from.name)
            .finish();
        (RegistryRequest::Mount, format!("{path}?{query}"))
    }

    /// Address to send the blob to, if it may be sent there.
    fn location(&self, session: &Answer) -> Option<Url> {
        let begun = transport::url(self.to.repository, &self.session().1).ok()?;
        let mut location = begun.join(session.header(LOCATION.as_str())?).ok()?;
        if !is_private(&location) || (begun.scheme() == "https" && location.scheme() != "https") {
            return None;
        }
        let digest = self.digest().as_str();
        location.query_pairs_mut().append_pair("digest", digest);
        Some(location)
    }
}

fn same_host(repository: &Repository, location: &Url) -> bool {
    let own = transport::url(repository, "/");
    own.is_ok_and(|own| own.origin() == location.origin())
}
