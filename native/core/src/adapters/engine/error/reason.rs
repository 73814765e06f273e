//! Meaning of a refusal: by its status where that says it, else by its words.
//!
//! This is the one place that reads the text of the engine's errors. It has to: the engine passes on what a
//! registry, runc or the kernel said as text, under status 500 or inside a stream that began with 200.

use crate::domain::address::is_loopback_name;
use crate::domain::engine::PATHS_NOT_SHARED;
use crate::report::code::Code;

/// Meaning of a refusal by the engine, or by a registry behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The engine's disk is full.
    NoSpace,
    /// The registry limits how often one may pull.
    RateLimited,
    /// The registry wants a sign-in, or another one.
    SignInRefused,
    /// The sign-in was good and has expired.
    SignInExpired,
    /// The registry knows who asks and does not allow it.
    Denied,
    /// The registry refuses, and the engine does not pass on why: the containerd store keeps nothing but `403`, which
    /// ECR gives for an expired sign-in too.
    Forbidden,
    /// The registry has no such repository.
    RepositoryUnknown,
    /// The registry has no such image.
    ManifestUnknown,
    /// The tag exists and cannot be overwritten.
    TagImmutable,
    /// The image has more layers than the engine's store takes.
    TooManyLayers,
    /// The image is not there for the platform that is asked for.
    PlatformMissing,
    /// The engine does not trust the registry's certificate.
    CertificateUnknown,
    /// The registry's certificate is not valid at the time that the engine's clock shows.
    CertificateExpired,
    /// The proxy between engine and registry wants a login.
    ProxyLoginMissing,
    /// The registry speaks plain HTTP.
    PlainHttp,
    /// The registry does not answer.
    RegistryNotReachable,
    /// The registry answers that it cannot work now.
    RegistryFailing,
    /// The kernel cannot run a program of that architecture.
    ExecFormat,
    /// The engine has no such image or container.
    NotFound,
    /// The engine has no file or folder at the source of a bind mount.
    MountSourceMissing,
    /// Something is in use, or exists already.
    Conflict,
    /// The connection to the engine broke.
    ConnectionLost,
    /// The engine went silent.
    TimedOut,
    /// Something else.
    Other,
}

/// Words of errors and what they mean, in lower case; the first line that fits counts, so the narrow ones lead.
const WORDS: &[(&str, Reason)] = &[
    ("no space left on device", Reason::NoSpace),
    ("disk quota exceeded", Reason::NoSpace),
    ("exec format error", Reason::ExecFormat),
    ("max depth exceeded", Reason::TooManyLayers),
    (
        "bind source path does not exist",
        Reason::MountSourceMissing,
    ),
    // ECR names the tag or the repository as immutable, and an older text names neither.
    ("tag is immutable", Reason::TagImmutable),
    ("repository is immutable", Reason::TagImmutable),
    ("and cannot be overwritten", Reason::TagImmutable),
    ("imagetagalreadyexists", Reason::TagImmutable),
    ("authorization token has expired", Reason::SignInExpired),
    ("toomanyrequests", Reason::RateLimited),
    ("too many requests", Reason::RateLimited),
    ("rate exceeded", Reason::RateLimited),
    ("http status: 429", Reason::RateLimited),
    ("status code 429", Reason::RateLimited),
    ("proxy authentication required", Reason::ProxyLoginMissing),
    (
        "certificate has expired or is not yet valid",
        Reason::CertificateExpired,
    ),
    ("certificate has expired", Reason::CertificateExpired),
    ("x509:", Reason::CertificateUnknown),
    (
        "certificate signed by unknown authority",
        Reason::CertificateUnknown,
    ),
    ("gave http response to https client", Reason::PlainHttp),
    ("does not provide any platform", Reason::PlatformMissing),
    (
        "does not provide the specified platform",
        Reason::PlatformMissing,
    ),
    (
        "does not match the specified platform",
        Reason::PlatformMissing,
    ),
    ("no matching manifest for", Reason::PlatformMissing),
    ("no match for platform", Reason::PlatformMissing),
    // ECR tells who was refused which action; that is a missing permission, no missing sign-in.
    ("is not authorized to perform", Reason::Denied),
    ("no basic auth credentials", Reason::SignInRefused),
    ("authentication required", Reason::SignInRefused),
    ("unauthorized: ", Reason::SignInRefused),
    ("401 unauthorized", Reason::SignInRefused),
    ("authorization failed", Reason::SignInRefused),
    ("incorrect username or password", Reason::SignInRefused),
    ("name unknown", Reason::RepositoryUnknown),
    ("name_unknown", Reason::RepositoryUnknown),
    (
        "does not exist in the registry with id",
        Reason::RepositoryUnknown,
    ),
    (
        "repository name not known to registry",
        Reason::RepositoryUnknown,
    ),
    ("manifest unknown", Reason::ManifestUnknown),
    ("manifest_unknown", Reason::ManifestUnknown),
    ("unknown blob", Reason::ManifestUnknown),
    ("denied: ", Reason::Denied),
    ("access denied", Reason::Denied),
    ("403 forbidden", Reason::Forbidden),
    ("connection refused", Reason::RegistryNotReachable),
    ("no such host", Reason::RegistryNotReachable),
    ("server misbehaving", Reason::RegistryNotReachable),
    (
        "temporary failure in name resolution",
        Reason::RegistryNotReachable,
    ),
    ("network is unreachable", Reason::RegistryNotReachable),
    ("no route to host", Reason::RegistryNotReachable),
    ("i/o timeout", Reason::RegistryNotReachable),
    ("tls handshake timeout", Reason::RegistryNotReachable),
    ("client.timeout exceeded", Reason::RegistryNotReachable),
    (
        "request canceled while waiting for connection",
        Reason::RegistryNotReachable,
    ),
    ("context deadline exceeded", Reason::RegistryNotReachable),
    ("connection reset by peer", Reason::RegistryFailing),
    ("broken pipe", Reason::RegistryFailing),
    ("unexpected eof", Reason::RegistryFailing),
    (": eof", Reason::RegistryFailing),
    ("500 internal server error", Reason::RegistryFailing),
    ("502 bad gateway", Reason::RegistryFailing),
    ("503 service unavailable", Reason::RegistryFailing),
    ("504 gateway timeout", Reason::RegistryFailing),
    // nginx writes it so.
    ("504 gateway time-out", Reason::RegistryFailing),
    ("http status: 5", Reason::RegistryFailing),
    ("status code 5", Reason::RegistryFailing),
    // The errors of one HTTP/2 stream or connection, as Go's client reports them.
    (
        "internal_error; received from peer",
        Reason::RegistryFailing,
    ),
    (
        "refused_stream; received from peer",
        Reason::RegistryFailing,
    ),
    ("enhance_your_calm", Reason::RateLimited),
    ("goaway", Reason::RegistryFailing),
    ("http2: client connection lost", Reason::RegistryFailing),
    ("tag does not exist: ", Reason::NotFound),
    ("does not exist locally with the tag", Reason::NotFound),
    // The containerd store says this of whatever it did not find, so everything narrower comes first.
    (": not found", Reason::ManifestUnknown),
];

