use std::error::Error;
use std::io;

use hyper_util::client::proxy::matcher::Matcher;

/// Finds an error of a type among an error and its sources.
pub fn find<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
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

/// Returns true if a connection failed because the two sides could not agree on TLS, or on whom to trust.
pub fn is_tls(error: &(dyn Error + 'static)) -> bool {
    find::<rustls::Error>(error).is_some()
}

/// Advice on a connection that failed.
pub fn connection_hint(host: &str, tls: bool) -> String {
    if tls {
        return format!(
            "Have the agent trust the certificate that `{host}` or the proxy before it shows: add its certificate authority to the system's store, or name a file that holds it in `SSL_CERT_FILE`; `openssl s_client -connect {} -showcerts </dev/null` shows it",
            with_port(host)
        );
    }
    match proxy_before(host, &Matcher::from_env()) {
        Some(proxy) => format!(
            "Requests to `{host}` take the proxy `{proxy}`: check that the agent can connect to it, that it lets them through, and its user and password in `HTTPS_PROXY` or the agent's configuration; or name `{host}` in `NO_PROXY`"
        ),
        None => format!(
            "Check that the agent can connect to `{host}`, as with `curl -sS -o /dev/null https://{host}/`: its DNS and firewall, and whether it needs a proxy in `HTTPS_PROXY`"
        ),
    }
}

fn with_port(host: &str) -> String {
    if host
        .rsplit_once(':')
        .is_some_and(|(_, port)| port.parse::<u16>().is_ok())
    {
        host.to_owned()
    } else {
        format!("{host}:443")
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
    use super::{connection_hint, is_tls, proxy_before};
    use hyper_util::client::proxy::matcher::Matcher;
    use std::io;

    #[test]
    fn an_error_of_tls_is_found_inside_an_error_of_io() {
        let error = io::Error::other(rustls::Error::DecryptError);
        assert!(is_tls(&io::Error::other(error)));
        assert!(!is_tls(&io::Error::other("broken pipe")));
    }

    #[test]
    fn a_certificate_is_shown_by_a_whole_command() {
        for (host, address) in [
            ("registry.example", "registry.example:443"),
            ("registry.example:5000", "registry.example:5000"),
        ] {
            let hint = connection_hint(host, true);
            let command = format!("`openssl s_client -connect {address} -showcerts </dev/null`");
            assert!(hint.contains(&command), "{hint}");
        }
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
