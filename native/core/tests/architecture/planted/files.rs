//! Files and names that the test must not miss.

use super::{assert_found, planted, siblings};
use crate::rules;
use crate::{CONTENTS, FLOORS};

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
    let on_no_floor = ["planted/a.rs is on no floor", "planted/b.rs is on no floor"];
    assert_found(&rules::floors(&tree, FLOORS, CONTENTS), &on_no_floor);
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
