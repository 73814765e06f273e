//! Words for a failure, and words of others that are read.

use std::time::Duration;

use super::{IMAGE, pull};
use crate::adapters::engine::error::failure::EngineError;
use crate::adapters::engine::error::fault::Fault;
use crate::adapters::engine::error::reason::names_exec_format_error;
use crate::report::problem::Explain as _;

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

/// Docker 29.10 asks a registry on 127.0.0.1 by HTTPS once `insecure-registries` is set.
#[test]
fn a_local_registry_that_the_engine_wants_tls_of_has_its_own_advice() {
    let message =
        "Get \"https://127.0.0.1:32768/v2/\": http: server gave HTTP response to HTTPS client";
    for (image, advice) in [
        ("127.0.0.1:32768/app/web@sha256:1", "Add `127.0.0.0/8`"),
        ("localhost:5000/app/web@sha256:1", "Add `127.0.0.0/8`"),
        (
            "registry.example:5000/web@sha256:1",
            "add `registry.example:5000`",
        ),
    ] {
        let error = EngineError::Pull {
            image: image.to_owned(),
            source: Fault::status(500, message.as_bytes()).into_refusal(),
        };
        let hint = error.hint().expect("a hint");
        assert!(hint.contains(advice), "{hint}");
    }
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
        assert_eq!(names_exec_format_error(&["", line]), expected, "{line}");
    }
}
