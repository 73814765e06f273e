//! Proof that the rules find what they look for: small crates with one thing planted in each.

use std::path::PathBuf;

use crate::rules;
use crate::source_tree::SourceTree;
use crate::{CONTENTS, DECIDING, FLOORS, OUTSIDE};

/// A crate of the given files, with `lib.rs` first.
fn planted(files: &[(&str, &str)]) -> SourceTree {
    let files = files
        .iter()
        .map(|(path, text)| (PathBuf::from(path), (*text).to_owned()))
        .collect();
    SourceTree::parse("planted", &files)
}

/// Two sibling files in a folder with a face of its own.
fn siblings(face: &str, left: &str, right: &str) -> SourceTree {
    let face = format!("mod left; mod right; {face}");
    planted(&[
        ("lib.rs", "mod folder;"),
        ("folder.rs", &face),
        ("folder/left.rs", left),
        ("folder/right.rs", right),
    ])
}

/// Asserts that `left.rs`, which `right.rs` imports, closes a circle of the two.
#[track_caller]
fn assert_closes_a_circle(left: &str) {
    let tree = siblings("", left, "use super::left::Left; pub struct Right;");
    assert_found(&rules::unread(&tree), &[]);
    assert_found(
        &rules::circles(&tree),
        &["2 files import each other: folder/left.rs, folder/right.rs"],
    );
}

/// Asserts that there is one problem for each of the texts, and that it contains it.
#[track_caller]
fn assert_found(problems: &[String], expected: &[&str]) {
    let all = problems.join("\n\n");
    assert_eq!(problems.len(), expected.len(), "{all}");
    for text in expected {
        assert!(all.contains(text), "`{text}` is not in:\n{all}");
    }
}

fn floors(files: &[(&str, &str)]) -> Vec<String> {
    rules::floors(&planted(files), FLOORS, CONTENTS)
}

fn outside(domain: &str) -> Vec<String> {
    let tree = planted(&[("lib.rs", "mod domain;"), ("domain.rs", domain)]);
    rules::outside(&tree, DECIDING, OUTSIDE)
}

#[test]
fn a_circle_through_crate_is_found() {
    assert_closes_a_circle("use crate::folder::right::Right; pub struct Left;");
}

#[test]
fn a_circle_through_super_is_found() {
    assert_closes_a_circle("use super::right::Right; pub struct Left;");
}

#[test]
fn a_circle_through_braces_and_a_new_name_is_found() {
    assert_closes_a_circle(
        "use super::{super::folder::{right::{self as other, Right as Other}}}; pub struct Left;",
    );
}

#[test]
fn a_circle_through_a_glob_is_found() {
    assert_closes_a_circle("use super::right::*; pub struct Left;");
}

#[test]
fn a_circle_through_a_path_outside_of_use_is_found() {
    for path in [
        "pub struct Left(super::right::Right);",
        "pub struct Left; fn f() { self::super::right::Right; }",
        "pub struct Left; fn f<T: Into<crate::folder::right::Right>>() {}",
        "pub struct Left; fn f() { use super::right; let x = || right::Right; }",
        "pub struct Left; impl From<super::right::Right> for Left {}",
    ] {
        assert_closes_a_circle(path);
    }
}

#[test]
fn a_circle_through_a_macro_is_found() {
    for path in [
        "pub struct Left; fn f() { matches!(x, Some(crate::folder::right::Right)); }",
        "pub struct Left; fn f() { format!(\"{}\", super::right::Right); }",
        "pub struct Left; #[error(\"{}\", super::right::Right)] struct Error;",
        "pub struct Left; macro_rules! right { () => { $crate::folder::right::Right } }",
    ] {
        assert_closes_a_circle(path);
    }
}

#[test]
fn a_local_name_in_a_macro_is_resolved() {
    let tree = planted(&[
        ("lib.rs", "mod parent;"),
        (
            "parent.rs",
            "mod child; pub struct P; fn f() { join!(a.child::<u8>(), child::g()); }",
        ),
        ("parent/child.rs", "use super::P; pub fn g() {}"),
    ]);
    assert_found(&rules::circles(&tree), &["`child::g` of parent/child.rs"]);
}

#[test]
fn a_circle_through_a_re_export_elsewhere_is_found() {
    let tree = planted(&[
        ("lib.rs", "mod a; mod b; mod c;"),
        ("a.rs", "use crate::c::B; pub struct A;"),
        ("b.rs", "use crate::a::A; pub struct B;"),
        ("c.rs", "pub use crate::b::B;"),
    ]);
    assert_found(
        &rules::circles(&tree),
        &["planted/a.rs:1 imports `crate::c::B` of b.rs"],
    );
}

#[test]
fn a_sibling_imported_through_the_face_closes_a_circle() {
    let tree = siblings(
        "pub use left::Left; pub use right::Right;",
        "use super::Right; pub struct Left;",
        "pub struct Right;",
    );
    assert_found(
        &rules::circles(&tree),
        &["2 files import each other: folder.rs, folder/left.rs"],
    );
}

