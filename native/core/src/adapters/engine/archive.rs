//! Images that go into the engine and out of it as archives.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
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

/// An archive on its way out of the engine.
pub(crate) struct Download {
    what: String,
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

    /// Starts to export an image as an archive.
    pub(crate) async fn export(&self, image: &str) -> Result<Download, EngineError> {
        let what = format!("Cannot export the image `{image}`");
        let path = format!("/images/{image}/get");
        match self.download(&what, &path).await {
            Ok(download) => Ok(download),
            Err(fault) => Err(self.failed(what, fault)),
        }
    }

    /// Starts to copy a folder out of a container, running or not, as an archive; none if the container has no such path.
    pub(crate) async fn archive(
        &self,
        container: &str,
        folder: &str,
    ) -> Result<Option<Download>, EngineError> {
        let what = format!("Cannot copy `{folder}` out of a container");
        match self.download(&what, &archive_path(container, folder)).await {
            Ok(download) => Ok(Some(download)),
            Err(Fault::Refused {
                status: Some(404),
                message,
            }) if !message.contains("No such container") => Ok(None),
            Err(fault) => Err(self.failed(what, fault)),
        }
    }

    /// Finds the target of a link in a container, as a path of the container; none where the path is not a link or not
    /// there.
    pub(crate) async fn link_target(
        &self,
        container: &str,
        path: &str,
    ) -> Result<Option<String>, EngineError> {
        let what = || format!("Cannot look at `{path}` in a container");
        let request = Request::head(archive_path(container, path))
            .body(Full::<Bytes>::default())
            .map_err(|error| self.failed(what(), Fault::broken(error)))?;
        let answer = tokio::time::timeout(SILENT, self.wire.successful(request)).await;
        let answer = match answer.unwrap_or(Err(Fault::TimedOut(SILENT))) {
            Ok(answer) => answer,
            Err(Fault::Refused {
                status: Some(404), ..
            }) => return Ok(None),
            Err(fault) => return Err(self.failed(what(), fault)),
        };
        let stat = answer.headers().get(PATH_STAT);
        let target = stat.map(|stat| link_target(stat.as_bytes()));
        match target.unwrap_or(Err("it does not describe the path".to_owned())) {
            Ok(target) => Ok(target),
            Err(why) => Err(self.failed(what(), Fault::broken(why))),
        }
    }

    async fn download(&self, what: &str, path: &str) -> Result<Download, Fault> {
        let start = async {
            let request = Request::get(path)
                .body(Full::<Bytes>::default())
                .map_err(Fault::broken)?;
            self.wire.successful(request).await
        };
        let answer = tokio::time::timeout(SILENT, start).await;
        let answer = answer.unwrap_or(Err(Fault::TimedOut(SILENT)))?;
        Ok(Download {
            what: what.to_owned(),
            body: answer.into_body(),
        })
    }

    /// Returns the next bytes of an archive; none at its end.
    pub(crate) async fn next_of(
        &self,
        download: &mut Download,
    ) -> Result<Option<Bytes>, EngineError> {
        let fault = match tokio::time::timeout(SILENT, download.body.frame()).await {
            Ok(None) => return Ok(None),
            Ok(Some(Ok(frame))) => return Ok(Some(frame.into_data().unwrap_or_default())),
            Ok(Some(Err(error))) => Fault::broken(error),
            Err(_) => Fault::TimedOut(SILENT),
        };
        Err(self.failed(download.what.clone(), fault))
    }
}

/// The header that describes a path, base64 of a JSON document
/// (<https://docs.docker.com/reference/api/engine/version/v1.48/#tag/Container/operation/ContainerArchiveInfo>).
const PATH_STAT: &str = "X-Docker-Container-Path-Stat";

fn archive_path(container: &str, path: &str) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("path", path)
        .finish();
    format!("/containers/{container}/archive?{query}")
}

/// Reads the target of a link; none where the path is not a link.
fn link_target(stat: &[u8]) -> Result<Option<String>, String> {
    let stat = STANDARD.decode(stat).map_err(|error| error.to_string())?;
    let stat: Value = serde_json::from_slice(&stat).map_err(|error| error.to_string())?;
    let target = stat["linkTarget"].as_str();
    let target = target.ok_or("it does not say whether the path is a link")?;
    Ok((!target.is_empty()).then(|| target.to_owned()))
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
    use super::{link_target, refusal};
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    #[test]
    fn a_path_is_a_link_where_its_description_names_a_target() {
        for (stat, expected) in [
            (r#"{"name":"opt","linkTarget":""}"#, Ok(None)),
            (
                r#"{"name":"opt","linkTarget":"/var/opt"}"#,
                Ok(Some("/var/opt".to_owned())),
            ),
        ] {
            assert_eq!(
                link_target(STANDARD.encode(stat).as_bytes()),
                expected,
                "{stat}"
            );
        }
        for stat in ["{}", "[]", "x"] {
            assert!(
                link_target(STANDARD.encode(stat).as_bytes()).is_err(),
                "{stat}"
            );
        }
        assert!(link_target(b"{}").is_err());
    }

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
