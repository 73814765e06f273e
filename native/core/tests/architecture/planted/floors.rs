//! Imports of a floor above, parents that define things, and decisions that reach outside.

use super::{assert_found, planted};
use crate::rules;
use crate::{CONTENTS, DECIDING, FLOORS, OUTSIDE, OUTSIDE_METHODS};

fn floors(files: &[(&str, &str)]) -> Vec<String> {
    rules::floors(&planted(files), FLOORS, CONTENTS)
}

fn outside(domain: &str) -> Vec<String> {
    let tree = planted(&[("lib.rs", "mod domain;"), ("domain.rs", domain)]);
    rules::outside(&tree, DECIDING, OUTSIDE, OUTSIDE_METHODS)
}

#[test]
fn an_upward_import_is_found() {
    let problems = floors(&[
        ("lib.rs", "mod domain; mod report;"),
        ("domain.rs", "mod image;"),
        (
            "domain/image.rs",
            "use crate::report::Code; pub struct Image;",
        ),
        (
            "report.rs",
            "use crate::domain::image::Image; pub struct Code;",
        ),
    ]);
    assert_found(
        &problems,
        &[
            "planted/report.rs:1 imports `crate::domain::image::Image` of domain/image.rs (lines {1}).\n  `report` may import no other floor.",
        ],
    );
}

#[test]
fn an_upward_import_through_a_re_export_is_found() {
    let problems = floors(&[
        (
            "lib.rs",
            "mod adapters; mod domain; pub use adapters::journal;",
        ),
        ("adapters.rs", "pub mod journal;"),
        ("adapters/journal.rs", "pub struct Item;"),
        ("domain.rs", "fn f(item: crate::journal::Item) {}"),
    ]);
    assert_found(
        &problems,
        &[
            "`crate::journal::Item` of adapters/journal.rs (lines {1}).\n  `domain` may",
            "`crate::journal::Item` of lib.rs",
        ],
    );
}

#[test]
fn an_adapter_imports_itself_and_http_alone() {
    let problems = floors(&[
        ("lib.rs", "mod adapters;"),
        (
            "adapters.rs",
            "pub mod engine; pub mod http; pub mod journal;",
        ),
        (
            "adapters/engine.rs",
            "mod wire; use super::{http::Http, journal::Item};",
        ),
        (
            "adapters/engine/wire.rs",
            "use super::super::engine; use crate::adapters::http;",
        ),
        ("adapters/http.rs", "pub struct Http;"),
        ("adapters/journal.rs", "pub struct Item;"),
    ]);
    assert_found(
        &problems,
        &["`super::journal::Item` of adapters/journal.rs"],
    );
}

#[test]
fn the_flow_imports_in_its_order() {
    let problems = floors(&[
        ("lib.rs", "mod flow; pub use flow::run::run;"),
        (
            "flow.rs",
            "pub mod config; pub mod look; pub mod plan; pub mod run;",
        ),
        ("flow/config.rs", "pub struct Config;"),
        (
            "flow/look.rs",
            "use super::{config::Config, run::run}; pub fn look() {}",
        ),
        (
            "flow/plan.rs",
            "use super::config::Config; fn f() { crate::flow::look::look() }",
        ),
        ("flow/run.rs", "use super::{config, plan}; pub fn run() {}"),
    ]);
    assert_found(
        &problems,
        &[
            "`super::run::run` of flow/run.rs",
            "`crate::flow::look::look` of flow/look.rs",
        ],
    );
}

#[test]
fn a_file_on_no_floor_is_found() {
    let problems = floors(&[("lib.rs", "mod attic;"), ("attic.rs", "")]);
    assert_found(&problems, &["planted/attic.rs is on no floor"]);
}

#[test]
fn a_parent_that_defines_things_is_found() {
    let lists =
        "//! Docs.\n#![allow(x)]\nmod child;\npub use child::Child;\n#[cfg(test)] fn f() {}";
    for (parent, expected) in [
        (lists.to_owned(), vec![]),
        (
            format!("{lists}\nfn g() {{}}"),
            vec!["planted/lib.rs:6 defines things"],
        ),
        (
            "#[cfg(test)] mod child;\npub struct Child;".to_owned(),
            vec![],
        ),
    ] {
        let tree = planted(&[("lib.rs", &parent), ("child.rs", "pub struct Child;")]);
        assert_found(&rules::parents(&tree), &expected);
    }
}

#[test]
fn something_outside_the_process_is_found_where_is_decided() {
    for text in [
        "fn f() { tokio::spawn(g()); }",
        "use std::{io, fs::File};",
        "use std::env as surroundings;",
        "fn f() -> ::std::net::IpAddr {}",
        "fn f() { assert!(SystemTime::now() > x); }",
        "use std::time::{self, SystemTime};",
        "use aws_sdk_ecr::Client;",
    ] {
        assert_found(&outside(text), &["planted/domain.rs:1 names"]);
    }
}

#[test]
fn a_question_to_the_file_system_is_found_where_is_decided() {
    for text in [
        "fn f(path: &Path) -> bool { path.join(\"a\").exists() }",
        "fn f(path: &Path) { assert!(path.is_file()); }",
        "fn f(path: PathBuf) -> bool { path.metadata().is_ok() }",
    ] {
        assert_found(&outside(text), &["planted/domain.rs:1 calls"]);
    }
}

#[test]
fn a_comment_a_text_and_a_test_may_name_what_is_outside() {
    let text =
        "//! `std::fs`\n// tokio::spawn\nconst T: &str = \"std::env\"; use std::time::Duration;
        #[cfg(test)] use std::fs;
        #[cfg(test)] mod tests { use std::fs; fn f(p: &Path) -> bool { p.exists() } }";
    assert_found(&outside(text), &[]);
}
