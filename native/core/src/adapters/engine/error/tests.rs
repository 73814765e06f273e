//! Real messages of engines 26.1 and 28.5 on both stores, and of Docker Hub and ECR, and what is made of them.

use crate::report::problem::Explain as _;
use std::io;
use std::time::Duration;

use super::failure::EngineError;
use super::fault::Fault;
use super::reason::{Reason, tells_exec_format};
use crate::report::code::Code;

const IMAGE: &str =
    "123456789012.dkr.ecr.eu-west-1.amazonaws.com/app/web@sha256:39e438e0d1bf931b4bd11c9c625052d1";

fn pull(status: u16, message: &str) -> EngineError {
    let body = serde_json::json!({ "message": message }).to_string();
    EngineError::Pull {
        image: IMAGE.to_owned(),
        source: Fault::status(status, body.as_bytes()).into_refusal(),
    }
}

/// A failure inside a stream that began with 200.
fn push(message: &str) -> EngineError {
    let fault = Fault::Told {
        status: None,
        message: message.to_owned(),
    };
    EngineError::Push {
        image: IMAGE.to_owned(),
        source: fault.into_refusal(),
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of real messages")]
fn refused_pulls_of_the_classic_store() {
    for (status, message, reason, code) in [
        (
            500,
            "Get \"https://E/v2/app/web/manifests/sha256:39e438\": no basic auth credentials",
            Reason::SignInRefused,
            Code::RegistryDenied,
        ),
        (
            401,
            "unauthorized: Not Authorized\n",
            Reason::SignInRefused,
            Code::RegistryDenied,
        ),
        (
            404,
            "pull access denied for E/app/web, repository does not exist or may require 'docker login': denied: Your authorization token has expired. Reauthenticate and try again.",
            Reason::SignInExpired,
            Code::RegistryDenied,
        ),
        (
            404,
            "manifest for E/app/web@sha256:111111 not found: manifest unknown: manifest unknown",
            Reason::ManifestUnknown,
            Code::RegistryImageNotFound,
        ),
        (
            404,
            "repository E/app/none not found: name unknown: The repository with name 'app/none' does not exist in the registry with id '123456789012'",
            Reason::RepositoryUnknown,
            Code::EcrRepositoryNotFound,
        ),
        (
            404,
            "pull access denied for E/app/web, repository does not exist or may require 'docker login': denied: User: arn:aws:iam::123456789012:user/a is not authorized to perform: ecr:BatchGetImage on resource: arn:aws:ecr:eu-west-1:210987654321:repository/app/web because no resource-based policy allows the ecr:BatchGetImage action",
            Reason::Denied,
            Code::RegistryDenied,
        ),
        (
            404,
            "pull access denied for x/y, repository does not exist or may require 'docker login': denied: requested access to the resource is denied",
            Reason::Denied,
            Code::RegistryDenied,
        ),
        (
            500,
            "Get \"https://E/v2/\": dial tcp: lookup E on 10.0.0.53:53: no such host",
            Reason::RegistryNotReachable,
            Code::RegistryNotReachable,
        ),
        (
            500,
            "Get \"http://127.0.0.1:5999/v2/\": dial tcp 127.0.0.1:5999: connect: connection refused",
            Reason::RegistryNotReachable,
            Code::RegistryNotReachable,
        ),
        (
            500,
            "Get \"https://E/v2/\": net/http: request canceled while waiting for connection (Client.Timeout exceeded while awaiting headers)",
            Reason::RegistryNotReachable,
            Code::RegistryNotReachable,
        ),
        (
            500,
            "Get \"https://E/v2/\": tls: failed to verify certificate: x509: certificate signed by unknown authority",
            Reason::CertificateUnknown,
            Code::EnginePullFailed,
        ),
        (
            500,
            "Get \"https://E/v2/\": http: server gave HTTP response to HTTPS client",
            Reason::PlainHttp,
            Code::EnginePullFailed,
        ),
        (
            429,
            "toomanyrequests: Rate exceeded",
            Reason::RateLimited,
            Code::RegistryRequestFailed,
        ),
        (
            500,
            "toomanyrequests: You have reached your pull rate limit. You may increase the limit by authenticating and upgrading: https://www.docker.com/increase-rate-limit",
            Reason::RateLimited,
            Code::RegistryRequestFailed,
        ),
        (
            500,
            "received unexpected HTTP status: 503 Service Unavailable",
            Reason::RegistryFailing,
            Code::RegistryRequestFailed,
        ),
        (
            500,
            "Get \"https://E/v2/app/web/manifests/sha256:39e438\": EOF",
            Reason::RegistryFailing,
            Code::RegistryRequestFailed,
        ),
        (
            400,
            "invalid reference format: repository name (library/UPPER) must be lowercase",
            Reason::Other,
            Code::EnginePullFailed,
        ),
    ] {
        let error = pull(status, message);
        assert_eq!(
            (error.reason(), error.code()),
            (Some(reason), code),
            "{message}"
        );
    }
}

#[test]
fn refused_pulls_of_the_containerd_store() {
    let resolve = "failed to resolve reference \"E/app/web@sha256:39e438\": ";
    let head =
        "unexpected status from HEAD request to https://E/v2/app/web/manifests/sha256:39e438: ";
    for (status, message, reason) in [
        (500, format!("{resolve}pull access denied, repository does not exist or may require authorization: authorization failed: no basic auth credentials"), Reason::SignInRefused),
        (500, format!("unknown: {resolve}{head}401 Unauthorized"), Reason::SignInRefused),
        (500, format!("{resolve}{head}403 Forbidden"), Reason::Forbidden),
        (500, format!("{resolve}{head}429 Too Many Requests"), Reason::RateLimited),
        (500, format!("{resolve}{head}503 Service Unavailable"), Reason::RegistryFailing),
        (404, format!("{resolve}E/app/web@sha256:39e438: not found"), Reason::ManifestUnknown),
        (500, format!("{resolve}failed to do request: Head \"https://E/v2/app/web/manifests/sha256:39e438\": dial tcp: lookup E on 10.0.0.53:53: dial udp 10.0.0.53:53: connect: network is unreachable"), Reason::RegistryNotReachable),
        (500, format!("{resolve}failed to do request: Head \"https://E/v2/app/web/manifests/sha256:39e438\": EOF"), Reason::RegistryFailing),
        (500, format!("{resolve}failed to do request: Head \"https://E/v2/\": tls: failed to verify certificate: x509: certificate is valid for A, not E"), Reason::CertificateUnknown),
        (404, "no matching manifest for linux/arm64 in the manifest list entries: no match for platform in manifest: not found".to_owned(), Reason::PlatformMissing),
        (404, "No such image: E/app/web@sha256:39e438".to_owned(), Reason::NotFound),
    ] {
        assert_eq!(pull(status, &message).reason(), Some(reason), "{message}");
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of real messages")]
fn failures_inside_a_stream() {
    for (message, reason, code) in [
        (
            "write /var/lib/docker/tmp/GetImageBlob3141: no space left on device",
            Reason::NoSpace,
            Code::EngineNoSpace,
        ),
        (
            "failed to register layer: write /usr/lib/libx.so: no space left on device",
            Reason::NoSpace,
            Code::EngineNoSpace,
        ),
        (
            "failed to copy: httpReadSeeker: failed open: could not fetch content descriptor sha256:616a5b (application/vnd.docker.container.image.v1+json) from remote: not found",
            Reason::ManifestUnknown,
            Code::RegistryImageNotFound,
        ),
        (
            "error pulling image configuration: download failed after attempts=1: unknown blob",
            Reason::ManifestUnknown,
            Code::RegistryImageNotFound,
        ),
        (
            "no matching manifest for linux/s390x in the manifest list entries",
            Reason::PlatformMissing,
            Code::EnginePlatformMissing,
        ),
        (
            "image with reference E/app/web:t1 was found but does not provide the specified platform (linux/s390x)",
            Reason::PlatformMissing,
            Code::EnginePlatformMissing,
        ),
        (
            "image with reference E/app/web:t1 was found but does not provide any platform",
            Reason::PlatformMissing,
            Code::EnginePlatformMissing,
        ),
        (
            "image with reference E/app/web:t1 was found but does not match the specified platform: wanted linux/s390x, actual: linux/arm64",
            Reason::PlatformMissing,
            Code::EnginePlatformMissing,
        ),
        (
            "denied: Your authorization token has expired. Reauthenticate and try again.",
            Reason::SignInExpired,
            Code::RegistryDenied,
        ),
        (
            "push access denied, repository does not exist or may require authorization: authorization failed: no basic auth credentials",
            Reason::SignInRefused,
            Code::RegistryDenied,
        ),
        (
            "unexpected status from HEAD request to https://E/v2/app/target/blobs/sha256:616a5b: 403 Forbidden",
            Reason::Forbidden,
            Code::RegistryDenied,
        ),
        (
            "tag invalid: The image tag '1.0' already exists in the 'app/immutable' repository and cannot be overwritten because the tag is immutable.",
            Reason::TagImmutable,
            Code::EcrTagImmutable,
        ),
        (
            "error from registry: The image tag '1.0' already exists in the 'app/immutable' repository and cannot be overwritten because the tag is immutable.",
            Reason::TagImmutable,
            Code::EcrTagImmutable,
        ),
        (
            "name unknown: The repository with name 'app/none' does not exist in the registry with id '123456789012'",
            Reason::RepositoryUnknown,
            Code::EcrRepositoryNotFound,
        ),
        (
            "error from registry: The repository with name 'app/none' does not exist in the registry with id '123456789012'",
            Reason::RepositoryUnknown,
            Code::EcrRepositoryNotFound,
        ),
        (
            "tag does not exist: E/app/target:t1",
            Reason::NotFound,
            Code::EngineImageNotFound,
        ),
        (
            "An image does not exist locally with the tag: E/app/target",
            Reason::NotFound,
            Code::EngineImageNotFound,
        ),
        (
            "write tcp 10.0.0.1:51234->10.0.0.2:443: write: connection reset by peer",
            Reason::RegistryFailing,
            Code::RegistryRequestFailed,
        ),
        (
            "failed commit on ref \"config-sha256:616a5b\": commit failed: unexpected commit digest sha256:4d1c66, expected sha256:616a5b: failed precondition",
            Reason::Other,
            Code::EnginePushFailed,
        ),
        ("", Reason::Other, Code::EnginePushFailed),
    ] {
        let error = push(message);
        assert_eq!(
            (error.reason(), error.code()),
            (Some(reason), code),
            "{message}"
        );
    }
}

#[test]
fn conflicts_are_told_by_their_status() {
    for message in [
        "conflict: unable to remove repository reference \"E/app/web@sha256:39e438\" (must force) - container 9e2c20ef4461 is using its referenced image 182b5e22abdb",
        "conflict: unable to delete E/app/web@sha256:39e438 (must be forced) - container 377ecf20f77b is using its referenced image 31ddc92c2afa",
        "Conflict. The container name \"/c1\" is already in use by container \"377ecf20f77b\". You have to remove (or rename) that container to be able to reuse that name.",
        "removal of container c1 is already in progress",
    ] {
        assert_eq!(
            pull(409, message).reason(),
            Some(Reason::Conflict),
            "{message}"
        );
    }
}

#[test]
fn programs_of_a_foreign_architecture() {
    for (line, expected) in [
        ("exec /usr/bin/sensor-entrypoint: exec format error", true),
        (
            "standard_init_linux.go:228: exec user process caused: exec format error",
            true,
        ),
        ("/bin/sh: 1: Exec format error", true),
        ("aarch64", false),
    ] {
        assert_eq!(tells_exec_format(&["", line]), expected, "{line}");
    }
}

#[test]
fn only_some_requests_are_worth_another_try() {
    for (message, is_transient, wants_new_sign_in) in [
        ("toomanyrequests: Rate exceeded", true, false),
        (
            "received unexpected HTTP status: 503 Service Unavailable",
            true,
            false,
        ),
        (
            "denied: Your authorization token has expired. Reauthenticate and try again.",
            false,
            true,
        ),
        (
            "denied: requested access to the resource is denied",
            false,
            false,
        ),
        ("manifest unknown", false, false),
    ] {
        let error = push(message);
        assert_eq!(error.is_transient(), is_transient, "{message}");
        assert_eq!(error.wants_new_sign_in(), wants_new_sign_in, "{message}");
    }
}

#[test]
fn connections_that_fail() {
    for (kind, in_container_job, code, hint) in [
        (
            io::ErrorKind::NotFound,
            false,
            Code::EngineNotReachable,
            "systemctl",
        ),
        (
            io::ErrorKind::NotFound,
            true,
            Code::EngineInContainerJob,
            "options: -v",
        ),
        (
            io::ErrorKind::ConnectionRefused,
            true,
            Code::EngineNotReachable,
            "systemctl",
        ),
        (
            io::ErrorKind::PermissionDenied,
            false,
            Code::EngineNotPermitted,
            "sudo usermod -aG docker",
        ),
    ] {
        let address = "unix:///var/run/docker.sock".to_owned();
        let error = EngineError::not_connected(address, kind.into(), in_container_job);
        assert_eq!(error.code(), code, "{kind}");
        assert!(
            error.hint().is_some_and(|text| text.contains(hint)),
            "{kind}"
        );
    }
}

#[test]
fn a_failure_names_the_image_and_what_to_do() {
    let error = pull(
        500,
        "tls: failed to verify certificate: x509: certificate signed by unknown authority",
    );
    assert_eq!(error.to_string(), format!("Cannot pull `{IMAGE}`"));
    let hint = error.hint().expect("a hint");
    let folder = "/etc/docker/certs.d/123456789012.dkr.ecr.eu-west-1.amazonaws.com/ca.crt";
    assert!(hint.contains(folder), "{hint}");
    let silent = Fault::TimedOut(Duration::from_secs(90)).into_refusal();
    assert_eq!(silent.to_string(), "nothing came from the engine for 90 s");
}

#[test]
fn answers_that_are_not_the_engines() {
    for (body, message) in [
        ("{\"message\":\"no\"}\n", "no"),
        ("<html>Bad Gateway</html>", "<html>Bad Gateway</html>"),
        ("", "the engine answers with status 502 and no message"),
    ] {
        let refusal = Fault::status(502, body.as_bytes()).into_refusal();
        assert_eq!(refusal.message, message);
    }
}
