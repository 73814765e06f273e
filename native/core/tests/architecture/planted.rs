//! Proof that the rules find what they look for: small crates with one thing planted in each.

#[path = "planted/circles.rs"]
mod circles;
#[path = "planted/files.rs"]
mod files;
#[path = "planted/floors.rs"]
mod floors;

use std::path::PathBuf;

use crate::source_tree::SourceTree;

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

/// Asserts that there is one problem for each of the texts, and that it contains it.
#[track_caller]
fn assert_found(problems: &[String], expected: &[&str]) {
    let all = problems.join("\n\n");
    assert_eq!(problems.len(), expected.len(), "{all}");
    for text in expected {
        assert!(all.contains(text), "`{text}` is not in:\n{all}");
    }
}
