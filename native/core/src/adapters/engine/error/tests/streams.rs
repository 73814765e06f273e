//! Failures inside a stream that began with 200.

use super::streamed;
use crate::adapters::engine::error::reason::Reason;
use crate::report::code::Code;
use crate::report::problem::Explain as _;

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
            Code::EnginePullFailed,
        ),
        ("", Reason::Other, Code::EnginePullFailed),
    ] {
        let error = streamed(message);
        assert_eq!(
            (error.reason(), error.code()),
            (Some(reason), code),
            "{message}"
        );
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
        let error = streamed(message);
        assert_eq!(error.is_transient(), is_transient, "{message}");
        assert_eq!(error.wants_new_sign_in(), wants_new_sign_in, "{message}");
    }
}
