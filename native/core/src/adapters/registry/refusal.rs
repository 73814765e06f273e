//! Messages of registries that refuse.

use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use serde::Deserialize;

use crate::adapters::http::client::Answer;
use crate::report::cause::Cause;

/// A refusal, taken apart
/// (<https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes>).
#[derive(Debug)]
pub(super) struct RegistryRefusal {
    status: StatusCode,
    /// The first error's code, if the body has the form that the specification asks for.
    pub(super) code: Option<String>,
    /// The first error's message, or else the whole body.
    pub(super) message: String,
    request_id: Option<String>,
}

#[derive(Deserialize)]
struct Body {
    errors: Vec<BodyError>,
}

#[derive(Deserialize)]
struct BodyError {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: Option<String>,
}

impl RegistryRefusal {
    pub(super) fn of(answer: &Answer) -> Self {
        let body: Option<Body> = serde_json::from_slice(&answer.body).ok();
        let first = body.and_then(|body| body.errors.into_iter().next());
        let (code, message) = match first {
            Some(error) => (Some(error.code), error.message.unwrap_or_default()),
            // Proxies, load balancers and sometimes ECR itself answer in HTML, XML or plain text.
            None => (None, String::from_utf8_lossy(&answer.body).into_owned()),
        };
        Self {
            status: answer.status,
            code: code.filter(|code| !code.is_empty()),
            message,
            request_id: request_id(&answer.headers),
        }
    }

    /// Returns true if the password has become too old.
    pub(super) fn says_expired(&self) -> bool {
        let message = self.message.to_ascii_lowercase();
        message.contains("token has expired") || message.contains("token is expired")
    }

    /// Returns true if the password or the right is missing.
    pub(super) fn is_denied(&self) -> bool {
        self.status == StatusCode::UNAUTHORIZED || self.status == StatusCode::FORBIDDEN
    }

    /// Returns true if the registry does not know the repository.
    pub(super) fn is_repository_missing(&self) -> bool {
        self.is_not_found() && (self.has_code("NAME_UNKNOWN") || self.names("RepositoryNotFound"))
    }

    /// Returns true if what was asked for is not there.
    pub(super) fn is_not_found(&self) -> bool {
        self.status == StatusCode::NOT_FOUND
    }

    /// Returns true if the tag exists already: immutable, which ECR says for the same image too, or naming
    /// this very image.
    pub(super) fn is_tag_taken(&self) -> bool {
        // ECR names the tag or the repository as immutable, and an older text names neither.
        let is_kept = ["is immutable", "cannot be overwritten"];
        is_kept.iter().any(|words| self.message.contains(words))
            || self.names("ImageTagAlreadyExists")
            || self.names("ImageAlreadyExists")
    }

    fn has_code(&self, code: &str) -> bool {
        self.code.as_deref() == Some(code)
    }

    fn names(&self, exception: &str) -> bool {
        let code = self.code.as_deref().unwrap_or_default();
        code.contains(exception) || self.message.contains(exception)
    }

    /// The refusal on one line.
    pub(super) fn cause(&self) -> Cause {
        let mut said = format!("the registry answers {}", self.status.as_u16());
        if let Some(id) = &self.request_id {
            said = format!("{said} to request {id}");
        }
        let message = self.message.trim();
        match (&self.code, message) {
            (Some(code), "") => said = format!("{said} {code}"),
            (Some(code), message) => said = format!("{said} {code}: {message}"),
            (None, "") => {
                let reason = self.status.canonical_reason().unwrap_or("without a reason");
                said = format!("{said} {reason}");
            }
            (None, message) => said = format!("{said}: {message}"),
        }
        Cause::said(&said)
    }
}

fn request_id(headers: &HeaderMap) -> Option<String> {
    let value = headers
        .get("x-amzn-requestid")
        .or_else(|| headers.get("x-amz-request-id"))?;
    value.to_str().ok().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::RegistryRefusal;
    use crate::adapters::http::client::Answer;
    use reqwest::StatusCode;
    use reqwest::header::HeaderMap;

    fn refusal(status: u16, body: &str) -> RegistryRefusal {
        RegistryRefusal::of(&Answer {
            status: StatusCode::from_u16(status).expect("a status"),
            headers: HeaderMap::new(),
            body: body.as_bytes().to_vec(),
        })
    }

    fn check(status: u16, body: &str, expected: &str) {
        assert_eq!(refusal(status, body).cause().to_string(), expected);
    }

    #[test]
    fn a_refusal_is_one_line() {
        check(
            404,
            r#"{"errors":[{"code":"NAME_UNKNOWN","message":"The repository with name 'a' does not exist","detail":{}}]}"#,
            "the registry answers 404 NAME_UNKNOWN: The repository with name 'a' does not exist",
        );
        check(404, "", "the registry answers 404 Not Found");
        check(
            502,
            "<html>\n<b>Bad gateway</b>",
            "the registry answers 502: <html> <b>Bad gateway</b>",
        );
        check(
            400,
            r#"{"errors":[]}"#,
            r#"the registry answers 400: {"errors":[]}"#,
        );
        check(
            401,
            r#"{"errors":[{"code":"UNAUTHORIZED"}]}"#,
            "the registry answers 401 UNAUTHORIZED",
        );
    }

    #[test]
    fn every_wording_of_a_tag_that_stays_is_understood() {
        const TAKEN: &str =
            "The image tag '1.0' already exists in the 'app' repository and cannot be overwritten";
        for (code, message) in [
            (
                "TAG_INVALID",
                format!("{TAKEN} because the tag is immutable."),
            ),
            (
                "TAG_INVALID",
                format!("{TAKEN} because the repository is immutable."),
            ),
            ("DENIED", format!("{TAKEN}.")),
            ("ImageTagAlreadyExistsException", String::new()),
        ] {
            let body = format!(r#"{{"errors":[{{"code":"{code}","message":"{message}"}}]}}"#);
            assert!(refusal(400, &body).is_tag_taken(), "{body}");
        }
        let other = r#"{"errors":[{"code":"TAG_INVALID","message":"too long"}]}"#;
        assert!(!refusal(400, other).is_tag_taken());
    }

    #[test]
    fn an_old_token_is_recognized_in_every_form() {
        for body in [
            r#"{"errors":[{"code":"DENIED","message":"Your authorization token has expired. Reauthenticate and try again."}]}"#,
            "Your Authorization Token has expired. Please run 'aws ecr get-login' to fetch a new one.",
        ] {
            assert!(refusal(403, body).says_expired(), "{body}");
        }
        assert!(!refusal(403, "<Code>AccessDenied</Code>").says_expired());
    }
}
