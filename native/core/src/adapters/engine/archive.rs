//! Images that go into the engine and out of it as archives.

use std::time::Duration;

use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper::body::{Bytes, Incoming};
use serde_json::Value;

use super::client::Engine;
use super::error::failure::EngineError;
use super::error::fault::Fault;
use super::wire::whole;

/// Longest silence: the classic store writes the whole archive to its disk before it sends the first byte.
const SILENT: Duration = Duration::from_mins(5);

/// Bytes that the answer to a load may have: a line for each image.
const LOADED: usize = 1024 * 1024;

/// An image on its way out of the engine.
pub(crate) struct Export {
    image: String,
    body: Incoming,
}

impl Engine {
    /// Takes in images as an archive that `POST /images/load` understands; the names are in it.
    pub async fn load(&self, archive: Vec<u8>) -> Result<(), EngineError> {
        let load = async {
            let request = Request::post("/images/load?quiet=1")
                .header("content-type", "application/x-tar")
                .body(Full::new(Bytes::from(archive)))
                .map_err(Fault::broken)?;
            let answer = self.wire.successful(request).await?;
            let body = whole(answer.into_body(), LOADED).await?;
            refusal(&body).map_or(Ok(()), Err)
        };
        let loaded = tokio::time::timeout(SILENT, load).await;
        loaded
            .unwrap_or(Err(Fault::TimedOut(SILENT)))
            .map_err(|fault| self.failed("Cannot load an image into the engine", fault))
    }

    /// Starts to give an image out as an archive.
    pub(crate) async fn export(&self, image: &str) -> Result<Export, EngineError> {
        let start = async {
            let request = Request::get(format!("/images/{image}/get"))
                .body(Full::<Bytes>::default())
                .map_err(Fault::broken)?;
            self.wire.successful(request).await
        };
        let answer = tokio::time::timeout(SILENT, start).await;
        let answer = answer.unwrap_or(Err(Fault::TimedOut(SILENT)));
        let answer = answer.map_err(|fault| self.failed(cannot_export(image), fault))?;
        Ok(Export {
            image: image.to_owned(),
            body: answer.into_body(),
        })
    }

    /// The next bytes of an image on its way out; none at its end.
    pub(crate) async fn next_of(&self, export: &mut Export) -> Result<Option<Bytes>, EngineError> {
        let fault = match tokio::time::timeout(SILENT, export.body.frame()).await {
            Ok(None) => return Ok(None),
            Ok(Some(Ok(frame))) => return Ok(Some(frame.into_data().unwrap_or_default())),
            Ok(Some(Err(error))) => Fault::broken(error),
            Err(_) => Fault::TimedOut(SILENT),
        };
        Err(self.failed(cannot_export(&export.image), fault))
    }
}

fn cannot_export(image: &str) -> String {
    format!("Cannot export the image `{image}`")
}

/// Failure that the lines of an answer tell; an engine may find out only after it has said that all is well.
fn refusal(answer: &[u8]) -> Option<Fault> {
    answer.split(|byte| *byte == b'\n').find_map(|line| {
        let line: Value = serde_json::from_slice(line).ok()?;
        let message = line["errorDetail"]["message"].as_str();
        let message = message.or_else(|| line["error"].as_str())?.to_owned();
        Some(Fault::Refused {
            status: None,
            message,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::refusal;

    #[test]
    fn a_load_that_fails_after_a_good_status_has_failed() {
        for (answer, fails) in [
            ("{\"stream\":\"Loaded image: a:b\\n\"}\r\n", false),
            ("", false),
            (
                "{\"errorDetail\":{\"message\":\"no space\"},\"error\":\"no space\"}\r\n",
                true,
            ),
            ("{\"stream\":\"x\"}\n{\"error\":\"no space\"}", true),
        ] {
            assert_eq!(refusal(answer.as_bytes()).is_some(), fails, "{answer}");
        }
    }
}