#[test]
fn a_sibling_imported_by_its_file_closes_none() {
    let tree = siblings(
        "pub use left::Left; pub use right::Right;",
        "use super::right::Right; pub struct Left;",
        "pub struct Right;",
    );
    assert_found(&rules::circles(&tree), &[]);
}

#[test]
fn a_function_re_exported_under_its_module_s_name_closes_no_circle() {
    let tree = siblings(
        "pub use left::left; pub use right::right;",
        "use super::right::Right; pub fn left() {}",
        "pub struct Right; pub fn right() {}",
    );
    assert_found(&rules::circles(&tree), &[]);
}

#[test]
fn mod_lines_and_visibilities_are_no_edges() {
    let tree = planted(&[
        ("lib.rs", "mod parent;"),
        ("parent.rs", "mod child; pub struct Parent;"),
        (
            "parent/child.rs",
            "use super::Parent; pub(in crate::parent) struct Child;",
        ),
    ]);
    assert_found(&rules::circles(&tree), &[]);
}

#[test]
fn what_only_tests_compile_is_no_edge() {
    let uses = "use crate::folder::right::Right";
    for left in [
        format!("pub struct Left; #[cfg(test)] {uses};"),
        format!("pub struct Left; #[cfg(test)] mod tests {{ {uses}; }}"),
        format!("pub struct Left; #[cfg(all(unix, test))] fn f() {{ {uses}; }}"),
        format!("pub struct Left; impl Left {{ #[cfg(test)] fn f() {{ {uses}; }} }}"),
        format!("#![cfg(test)] pub struct Left; {uses};"),
    ] {
        let tree = siblings("", &left, "use super::left::Left; pub struct Right;");
        assert_found(&rules::circles(&tree), &[]);
    }
    assert_closes_a_circle(&format!("pub struct Left; #[cfg(not(test))] {uses};"));
    assert_closes_a_circle(&format!("pub struct Left; #[cfg(any(test, unix))] {uses};"));
}

#[test]
fn a_file_of_tests_is_read_and_is_no_edge() {
    let tree = planted(&[
        ("lib.rs", "mod a; mod b;"),
        ("a.rs", "pub struct A; #[cfg(test)] mod tests;"),
        ("a/tests.rs", "mod more; use crate::b::B;"),
        ("a/tests/more.rs", "use crate::b::B;"),
        ("b.rs", "use crate::a::A; pub struct B;"),
    ]);
    assert_found(&rules::unread(&tree), &[]);
    assert_found(&rules::circles(&tree), &[]);
    assert_found(&rules::parents(&tree), &[]);
}

#[test]
fn a_file_that_no_mod_line_reaches_is_found() {
    let tree = planted(&[
        (
            "lib.rs",
            "mod a; mod inline { mod b; } #[path = \"elsewhere/d.rs\"] mod c;",
        ),
        ("a/mod.rs", ""),
        ("inline/b.rs", ""),
        ("elsewhere/d.rs", ""),
        ("b.rs", ""),
    ]);
    assert_found(&rules::unread(&tree), &["planted/b.rs is on disk"]);
}

#[test]
fn files_that_cannot_be_read_are_found() {
    let tree = planted(&[("lib.rs", "mod a;\nmod b;"), ("a.rs", "\nfn {")]);
    assert_found(
        &rules::unread(&tree),
        &[
            "planted/a.rs:2 cannot be parsed",
            "planted/b.rs does not exist",
        ],
    );
}

#[test]
fn an_item_that_a_macro_defines_is_resolved() {
    let tree = siblings(
        "",
        "use super::right::Right; pub struct Left;",
        "use super::left::Left; macro_rules! m { () => { pub enum Right {} } } m!();",
    );
    assert_found(&rules::unread(&tree), &[]);
    assert_found(
        &rules::circles(&tree),
        &["`super::right::Right` of folder/right.rs"],
    );
}

#[test]
fn a_path_that_leads_nowhere_is_found() {
    let tree = planted(&[("lib.rs", "mod a;"), ("a.rs", "\nuse crate::a::Hidden;")]);
    assert_found(
        &rules::unread(&tree),
        &["planted/a.rs:2 names `crate::a::Hidden`"],
    );
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
            "mod adapters; mod domain; pub use adapters::journal::Item;",
        ),
        ("adapters.rs", "pub mod journal;"),
        ("adapters/journal.rs", "pub struct Item;"),
        ("domain.rs", "fn f(item: crate::Item) {}"),
    ]);
    assert_found(
        &problems,
        &[
            "`crate::Item` of adapters/journal.rs (lines {1}).\n  `domain` may",
            "`crate::Item` of lib.rs",
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
fn a_comment_a_text_and_a_test_may_name_what_is_outside() {
    let text =
        "//! `std::fs`\n// tokio::spawn\nconst T: &str = \"std::env\"; use std::time::Duration;
        #[cfg(test)] use std::fs;";
    assert_found(&outside(text), &[]);
}
