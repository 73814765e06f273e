use std::collections::BTreeMap;

use hyper::{Method, Uri};
use proptest::{prop_assert, prop_assert_eq};

use super::build_arguments;
use super::call::Call;
use super::context::Context;
use super::decide::{Verdict, decide};
use super::dockerfile::rewrite::rewrite;
use crate::adapters::engine::socket::grant::{Grant, GrantedImage};
use crate::test_support::fuzz::{changed, changed_text, fuzz};

const SENSOR: &str =
    "r.example/sensor@sha256:1111111111111111111111111111111111111111111111111111111111111111";
const SOURCE: &str =
    "r.example/app@sha256:2222222222222222222222222222222222222222222222222222222222222222";
const TARGET: &str = "falcon-patch.invalid/1:patched";

fn grant() -> Grant {
    let image = |name| GrantedImage::new(name, None).expect("an image");
    Grant {
        source: image(SOURCE),
        sensor: image(SENSOR),
        target: image(TARGET),
    }
}

#[test]
fn a_request_is_refused_or_names_granted_images_alone() {
    let inspect = format!("/v1.45/images/{SOURCE}/json");
    let pull = format!(
        "/images/create?fromImage=r.example%2Fsensor&tag={}&platform=linux%2Farm64",
        &SENSOR[17..]
    );
    let build = format!(
        "/v1.47/build?version=2&t={TARGET}&platform=linux%2Farm64&networkmode=none&buildargs=%7B%7D"
    );
    let samples = [
        inspect.as_str(),
        &pull,
        &build,
        "/_ping",
        "/v1.41/info",
        "/containers/json",
    ];
    let pieces = [
        "/",
        "..",
        "%2f",
        "%2e%2e",
        "%00",
        "?",
        "&",
        "=",
        "#",
        "//",
        "/v1.99",
        "/v0.1",
        "remote=x",
        "t=a:b",
        "&version=1",
        "networkmode=host",
        "/containers/create",
        "fromSrc=-",
        "@sha256:",
        "é",
    ];
    let grant = grant();
    fuzz("requests", &changed_text(&samples, &pieces), |text| {
        let Ok(uri) = text.parse::<Uri>() else {
            return Ok(());
        };
        for method in [Method::GET, Method::POST, Method::HEAD] {
            let Ok(call) = Call::read(&method, &uri, false) else {
                continue;
            };
            match decide(call, &grant) {
                Ok(
                    Verdict::Send(remade) | Verdict::Info(remade) | Verdict::SendForId(_, remade),
                ) => {
                    let path = remade.target.split('?').next().unwrap_or_default();
                    let allowed = ["/_ping", "/version", "/info", "/images/"];
                    prop_assert!(
                        allowed.iter().any(|part| path.contains(part)),
                        "{}",
                        remade.target
                    );
                    prop_assert!(!remade.target.contains(".."), "{}", remade.target);
                    prop_assert!(!remade.target.contains("fromSrc"), "{}", remade.target);
                }
                Ok(Verdict::Build(build)) => {
                    let target = build.target(&grant);
                    prop_assert!(
                        target.contains("networkmode=none") && !target.contains("remote"),
                        "{target}"
                    );
                }
                Ok(Verdict::NotPullable(_)) | Err(_) => {}
            }
        }
        Ok(())
    });
}

fn context() -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for path in ["Dockerfile", "entry.sh", "files/a"] {
        let mut header = tar::Header::new_gnu();
        header.set_size(4);
        header.set_mode(0o644);
        archive
            .append_data(&mut header, path, &b"text"[..])
            .expect("an entry");
    }
    archive.into_inner().expect("a tar")
}

#[test]
fn a_dockerfile_that_was_written_anew_is_written_the_same_again() {
    let good = format!(
        "FROM {SENSOR} AS build\nRUN mkdir -p /tmp/a \\\n && cp x y\nCOPY entry.sh files /x/\nFROM {SOURCE}\nCOPY --from=build --chown=0:0 /opt /opt\nENV A=\"b c\"\nENTRYPOINT [\"/e\"]\n"
    );
    let pieces = [
        "\n",
        "\\\n",
        "# syntax=docker/dockerfile:1\n",
        "# escape=`\n",
        "FROM scratch\n",
        "ARG X=1\n",
        "$X",
        "${X}",
        "--mount=type=bind ",
        "<<EOF\nx\nEOF\n",
        "COPY --from=evil / /\n",
        "ADD https://evil.example/x /\n",
        "ONBUILD RUN x\n",
        "\t",
        "\u{feff}",
        "[\"",
        "\"]",
        "\r",
    ];
    let (grant, bytes) = (grant(), context());
    let context = Context::read(&bytes).expect("a context");
    fuzz("dockerfiles", &changed_text(&[&good], &pieces), |text| {
        let Ok(first) = rewrite(&text, &context, &grant) else {
            return Ok(());
        };
        for line in first.text.lines() {
            if let Some(base) = line.strip_prefix("FROM ") {
                let known = [SENSOR, SOURCE].iter().any(|image| base.starts_with(image));
                // A stage before this one.
                let is_stage = !base.contains(['/', ':', '@']);
                prop_assert!(known || is_stage, "{line}");
            }
            prop_assert!(
                !line.contains("--mount") || !line.starts_with("RUN --"),
                "{line}"
            );
        }
        let again = rewrite(&first.text, &context, &grant);
        prop_assert_eq!(again.map(|again| again.text), Ok(first.text));
        Ok(())
    });
}

#[test]
fn contexts_and_arguments_of_any_form_are_read_or_refused() {
    let bytes = context();
    let samples: [&[u8]; 2] = [&bytes, br#"{"A":"b","C":null}"#];
    let pieces: [&[u8]; 7] = [
        b"../",
        b"/",
        b"\0",
        b"\x1f\x8b",
        b"BUILDKIT_SYNTAX",
        b"\"",
        b"777777777777",
    ];
    fuzz("contexts", &changed(&samples, &pieces), |bytes| {
        if let Ok(context) = Context::read(&bytes) {
            for file in context.copied("") {
                prop_assert!(
                    !file.path.starts_with('/') && !file.path.split('/').any(|part| part == "..")
                );
            }
        }
        let text = String::from_utf8_lossy(&bytes);
        if let Ok(arguments) = build_arguments::rewrite(&text) {
            let names = serde_json::from_str::<BTreeMap<String, Option<String>>>(&arguments);
            let names = names.expect("a map of arguments");
            prop_assert!(
                !names.keys().any(|name| name.starts_with("BUILDKIT_")),
                "{arguments}"
            );
        }
        Ok(())
    });
}
