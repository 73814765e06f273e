//! Why something failed, in other people's words, made fit to be shown.

use std::error::Error;
use std::fmt;
use std::io;

use hyper_util::client::proxy::matcher::Matcher;

/// The longest text of a service that a failure repeats.
const LIMIT: usize = 300;

/// A cause on one line, at most 300 characters long.
///
/// Errors of libraries name types and repeat each other, and services send pages of HTML: a failure
/// keeps only what helps a person, and can be cloned and compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause(String);

impl Cause {
    /// What a service or a program said.
    #[must_use]
    pub fn said(text: &str) -> Self {
        let words: Vec<&str> = text
            .split(|c: char| c.is_whitespace() || c.is_control())
            .filter(|word| !word.is_empty())
            .collect();
        let line = words.join(" ");
        match line.char_indices().nth(LIMIT) {
            Some((end, _)) => Self(format!("{}…", &line[..end])),
            None => Self(line),
        }
    }

    /// A library's error with all its sources, each said once.
    #[must_use]
    pub fn of(error: &(dyn Error + 'static)) -> Self {
        let mut texts: Vec<String> = Vec::new();
        let mut next = Some(error);
        while let Some(error) = next {
            let text = error.to_string();
            if !texts.iter().any(|known| known.contains(&text)) {
                texts.push(text);
            }
            next = error.source();
        }
        Self::said(&texts.join(": "))
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Cause {}

/// Finds an error of a type among an error and its sources.
pub(crate) fn find<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<E>() {
            return Some(found);
        }
        // The source of an I/O error is that of the error inside it, which it would skip.
        let inside = error.downcast_ref::<io::Error>().and_then(|e| e.get_ref());
        if let Some(found) = inside.and_then(|inside| find::<E>(inside)) {
            return Some(found);
        }
        next = error.source();
    }
    None
}

/// Whether a connection failed because the two sides could not agree on TLS, or on whom to trust.
pub(crate) fn is_tls(error: &(dyn Error + 'static)) -> bool {
    find::<rustls::Error>(error).is_some()
}

/// What to do about a connection that failed.
pub(crate) fn connection_hint(host: &str, tls: bool) -> String {
    if tls {
        return format!(
            "Have the agent trust the certificate that `{host}` or the proxy before it shows: add its certificate authority to the system's store, or name a file that holds it in `SSL_CERT_FILE`"
        );
    }
    match proxy_before(host, &Matcher::from_env()) {
        Some(proxy) => format!(
            "Requests to `{host}` take the proxy `{proxy}`: check that the agent can connect to it, that it lets them through, and its user and password in `HTTPS_PROXY` or the agent's configuration; or name `{host}` in `NO_PROXY`"
        ),
        None => format!(
            "Check that the agent can connect to `{host}`: its DNS and firewall, and whether it needs a proxy in `HTTPS_PROXY`"
        ),
    }
}

/// The proxy that HTTPS requests to a host take, without its user and password. The clients ask the
/// same matcher.
fn proxy_before(host: &str, proxies: &Matcher) -> Option<String> {
    let target = format!("https://{host}").parse().ok()?;
    let proxy = proxies.intercept(&target)?;
    let uri = proxy.uri();
    Some(format!("{}://{}", uri.scheme_str()?, uri.authority()?))
}

#[cfg(test)]
mod tests {
    use super::{Cause, Matcher, is_tls, proxy_before};
    use std::io;

    #[test]
    fn what_a_service_said_becomes_one_short_line() {
        assert_eq!(
            Cause::said(" <html>\r\n\tno\u{1b}[0m\n").to_string(),
            "<html> no [0m"
        );
        let long = Cause::said(&"ä".repeat(400)).to_string();
        assert_eq!(long.chars().count(), 301);
        assert!(long.ends_with('…'));
    }

    #[test]
    fn an_error_of_tls_is_found_inside_an_error_of_io() {
        let error = io::Error::other(rustls::Error::DecryptError);
        assert!(is_tls(&io::Error::other(error)));
        assert!(!is_tls(&io::Error::other("broken pipe")));
    }

    #[test]
    fn a_proxy_is_named_without_its_password() {
        let proxies = Matcher::builder()
            .https("http://user:p%40ss@proxy.example:3128")
            .no("internal.example")
            .build();
        let proxy = proxy_before("registry.example:5000", &proxies);
        assert_eq!(proxy.as_deref(), Some("http://proxy.example:3128"));
        assert_eq!(proxy_before("registry.internal.example", &proxies), None);
    }
}
