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
    match Host::parse(host) {
        Ok(Host::Ipv4(address)) => address.is_loopback(),
        Ok(Host::Domain(name)) => name == "localhost",
        Ok(Host::Ipv6(_)) | Err(_) => false,
    }
}
