//! Dockerfiles that are written anew, and those that are refused.

use super::rewrite::rewrite;
use crate::adapters::engine::socket::filter::context::Context;
use crate::adapters::engine::socket::grant::{Grant, GrantedImage};

const SENSOR: &str =
    "r.example/sensor@sha256:1111111111111111111111111111111111111111111111111111111111111111";
const SOURCE: &str =
    "r.example/app@sha256:2222222222222222222222222222222222222222222222222222222222222222";

fn grant() -> Grant {
    let image = |name| GrantedImage::new(name, None).expect("an image");
    Grant {
        source: image(SOURCE),
        sensor: image(SENSOR),
        target: image("falcon-patch.invalid/1:patched"),
    }
}

/// A context with a few files.
fn context() -> Context {
    let mut archive = tar::Builder::new(Vec::new());
    for path in [
        "Dockerfile",
        "entry.sh",
        "files/a",
        "files/b",
        "github.com/evil/x",
    ] {
        let mut header = tar::Header::new_gnu();
        header.set_size(0);
        header.set_mode(0o644);
        archive
            .append_data(&mut header, path, &[][..])
            .expect("an entry");
    }
    Context::read(&archive.into_inner().expect("a tar")).expect("a context")
}

/// The Dockerfile that the engine gets, with the copied files behind it.
fn rewritten(text: &str) -> Result<String, String> {
    let text = text.replace("SENSOR", SENSOR).replace("SOURCE", SOURCE);
    let context = context();
    let rewritten = rewrite(&text, &context, &grant())?;
    let files = rewritten
        .files
        .iter()
        .map(|file| format!("[{}]", file.path));
    let text = rewritten
        .text
        .replace(SENSOR, "SENSOR")
        .replace(SOURCE, "SOURCE");
    Ok(text + &files.collect::<String>())
}

#[test]
fn a_patch_is_written_as_it_is_meant() {
    let text = "\u{feff}# made by falconutil\n\nFROM --platform=linux/arm64 SENSOR as Build\r\nrun mkdir -p /tmp/a \\\n  # in between\n\n  && cp $HOME/x <y >z\n  COPY entry.sh files /x/\nFROM SOURCE\nCOPY --from=build --chown=0:0 [\"/tmp/Crowd Strike\", \"/opt/CrowdStrike\"]\nENV A=\"x <<EOF $y\"\nENTRYPOINT [\"/e\"]\n";
    let expected = "FROM SENSOR AS build\nRUN mkdir -p /tmp/a   && cp $HOME/x <y >z\nCOPY [\"./entry.sh\",\"./files\",\"/x/\"]\nFROM SOURCE\nCOPY --from=build --chown=0:0 [\"/tmp/Crowd Strike\", \"/opt/CrowdStrike\"]\nENV A=\"x <<EOF $y\"\nENTRYPOINT [\"/e\"]\n[entry.sh][files/a][files/b]";
    assert_eq!(rewritten(text).as_deref(), Ok(expected));
}

#[test]
fn copies_take_files_from_stages_the_run_and_the_context() {
    for (line, expected) in [
        ("COPY --from=0 /a /b", "COPY --from=0 /a /b\n"),
        ("COPY --from=BUILD /a /b", "COPY --from=build /a /b\n"),
        ("COPY --from=SENSOR /a /b", "COPY --from=SENSOR /a /b\n"),
        (
            "COPY --link --chmod=755 entry.sh /b",
            "COPY --link --chmod=755 [\"./entry.sh\",\"/b\"]\n[entry.sh]",
        ),
        (
            "COPY [\"./files/\", \"/b\"]",
            "COPY [\"./files/\",\"/b\"]\n[files/a][files/b]",
        ),
        (
            "ADD /entry.sh /b",
            "ADD [\"./entry.sh\",\"/b\"]\n[entry.sh]",
        ),
        // Without `./` an engine takes it for a repository of that host.
        (
            "ADD github.com/evil/x /b",
            "ADD [\"./github.com/evil/x\",\"/b\"]\n[github.com/evil/x]",
        ),
    ] {
        let seen = rewritten(&format!("FROM SENSOR AS build\nFROM scratch\n{line}\n"));
        let expected = format!("FROM SENSOR AS build\nFROM scratch\n{expected}");
        assert_eq!(seen, Ok(expected), "{line}");
    }
}

