use url::{Host, Url};

/// Returns true if secrets may be sent to an address: by HTTPS, or by HTTP when it is on this machine.
pub fn is_private(url: &Url) -> bool {
    match url.scheme() {
        "https" => url.host_str().is_some(),
        "http" => url.host_str().is_some_and(is_loopback_name),
        _ => false,
    }
}

/// Returns true if a registry is on this machine, where plain HTTP reveals nothing; it needs a port, for
/// the default one is HTTPS'.
pub fn is_loopback(registry: &str) -> bool {
    registry
        .split_once(':')
        .is_some_and(|(host, _)| is_loopback_name(host))
}

/// Returns true if a host without its port is this machine.
pub fn is_loopback_name(host: &str) -> bool {
    Host::parse(host).is_ok_and(|host| is_loopback_host(&host))
}

/// Returns true if a host is this machine.
pub fn is_loopback_host<S: AsRef<str>>(host: &Host<S>) -> bool {
    match host {
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
        Host::Domain(name) => name.as_ref() == "localhost",
    }
}

#[cfg(test)]
mod tests {
    use super::{is_loopback, is_private};

    #[test]
    fn only_this_machine_is_spoken_to_without_tls() {
        for (registry, expected) in [
            ("localhost:5000", true),
            ("127.0.0.1:5000", true),
            ("127.1.2.3:5000", true),
            ("127.1:5000", true),
            ("0x7f.1:5000", true),
            ("LOCALHOST:5000", true),
            ("localhost", false),
            ("127.0.0.1.evil.example:5000", false),
            ("localhost.evil.example:5000", false),
            ("10.0.0.1:5000", false),
            ("registry.example:5000", false),
            ("123456789012.dkr.ecr.eu-west-1.amazonaws.com", false),
        ] {
            assert_eq!(is_loopback(registry), expected, "{registry}");
        }
    }

    #[test]
    fn secrets_are_sent_by_tls_or_within_this_machine() {
        for (url, expected) in [
            ("https://registry.example/token", true),
            ("http://127.0.0.1:5000/token", true),
            ("http://localhost/token", true),
            ("http://[::1]:5000/token", true),
            ("http://[::2]:5000/token", false),
            ("http://registry.example/token", false),
            ("http://127.0.0.1.evil.example/token", false),
            ("ftp://127.0.0.1/token", false),
        ] {
            let url = url.parse().expect("a URL");
            assert_eq!(is_private(&url), expected, "{url}");
        }
    }
}
