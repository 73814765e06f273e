//! Imports that close a circle of files, in every way to write one, and what is not an import.

use super::{assert_found, planted, siblings};
use crate::rules;

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
    for (a, import) in [
        ("use crate::c::B; pub struct A;", "crate::c::B"),
        ("use crate::c::*; pub struct A(B);", "B"),
        ("use crate::c::{self}; pub struct A(c::B);", "c::B"),
    ] {
        let tree = planted(&[
            ("lib.rs", "mod a; mod b; mod c;"),
            ("a.rs", a),
            ("b.rs", "use crate::a::A; pub struct B;"),
            ("c.rs", "pub use crate::b::B;"),
        ]);
        let circle = format!("planted/a.rs:1 imports `{import}` of b.rs");
        assert_found(&rules::circles(&tree), &[&circle]);
    }
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