#[test]
fn dockerfiles_that_are_refused() {
    for (text, expected) in [
        ("# syntax=evil/frontend\nFROM SENSOR", "directive `syntax`"),
        ("#Syntax = evil/frontend\nFROM SENSOR", "directive `syntax`"),
        ("# escape=`\nFROM SENSOR", "directive `escape`"),
        ("# check=skip=all\nFROM SENSOR", "directive `check`"),
        (
            "//syntax=evil/frontend\nFROM SENSOR",
            "begins with no instruction",
        ),
        (
            "{\"syntax\": \"evil/frontend\"}",
            "begins with no instruction",
        ),
        ("", "no `FROM`"),
        ("ARG A=1", "no `FROM`"),
        ("RUN x", "before `FROM`"),
        ("FROM nginx", "not an image of this run"),
        ("FROM SENSOR AS a\nFROM A:1", "not an image of this run"),
        (
            "FROM falcon-patch.invalid/1:patched",
            "not an image of this run",
        ),
        ("ARG I=nginx\nFROM $I", "not an image of this run"),
        ("FROM ${I:-nginx}", "not an image of this run"),
        ("FROM --platform=$BUILDPLATFORM SENSOR", "not plain"),
        (
            "FROM --platform=linux/amd64 SENSOR",
            "`--platform=linux/amd64`",
        ),
        ("FROM SENSOR AS 0", "not a name of a stage"),
        ("FROM SENSOR AS scratch", "not a name of a stage"),
        ("FROM SENSOR AS a b", "`FROM IMAGE AS NAME`"),
        ("FROM SENSOR\nONBUILD RUN x", "`ONBUILD`"),
        ("FROM SENSOR\nINCLUDE x", "`INCLUDE`"),
        (
            "FROM SENSOR\nRUN --mount=type=bind,from=nginx x",
            "`RUN` has flags",
        ),
        ("FROM SENSOR\nRUN --network=host x", "`RUN` has flags"),
        (
            "FROM SENSOR\nRUN \\\n --security=insecure x",
            "`RUN` has flags",
        ),
        ("FROM SENSOR\nRUN <<EOF\nx\nEOF", "heredoc"),
        ("FROM SENSOR\nCOPY <<EOF /x\nx\nEOF", "heredoc"),
        (
            "FROM SENSOR\nCOPY --from=nginx /a /b",
            "not an image of this run",
        ),
        (
            "FROM SENSOR\nCOPY --from=0 /a /b",
            "does not name an earlier stage",
        ),
        ("FROM SENSOR\nCOPY --from=$A /a /b", "not plain"),
        ("FROM SENSOR\nCOPY --\"from\"=nginx /a /b", "not plain"),
        ("FROM SENSOR\nCOPY --from=0 --from=nginx /a /b", "twice"),
        ("FROM SENSOR\nCOPY --parents entry.sh /b", "`--parents`"),
        ("FROM SENSOR\nCOPY nothing /b", "no file `nothing`"),
        ("FROM SENSOR\nCOPY entry.sh", "copies nothing"),
        ("FROM SENSOR\nCOPY * /b", "not a plain path"),
        ("FROM SENSOR\nCOPY ../x /b", "not a plain path"),
        ("FROM SENSOR\nCOPY $A /b", "not a plain path"),
        (
            "FROM SENSOR\nADD https://evil.example/x /b",
            "not a plain path",
        ),
        (
            "FROM SENSOR\nADD [\"https://evil.example/x\", \"/b\"]",
            "not a plain path",
        ),
        (
            "FROM SENSOR\nADD git@github.com:evil/x /b",
            "not a plain path",
        ),
        ("FROM SENSOR\nADD github.com/evil/y /b", "no file"),
        ("FROM SENSOR\nADD $A /b", "not a plain path"),
        ("FROM SENSOR\nADD --from=SENSOR /a /b", "`--from="),
        (
            "FROM SENSOR\nADD --checksum=x entry.sh /b",
            "`--checksum=x`",
        ),
        (
            "FROM SENSOR\nRUN x \\\\\nRUN --mount=type=bind y",
            "two backslashes",
        ),
        ("FROM SENSOR\nENV A=b \\ \\\n", "ends with a backslash"),
        (
            "FROM SENSOR\nRUN x\rRUN --mount=type=bind y",
            "control characters",
        ),
        ("FROM SENSOR\nRUN x\u{85}y", "control characters"),
        (
            "FROM SENSOR\n\u{a0}RUN\u{a0}--mount=type=bind y",
            "begins with no instruction",
        ),
    ] {
        let refusal = rewritten(text).expect_err(text);
        assert!(refusal.contains(expected), "{text}: {refusal}");
    }
}

#[test]
fn a_flag_whose_letters_engines_split_is_refused() {
    // The second bytes of these letters are blanks to an engine that reads byte by byte.
    for letter in ['\u{e0}', '\u{c5}'] {
        for line in [
            format!("COPY --chown={letter}--from=company/private:1 . /tmp/x/"),
            format!("COPY --chmod=0{letter}--from=company/private:1 . /tmp/x/"),
        ] {
            let text = format!("FROM SENSOR\n{line}\n");
            assert!(rewritten(&text).is_err(), "{line}");
        }
    }
    assert!(rewritten("FROM SENSOR\nCOPY --chown=0;x entry.sh /x/\n").is_err());
}

#[test]
fn a_dockerfile_that_costs_much_to_read_is_refused() {
    let words = ". ".repeat(65);
    let lines = "a\\\n".repeat(1001);
    for text in [
        format!("FROM SENSOR\nCOPY {words} /x\n"),
        format!("FROM SENSOR\nRUN {lines}"),
        format!("FROM SENSOR\nRUN {}\n", "a".repeat(64 * 1024)),
    ] {
        assert!(rewritten(&text).is_err(), "{}", text.len());
    }
}
