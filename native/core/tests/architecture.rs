//! The structure of the Rust sources, held by rules.
//!
//! The rules are the tables below. The modules in `architecture/` read the sources with `syn`,
//! resolve each path to the file that defines it, and compare. `planted.rs` proves that they find
//! what they look for.

#[path = "architecture/planted.rs"]
mod planted;
#[path = "architecture/references.rs"]
mod references;
#[path = "architecture/resolve.rs"]
mod resolve;
#[path = "architecture/rules.rs"]
mod rules;
#[path = "architecture/source_tree.rs"]
mod source_tree;

use source_tree::SourceTree;

/// The floors from the ground up, each with the floors that it may import beside itself.
///
/// A floor is a folder with its face (`domain/` and `domain.rs`), or a single file. The first row that
/// fits counts; `/*` makes each entry of a folder a floor. A name on the right stands for all floors
/// inside it.
#[rustfmt::skip]
const FLOORS: &[(&str, &str)] = &[
    ("report",        ""),
    ("domain",        "report"),

    ("adapters/http", "report domain"),
    ("adapters/process", "report domain"),
    ("adapters/*",    "report domain adapters/http adapters/process"),

    ("flow/effect",   "report domain"),
    ("flow/outcome",  "report domain flow/effect"),
    ("flow/inputs",   "report domain flow/effect flow/outcome"),
    ("flow/config",   "report domain flow/effect flow/outcome flow/inputs"),
    ("flow/facts",    "report domain flow/effect flow/outcome flow/inputs flow/config"),
    ("flow/plan",     "report domain flow/effect flow/outcome flow/inputs flow/config flow/facts"),
    ("flow/verify",   "report domain flow/effect flow/outcome flow/inputs flow/config flow/facts"),
    ("flow/services", "report domain adapters flow/effect flow/outcome flow/config"),
    ("flow/sweep",    "report domain adapters flow/effect flow/outcome"),
    ("flow/look",     "report domain adapters flow/effect flow/outcome flow/inputs flow/config flow/facts flow/services"),
    ("flow/run",      "report domain adapters flow/effect flow/outcome flow/inputs flow/config flow/facts flow/services \
                       flow/sweep flow/look flow/plan flow/verify"),

    ("test_support",  "report domain adapters flow"),
];

/// Tables of contents: each may list and re-export everything below it, and nothing imports them.
const CONTENTS: &[&str] = &["lib", "adapters", "flow"];

/// The floors that decide. They receive values, so that a test needs nothing but values either.
#[rustfmt::skip]
const DECIDING: &[&str] = &[
    "report", "domain", "flow/inputs", "flow/config", "flow/facts", "flow/plan", "flow/verify",
];

/// The names of all that is outside the process; a `*` stands for any ending.
#[rustfmt::skip]
const OUTSIDE: &[&str] = &[
    "tokio", "tokio_util", "reqwest", "bollard", "hyper", "hyper_util",
    "aws_sdk*", "aws_config", "aws_smithy*", "aws_types", "aws_credential_types",
    "std::fs", "std::env", "std::net", "SystemTime",
];

/// The methods of paths that ask the file system.
const OUTSIDE_METHODS: &[&str] = &[
    "canonicalize",
    "exists",
    "is_dir",
    "is_file",
    "is_symlink",
    "metadata",
    "read_dir",
    "read_link",
    "symlink_metadata",
    "try_exists",
];

fn core() -> SourceTree {
    SourceTree::read("native/core/src")
}

fn addon() -> SourceTree {
    SourceTree::read("native/node/src")
}

#[track_caller]
fn assert_none(problems: &[String]) {
    assert!(
        problems.is_empty(),
        "{} problems:\n\n{}\n",
        problems.len(),
        problems.join("\n\n")
    );
}

#[test]
fn every_file_of_the_core_is_read_and_every_import_is_resolved() {
    assert_none(&rules::unread(&core()));
}

#[test]
fn every_file_of_the_addon_is_read_and_every_import_is_resolved() {
    assert_none(&rules::unread(&addon()));
}

#[test]
fn no_floor_of_the_core_imports_a_floor_above() {
    assert_none(&rules::floors(&core(), FLOORS, CONTENTS));
}

#[test]
fn no_files_of_the_core_import_each_other_in_a_circle() {
    assert_none(&rules::circles(&core()));
}

#[test]
fn no_files_of_the_addon_import_each_other_in_a_circle() {
    assert_none(&rules::circles(&addon()));
}

#[test]
fn a_parent_module_lists_its_children_or_defines_things() {
    assert_none(&rules::parents(&core()));
}

#[test]
fn deciding_touches_nothing_outside_the_process() {
    assert_none(&rules::outside(&core(), DECIDING, OUTSIDE, OUTSIDE_METHODS));
}
