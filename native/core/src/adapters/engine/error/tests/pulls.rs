//! Pulls that the engine or the registry behind it refuses.

use super::pull;
use crate::adapters::engine::error::failure::EngineError;
use crate::adapters::engine::error::fault::Fault;
use crate::adapters::engine::error::reason::Reason;
use crate::report::code::Code;
use crate::report::problem::Explain as _;

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
            500,
            "failed to register layer: max depth exceeded",
            Reason::TooManyLayers,
            Code::EngineTooManyLayers,
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
fn troubles_on_the_way_are_tried_again_and_the_users_are_not() {
    for (message, reason, is_transient) in [
        (
            "Get \"https://E/v2/\": dial tcp 52.1.2.3:443: i/o timeout",
            Reason::RegistryNotReachable,
            true,
        ),
        (
            "failed to copy: httpReadSeeker: failed open: failed to do request: Get \"https://E/v2/app/web/blobs/sha256:39e438\": read tcp 10.0.0.4:51234->52.1.2.3:443: i/o timeout",
            Reason::RegistryNotReachable,
            true,
        ),
        (
            "failed to authorize: failed to fetch anonymous token: Get \"https://auth.docker.io/token?scope=repository%3Alibrary%2Fnginx%3Apull\": dial tcp: lookup auth.docker.io: i/o timeout",
            Reason::RegistryNotReachable,
            true,
        ),
        (
            "error parsing HTTP 504 response body: invalid character '<' looking for beginning of value: \"<html>\\r\\n<head><title>504 Gateway Time-out</title></head>\"",
            Reason::RegistryFailing,
            true,
        ),
        (
            "received unexpected HTTP status: 504 Gateway Time-out",
            Reason::RegistryFailing,
            true,
        ),
        (
            "unexpected status from HEAD request to https://E/v2/app/web/manifests/1: 504 Gateway Time-out",
            Reason::RegistryFailing,
            true,
        ),
        (
            "received unexpected HTTP status: 429",
            Reason::RateLimited,
            true,
        ),
        (
            "received unexpected HTTP status: 520",
            Reason::RegistryFailing,
            true,
        ),
        (
            "failed to register layer: stream error: stream ID 7; INTERNAL_ERROR; received from peer",
            Reason::RegistryFailing,
            true,
        ),
        (
            "stream error: stream ID 3; REFUSED_STREAM; received from peer",
            Reason::RegistryFailing,
            true,
        ),
        (
            "http2: server sent GOAWAY and closed the connection; LastStreamID=1999, ErrCode=NO_ERROR, debug=\"\"",
            Reason::RegistryFailing,
            true,
        ),
        (
            "http2: server sent GOAWAY and closed the connection; LastStreamID=3, ErrCode=ENHANCE_YOUR_CALM, debug=\"too_many_pings\"",
            Reason::RateLimited,
            true,
        ),
        (
            "Get \"https://E/v2/\": Proxy Authentication Required",
            Reason::ProxyLoginMissing,
            false,
        ),
        (
            "Get \"https://E/v2/\": proxyconnect tcp: Proxy Authentication Required ( The ISA Server requires authorization )",
            Reason::ProxyLoginMissing,
            false,
        ),
        (
            "unexpected status from HEAD request to https://E/v2/app/web/manifests/1: 407 Proxy Authentication Required",
            Reason::ProxyLoginMissing,
            false,
        ),
        (
            "Get \"https://E/v2/\": tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time 2026-11-26T10:00:00Z is after 2026-11-01T00:00:00Z",
            Reason::CertificateExpired,
            false,
        ),
        (
            "failed to do request: Head \"https://E/v2/app/web/manifests/1\": x509: certificate has expired or is not yet valid: current time 1970-01-01T00:00:09Z is before 2026-01-01T00:00:00Z",
            Reason::CertificateExpired,
            false,
        ),
        (
            "remote error: tls: certificate has expired",
            Reason::CertificateExpired,
            false,
        ),
    ] {
        let error = pull(500, message);
        assert_eq!(
            (error.reason(), error.is_transient()),
            (Some(reason), is_transient),
            "{message}"
        );
    }
}

#[test]
fn every_wording_of_an_immutable_tag_has_one_meaning() {
    for message in [
        "tag invalid: The image tag '1.0' already exists in the 'app/web' repository and cannot be overwritten because the tag is immutable.",
        "tag invalid: The image tag '1.0' already exists in the 'app/web' repository and cannot be overwritten because the repository is immutable.",
        "The image tag '1.0' already exists in the 'app/web' repository and cannot be overwritten.",
        "denied: ImageTagAlreadyExistsException: the tag exists",
    ] {
        let error = pull(400, message);
        assert_eq!(error.reason(), Some(Reason::TagImmutable), "{message}");
        assert_eq!(error.code(), Code::EcrTagImmutable);
    }
}

#[test]
fn the_advice_on_an_image_has_its_own_values() {
    let image = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/app/web@sha256:1";
    for (status, message, advice) in [
        (
            404,
            "repository E/app/none not found: name unknown: The repository with name 'app/none' does not exist in the registry with id '123456789012'",
            "aws ecr create-repository --registry-id 123456789012 --region eu-west-1 --repository-name app/web",
        ),
        (
            404,
            "manifest for E/app/web@sha256:111111 not found: manifest unknown: manifest unknown",
            "aws ecr describe-images --registry-id 123456789012 --region eu-west-1 --repository-name app/web ",
        ),
        (
            404,
            "pull access denied for E/app/web, repository does not exist or may require 'docker login': denied: User: arn:aws:iam::123456789012:user/a is not authorized to perform: ecr:BatchGetImage on resource: arn:aws:ecr:eu-west-1:210987654321:repository/app/web because no resource-based policy allows the ecr:BatchGetImage action",
            "arn:aws:ecr:eu-west-1:123456789012:repository/app/web",
        ),
        (429, "toomanyrequests: rate exceeded", image),
    ] {
        let error = EngineError::Pull {
            image: image.to_owned(),
            source: Fault::status(status, message.as_bytes()).into_refusal(),
        };
        let hint = error.hint().expect("a hint");
        assert!(hint.contains(advice), "{:?}: {hint}", error.reason());
    }
}

#[test]
fn a_proxy_and_an_old_certificate_have_advice_of_their_own() {
    for (message, advice) in [
        ("Proxy Authentication Required", "daemon.json"),
        (
            "x509: certificate has expired or is not yet valid",
            "clock of the engine's machine",
        ),
    ] {
        let error = pull(500, message);
        assert_eq!(error.code(), Code::RegistryNotReachable);
        let hint = error.hint().expect("a hint");
        assert!(hint.contains(advice), "{hint}");
    }
}
