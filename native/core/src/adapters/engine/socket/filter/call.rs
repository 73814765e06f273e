//! A request as the engine would read it: its letters decoded, its API version apart.

use std::fmt;

use hyper::{Method, Uri};
use percent_encoding::percent_decode_str;

use super::parameters::Parameters;
use crate::adapters::engine::socket::refusals::Refusal;

/// The oldest API whose engine reads a request as it is meant here: before it, a build's platform counts for nothing.
const OLDEST: ApiVersion = ApiVersion(1, 40);

/// The version of the API that a client chose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::adapters::engine::socket) struct ApiVersion(u32, u32);

impl fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/v{}.{}", self.0, self.1)
    }
}

/// A request to decide on.
#[derive(Debug)]
pub(in crate::adapters::engine::socket) struct Call {
    /// Its method.
    pub(super) method: Method,
    /// The API's version; none for the engine's newest.
    pub(super) version: Option<ApiVersion>,
    /// The path without the version.
    pub(super) path: String,
    /// The query.
    pub(super) parameters: Parameters,
}

impl Call {
    /// Reads a request. `has_form` tells that its body could hold parameters too.
    pub(super) fn read(method: &Method, uri: &Uri, has_form: bool) -> Result<Self, Refusal> {
        let refuse = |reason: &str| Refusal::new(format_args!("{method} {}", uri.path()), reason);
        if uri.authority().is_some() || !uri.path().starts_with('/') {
            return Err(refuse("its address is not a path"));
        }
        // An engine lets a form override the query.
        if has_form {
            return Err(refuse("its body holds parameters"));
        }
        let decoded = percent_decode_str(uri.path()).decode_utf8();
        let decoded = decoded.map_err(|_| refuse("its path is not UTF-8"))?;
        let strange = |part: &str| matches!(part, "" | "." | "..");
        if decoded[1..].split('/').any(strange) || decoded.contains(char::is_control) {
            return Err(refuse("its path has empty or relative parts"));
        }
        let (version, path) = split_version(&decoded);
        if version.is_some_and(|version| version < OLDEST) {
            return Err(refuse("its API version is older than 1.40"));
        }
        Ok(Self {
            method: method.clone(),
            version,
            path: path.to_owned(),
            parameters: Parameters::read(uri.query().unwrap_or_default()),
        })
    }

    /// The path of a request to the engine, in the client's version of the API.
    pub(super) fn versioned(&self, path: &str) -> String {
        versioned(self.version, path)
    }
}

/// A path in a version of the API.
pub(super) fn versioned(version: Option<ApiVersion>, path: &str) -> String {
    version.map_or_else(|| path.to_owned(), |version| format!("{version}{path}"))
}

/// Splits off the version with which clients begin a path: `/v1.51/images/create`.
fn split_version(path: &str) -> (Option<ApiVersion>, &str) {
    let version = || {
        let rest = path.strip_prefix("/v")?;
        let end = rest.find('/')?;
        let (major, minor) = rest[..end].split_once('.')?;
        let is_number = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        let numbers = is_number(major) && is_number(minor);
        let version = ApiVersion(major.parse().ok()?, minor.parse().ok()?);
        numbers.then_some((Some(version), &rest[end..]))
    };
    version().unwrap_or((None, path))
}

#[cfg(test)]
mod tests {
    use super::Call;
    use hyper::{Method, Uri};

    #[test]
    fn addresses_are_read_as_an_engine_reads_them() {
        for (address, expected) in [
            ("/_ping", Ok("/_ping")),
            ("/v1.51/images/create?x=1", Ok("/v1.51 /images/create")),
            ("/v1.41/images/creat%65", Ok("/v1.41 /images/create")),
            ("/%76%31.41/version", Ok("/v1.41 /version")),
            ("/v1.041/version", Ok("/v1.41 /version")),
            ("/images/r%2Fa%3A1/json", Ok("/images/r/a:1/json")),
            ("/volumes/images/create", Ok("/volumes/images/create")),
            ("/version%3Fx=1", Ok("/version?x=1")),
            ("/v+1.41/version", Ok("/v+1.41/version")),
            ("/v1.24/build", Err("older than 1.40")),
            ("/v1.39/version", Err("older than 1.40")),
            ("/v0.99/version", Err("older than 1.40")),
            ("//images/create", Err("empty or relative")),
            ("/images//create", Err("empty or relative")),
            ("/images/create/", Err("empty or relative")),
            ("/images/../containers/json", Err("empty or relative")),
            ("/images/%2e%2e/containers/json", Err("empty or relative")),
            ("/./version", Err("empty or relative")),
            ("/version%00", Err("empty or relative")),
            ("/version%0a", Err("empty or relative")),
            ("/%ff", Err("not UTF-8")),
            ("http://docker/version", Err("not a path")),
            ("docker:80", Err("not a path")),
            ("*", Err("not a path")),
        ] {
            let uri: Uri = address.parse().expect(address);
            let seen = Call::read(&Method::GET, &uri, false)
                .map(|call| match call.version {
                    Some(version) => format!("{version} {}", call.path),
                    None => call.path,
                })
                .map_err(|refusal| refusal.to_string());
            match (&seen, expected) {
                (Ok(seen), Ok(expected)) => assert_eq!(seen, expected, "{address}"),
                (Err(seen), Err(expected)) => assert!(seen.contains(expected), "{address}: {seen}"),
                _ => panic!("{address}: {seen:?}"),
            }
        }
    }

    #[test]
    fn parameters_in_a_body_are_refused() {
        let uri = Uri::from_static("/images/create");
        let refusal = Call::read(&Method::POST, &uri, true).expect_err("a refusal");
        let expected = "`POST /images/create`: its body holds parameters";
        assert_eq!(refusal.to_string(), expected);
    }
}