impl Reason {
    /// Understands a refusal. The engine's own statuses are exact about names and conflicts (404, 409, 429, 401),
    /// but the engine answers 404 for a registry's refusals too, so there the words are asked first.
    pub(super) fn of(status: Option<u16>, message: &str) -> Self {
        let by_words = || {
            let message = message.to_lowercase();
            let fits = |(words, _): &&(&str, Self)| message.contains(words);
            WORDS.iter().find(fits).map(|(_, reason)| *reason)
        };
        match status {
            Some(409) => Self::Conflict,
            Some(429) => Self::RateLimited,
            Some(401) => by_words().unwrap_or(Self::SignInRefused),
            Some(403) => by_words().unwrap_or(Self::Denied),
            Some(404) => by_words().unwrap_or(Self::NotFound),
            _ => by_words().unwrap_or(Self::Other),
        }
    }

    /// Returns true if the same request may succeed a little later.
    #[must_use]
    pub fn is_transient(self) -> bool {
        match self {
            Self::RateLimited
            | Self::RegistryNotReachable
            | Self::RegistryFailing
            | Self::ConnectionLost
            | Self::TimedOut => true,
            Self::NoSpace
            | Self::SignInRefused
            | Self::SignInExpired
            | Self::Denied
            | Self::Forbidden
            | Self::RepositoryUnknown
            | Self::ManifestUnknown
            | Self::TagImmutable
            | Self::TooManyLayers
            | Self::PlatformMissing
            | Self::CertificateUnknown
            | Self::CertificateExpired
            | Self::ProxyLoginMissing
            | Self::PlainHttp
            | Self::ExecFormat
            | Self::NotFound
            | Self::MountSourceMissing
            | Self::Conflict
            | Self::Other => false,
        }
    }

