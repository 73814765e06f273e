//! The filter's side of the wire: reads what a decision needs, and sends what was made anew.

use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, StatusCode};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::build::Build;
use super::call::Call;
use super::context::{Context, LIMIT, pack};
use super::decide::{Remade, Verdict, decide};
use super::dockerfile::rewrite::rewrite;
use super::info::trimmed;
use crate::adapters::engine::error::fault::Fault;
use crate::adapters::engine::socket::answer::{SocketAnswer, document, error};
use crate::adapters::engine::socket::grant::Grant;
use crate::adapters::engine::socket::refusals::{Refusal, Refusals};
use crate::adapters::engine::wire::Wire;

/// Longest time between two parts of a request's body.
const IDLE: Duration = Duration::from_secs(30);

/// Forms, whose fields an engine reads as parameters.
const FORMS: [&str; 2] = ["application/x-www-form-urlencoded", "multipart/form-data"];

/// Answers requests with what the run grants.
#[derive(Debug)]
pub(in crate::adapters::engine::socket) struct Filter {
    wire: Wire,
    grant: Grant,
    refusals: Arc<Refusals>,
    /// One build at a time.
    building: Arc<Semaphore>,
}

/// The end of a request that the engine did not answer.
enum Unanswered {
    Refused(Refusal),
    Failed(Fault),
}

impl From<Refusal> for Unanswered {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Fault> for Unanswered {
    fn from(fault: Fault) -> Self {
        Self::Failed(fault)
    }
}

impl Filter {
    pub(in crate::adapters::engine::socket) fn new(
        wire: Wire,
        grant: Grant,
        refusals: Arc<Refusals>,
    ) -> Self {
        Self {
            wire,
            grant,
            refusals,
            building: Arc::new(Semaphore::new(1)),
        }
    }

    /// Answers a request: as the engine does, or with a refusal, which is recorded.
    pub(in crate::adapters::engine::socket) async fn answer(
        &self,
        request: Request<Incoming>,
    ) -> SocketAnswer {
        match self.try_answer(request).await {
            Ok(answer) => answer,
            Err(Unanswered::Failed(fault)) => {
                error(StatusCode::BAD_GATEWAY, &fault.into_refusal().message)
            }
            Err(Unanswered::Refused(refusal)) => {
                let message = format!("not allowed for this container: {refusal}");
                self.refusals.record(refusal);
                error(StatusCode::FORBIDDEN, &message)
            }
        }
    }

    async fn try_answer(&self, request: Request<Incoming>) -> Result<SocketAnswer, Unanswered> {
        let call = Call::read(request.method(), request.uri(), has_form(&request))?;
        match decide(call, &self.grant)? {
            Verdict::Send(remade) => self.send(remade).await,
            Verdict::SendForId(id, remade) => {
                if self.is_of_this_run(&id).await? {
                    return self.send(remade).await;
                }
                let request = format!("{} {}", remade.method, request.uri().path());
                Err(Refusal::new(request, "no image of this run has this ID").into())
            }
            Verdict::Info(remade) => {
                let info = self.wire.get(&remade.target).await?;
                Ok(document(StatusCode::OK, &trimmed(&info)))
            }
            Verdict::Build(build) => self.build(build, request.into_body()).await,
            Verdict::NotPullable(name) => Ok(error(
                StatusCode::NOT_FOUND,
                &format!("{name} is in this engine alone, so it cannot be pulled"),
            )),
        }
    }

    async fn send(&self, remade: Remade<'_>) -> Result<SocketAnswer, Unanswered> {
        let mut request = Request::new(Full::<Bytes>::default());
        *request.method_mut() = remade.method;
        *request.uri_mut() = remade.target.parse().map_err(Fault::broken)?;
        if let Some(auth) = remade.auth {
            let mut value = HeaderValue::try_from(auth.header()).map_err(Fault::broken)?;
            value.set_sensitive(true);
            request.headers_mut().insert("X-Registry-Auth", value);
        }
        Ok(self.wire.send(request).await?.map(BodyExt::boxed))
    }

    /// Returns true if an ID, or its beginning, is that of a granted image.
    async fn is_of_this_run(&self, id: &str) -> Result<bool, Fault> {
        for image in self.grant.images() {
            let path = format!("/images/{}/json", image.reference());
            let image = match self.wire.get(&path).await {
                Ok(image) => image,
                Err(Fault::Refused {
                    status: Some(404), ..
                }) => continue,
                Err(fault) => return Err(fault),
            };
            let known = image["Id"].as_str().unwrap_or_default();
            if known.trim_start_matches("sha256:").starts_with(id) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn build(&self, build: Build, body: Incoming) -> Result<SocketAnswer, Unanswered> {
        let refuse = |reason| Refusal::new("POST /build", reason);
        let building = Arc::clone(&self.building).try_acquire_owned();
        let building = building.map_err(|_| refuse("another build is running".to_owned()))?;
        let sent = read(body).await.map_err(refuse)?;
        let context = self.context(&build, &sent).map_err(refuse)?;
        let mut request = Request::new(Full::<Bytes>::from(context));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = build.target(&self.grant).parse().map_err(Fault::broken)?;
        let tar = HeaderValue::from_static("application/x-tar");
        request.headers_mut().insert(CONTENT_TYPE, tar);
        let answer = self.wire.send(request).await?;
        Ok(answer.map(|body| while_building(body, building).boxed()))
    }

    /// The context that the engine gets.
    fn context(&self, build: &Build, sent: &[u8]) -> Result<Vec<u8>, String> {
        let context = Context::read(sent)?;
        let dockerfile = context.text(&build.dockerfile)?;
        let rewritten = rewrite(dockerfile, &context, &self.grant)?;
        pack(&rewritten.text, &rewritten.files)
            .map_err(|error| format!("its context cannot be written anew: {error}"))
    }
}

fn has_form(request: &Request<Incoming>) -> bool {
    let types = request.headers().get_all(CONTENT_TYPE).into_iter();
    types.into_iter().any(|value| {
        let value = String::from_utf8_lossy(value.as_bytes()).to_ascii_lowercase();
        FORMS.iter().any(|form| value.contains(form))
    })
}

/// Reads a context as far as the limit.
async fn read(body: Incoming) -> Result<Vec<u8>, String> {
    let mut body = Limited::new(body, LIMIT);
    let mut bytes = Vec::new();
    loop {
        let frame = tokio::time::timeout(IDLE, body.frame());
        match frame.await {
            Ok(None) => return Ok(bytes),
            Ok(Some(Ok(frame))) => bytes.extend(frame.into_data().unwrap_or_default()),
            Ok(Some(Err(error))) if error.is::<http_body_util::LengthLimitError>() => {
                return Err("its context is larger than 1 MiB".to_owned());
            }
            Ok(Some(Err(_))) => return Err("its context broke off".to_owned()),
            Err(_) => return Err("its context did not arrive in time".to_owned()),
        }
    }
}

/// The build's output, which keeps other builds out until it ends.
fn while_building(
    body: Incoming,
    building: OwnedSemaphorePermit,
) -> impl hyper::body::Body<Data = Bytes, Error = hyper::Error> + Send + Sync {
    body.map_frame(move |frame| {
        let _ = &building;
        frame
    })
}
