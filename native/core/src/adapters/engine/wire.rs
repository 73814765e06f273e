//! One HTTP request to the engine on one connection of its own.
//!
//! A connection per request costs nothing on a local socket and makes cancellation plain: a dropped answer closes
//! its connection, on which the engine stops what it was doing for it.

use std::fmt::Display;
use std::time::Duration;

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body, Bytes, Incoming};
use hyper::header::{HOST, HeaderValue};
use hyper::{Method, Request, Response, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use serde_json::Value;

use super::address::Address;
use super::connect::Connector;
use super::error::fault::Fault;

/// Longest time that a short question (facts, one image) may take in all.
const QUESTION: Duration = Duration::from_mins(1);

/// Bytes that the answer to a short question may have; the longest known ones, lists of containers, have some hundred KiB.
const ANSWER: usize = 16 * 1024 * 1024;

/// Enough of a refusal to find its reason in it.
const REFUSAL: usize = 64 * 1024;

/// Response of the engine, its body still to be read.
pub(super) type EngineResponse = Response<Incoming>;

/// The way to the engine; cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Wire {
    connector: Connector,
}

impl Wire {
    pub(super) fn new(address: Address) -> Self {
        Self {
            connector: Connector::new(address),
        }
    }

    pub(super) fn address(&self) -> &Address {
        self.connector.address()
    }

    /// Sends a request as it is, but for the form of its address; any status is an answer.
    pub(super) async fn send<B>(&self, mut request: Request<B>) -> Result<EngineResponse, Fault>
    where
        B: Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let path = request.uri().path_and_query().map_or("/", |p| p.as_str());
        *request.uri_mut() = path.parse::<Uri>().map_err(Fault::broken)?;
        let host = HeaderValue::from_static("docker");
        request.headers_mut().entry(HOST).or_insert(host);
        let stream = self.connector.open().await?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(Fault::broken)?;
        // What goes wrong on the connection shows in the answer or its body, so its own result says nothing new.
        tokio::spawn(connection.with_upgrades());
        match sender.send_request(request).await {
            Ok(answer) => {
                self.connector.answered();
                Ok(answer)
            }
            Err(error) => Err(self.connector.explain(&error).await),
        }
    }

    /// Asks for a JSON document.
    pub(super) async fn get(&self, path: &str) -> Result<Value, Fault> {
        let request = Request::get(path)
            .body(Full::<Bytes>::default())
            .map_err(Fault::broken)?;
        let question = async {
            let answer = self.successful(request).await?;
            let body = whole(answer.into_body(), ANSWER).await?;
            serde_json::from_slice(&body).map_err(Fault::broken)
        };
        tokio::time::timeout(QUESTION, question)
            .await
            .unwrap_or(Err(Fault::TimedOut(QUESTION)))
    }

    /// Starts something with an empty `POST`; only a successful answer is one.
    pub(super) async fn post(
        &self,
        path: &str,
        auth: Option<&str>,
    ) -> Result<EngineResponse, Fault> {
        let mut request = Request::builder().method(Method::POST).uri(path);
        if let Some(auth) = auth {
            request = request.header("X-Registry-Auth", auth);
        }
        let request = request
            .body(Full::<Bytes>::default())
            .map_err(Fault::broken)?;
        self.successful(request).await
    }

    /// Sends a request; only a successful answer is one.
    pub(super) async fn successful(
        &self,
        request: Request<Full<Bytes>>,
    ) -> Result<EngineResponse, Fault> {
        successful(self.send(request).await?).await
    }
}

/// Turns an answer that tells of a failure into it.
async fn successful(answer: EngineResponse) -> Result<EngineResponse, Fault> {
    let status = answer.status();
    if status.is_success() || status == StatusCode::SWITCHING_PROTOCOLS {
        return Ok(answer);
    }
    let (body, _) = beginning(answer.into_body(), REFUSAL).await?;
    Err(Fault::status(status.as_u16(), &body))
}

/// Reads a body, which may have at most `limit` bytes.
pub(super) async fn whole<B>(body: B, limit: usize) -> Result<Vec<u8>, Fault>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Display,
{
    match beginning(body, limit).await? {
        (bytes, true) => Ok(bytes),
        (_, false) => Err(Fault::Broken(format!(
            "the engine's answer has more than {limit} bytes"
        ))),
    }
}

/// Reads up to `limit` bytes of a body; true if that is all of it.
async fn beginning<B>(mut body: B, limit: usize) -> Result<(Vec<u8>, bool), Fault>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Display,
{
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let data = frame.map_err(Fault::broken)?.into_data();
        bytes.extend_from_slice(&data.unwrap_or_default());
        if bytes.len() > limit {
            bytes.truncate(limit);
            return Ok((bytes, false));
        }
    }
    Ok((bytes, true))
}

#[cfg(test)]
mod tests {
    use super::{beginning, whole};
    use crate::adapters::engine::error::fault::Fault;
    use http_body_util::Full;
    use hyper::body::Bytes;

    fn body(length: usize) -> Full<Bytes> {
        Full::new(Bytes::from(vec![b'x'; length]))
    }

    #[tokio::test]
    async fn no_more_of_an_answer_is_kept_than_it_may_have() {
        assert_eq!(whole(body(8), 8).await.expect("bytes").len(), 8);
        match whole(body(9), 8).await {
            Err(Fault::Broken(why)) => assert!(why.ends_with("more than 8 bytes"), "{why}"),
            other => panic!("{other:?}"),
        }
        let (bytes, is_all) = beginning(body(9), 8).await.expect("bytes");
        assert_eq!((bytes.len(), is_all), (8, false));
    }
}