    /// The code of a failure with this reason; `general` where the reason adds nothing.
    pub(super) fn code(self, general: Code) -> Code {
        match self {
            Self::NoSpace => Code::EngineNoSpace,
            Self::SignInRefused | Self::SignInExpired | Self::Denied | Self::Forbidden => {
                Code::RegistryDenied
            }
            Self::RepositoryUnknown => Code::EcrRepositoryNotFound,
            Self::ManifestUnknown => Code::RegistryImageNotFound,
            Self::TagImmutable => Code::EcrTagImmutable,
            Self::TooManyLayers => Code::EngineTooManyLayers,
            Self::PlatformMissing => Code::EnginePlatformMissing,
            Self::RegistryNotReachable | Self::CertificateExpired | Self::ProxyLoginMissing => {
                Code::RegistryNotReachable
            }
            Self::RateLimited | Self::RegistryFailing => Code::RegistryRequestFailed,
            Self::ExecFormat => Code::EmulationMissing,
            Self::NotFound => Code::EngineImageNotFound,
            Self::MountSourceMissing => Code::EnginePathsNotShared,
            Self::CertificateUnknown
            | Self::PlainHttp
            | Self::Conflict
            | Self::ConnectionLost
            | Self::TimedOut
            | Self::Other => general,
        }
    }

    /// Advice; `host` is the registry's, empty where no registry has a part in it.
    pub(super) fn hint(self, host: &str) -> Option<String> {
        let hint = match self {
            Self::NoSpace => {
                "Free space where the engine keeps its images (`docker info --format '{{.DockerRootDir}}'`, `docker system df`), or use an agent with a larger disk"
            }
            Self::RateLimited => {
                "Wait and run again, or copy the image into a registry of your own and name it there"
            }
            Self::SignInRefused => {
                "Check that the credentials are those of the account that owns the registry"
            }
            Self::SignInExpired => "Run again; the registry's authorization token had expired",
            Self::Denied | Self::Forbidden => {
                "Let the user of the registry's login pull this image"
            }
            Self::RepositoryUnknown => "Create the repository, or correct its name and its region",
            Self::ManifestUnknown => "Check the image's tag or digest; it may have been deleted",
            Self::TagImmutable => {
                "Set a tag that is not there yet, or except this one from the repository's immutability"
            }
            Self::TooManyLayers => {
                "Combine layers where the image is built (`COPY`, `ADD` and `RUN` add one each), or use an engine with the containerd image store"
            }
            Self::PlatformMissing => "Build the image for linux/arm64",
            Self::CertificateUnknown => {
                return Some(format!(
                    "Put the certificate of the authority that signed the registry's into `/etc/docker/certs.d/{host}/ca.crt` on the agent"
                ));
            }
            Self::CertificateExpired => {
                return Some(format!(
                    "Check the clock of the engine's machine (`date`), then the certificate: `openssl s_client -connect {host}:443 </dev/null | openssl x509 -noout -dates`"
                ));
            }
            Self::ProxyLoginMissing => {
                "Give the engine's proxy a user and password: `\"proxies\": {\"https-proxy\": \"http://USER:PASSWORD@HOST:PORT\"}` in `/etc/docker/daemon.json`, or exempt the registry under `no-proxy` there"
            }
            // The registry of a run speaks plain HTTP to this machine alone.
            Self::PlainHttp
                if is_loopback_name(host.rsplit_once(':').map_or(host, |(name, _)| name)) =>
            {
                return Some("Add `127.0.0.0/8` to `insecure-registries` in `/etc/docker/daemon.json`: from 29.10 on an engine trusts registries of its own machine without TLS only as long as that list is not set; or set `stagingRegistry: none`".to_owned());
            }
            Self::PlainHttp => {
                return Some(format!(
                    "Give the registry a certificate, or add `{host}` to `insecure-registries` in `/etc/docker/daemon.json`"
                ));
            }
            Self::RegistryNotReachable => {
                return Some(format!(
                    "Check that the agent reaches the registry: `curl -sS -o /dev/null -w '%{{http_code}}' https://{host}/v2/`; the engine has its own proxy settings"
                ));
            }
            Self::ExecFormat => {
                "Set `emulation` to `auto`, or register an ARM64 emulator on the agent"
            }
            Self::RegistryFailing | Self::ConnectionLost | Self::TimedOut => {
                "Run again; if it stays so, look at the engine's log with `journalctl -u docker`"
            }
            Self::MountSourceMissing => PATHS_NOT_SHARED,
            Self::NotFound | Self::Conflict | Self::Other => return None,
        };
        Some(hint.to_owned())
    }
}

/// Returns true if a server tells that it expects TLS: this is what Go's HTTP server, which is the engine's, answers to
/// a plain request.
pub(super) fn wants_tls(message: &str) -> bool {
    message.contains("Client sent an HTTP request to an HTTPS server")
}

/// Returns true if a program's output tells that the kernel cannot run it: its architecture has no handler.
#[must_use]
pub fn names_exec_format_error<L: AsRef<str>>(lines: &[L]) -> bool {
    lines
        .iter()
        .any(|line| Reason::of(None, line.as_ref()) == Reason::ExecFormat)
}
