//! Links, as the merged layers show them.

use super::{Layer, PROGRAM, absence, found, is_present};
use crate::domain::falcon::options::FALCON_ENTRYPOINT;

/// The sensor with another link in the place of `bin`.
fn with_bin(target: &str) -> Layer {
    Layer::new()
        .link("opt/CrowdStrike/rootfs/bin", target)
        .file(PROGRAM, b"program")
}

#[test]
fn a_folder_can_be_a_link() {
    for target in [
        "usr/bin",
        "./usr//bin",
        "../rootfs/usr/bin",
        "/opt/CrowdStrike/rootfs/usr/bin",
        "/../opt/CrowdStrike/rootfs/usr/bin/",
        "../../../../../opt/CrowdStrike/rootfs/usr/bin",
    ] {
        is_present(vec![with_bin(target)]);
    }
    // The link may come after the file.
    is_present(vec![
        Layer::new()
            .file(PROGRAM, b"program")
            .link("opt/CrowdStrike/rootfs/bin", "usr/bin"),
    ]);
}

#[test]
fn a_link_and_its_target_can_be_in_different_layers() {
    let link = || Layer::new().link("opt/CrowdStrike/rootfs/bin", "usr/bin");
    let file = || Layer::new().file(PROGRAM, b"program");
    is_present(vec![link(), file()]);
    is_present(vec![file(), link()]);
    let folder = Layer::new().file("opt/.keep", b"");
    is_present(vec![folder, link(), file()]);
}

#[test]
fn without_links_the_file_is_at_the_path_itself() {
    let layer = Layer::new().file(&FALCON_ENTRYPOINT[1..], b"program");
    assert_eq!(found(vec![layer]), Some((FALCON_ENTRYPOINT.to_owned(), 7)));
}

#[test]
fn the_file_itself_can_be_a_link() {
    let layer = |target| {
        Layer::new()
            .link(&FALCON_ENTRYPOINT[1..], target)
            .file(PROGRAM, b"program")
    };
    is_present(vec![layer("../usr/bin/falcon-entrypoint")]);
    is_present(vec![layer(
        "/opt/CrowdStrike/rootfs/usr/bin/falcon-entrypoint",
    )]);
    for (target, reason) in [
        ("../usr/bin", "is a folder"),
        ("../usr/bin/", "is a folder"),
        ("../usr/bin/falcon-entrypoint/", "a file and not a folder"),
        ("../usr/bin/falcon-entrypoint/..", "a file and not a folder"),
        ("../usr/bin/missing", "none of the layers"),
        ("/", "is a folder"),
        ("/opt/..", "is a folder"),
    ] {
        let why = absence(vec![layer(target)]);
        assert!(why.contains(reason), "{target}: {why}");
    }
}

#[test]
fn links_in_a_circle_are_a_finding() {
    let itself = with_bin("bin");
    let each_other = Layer::new()
        .link("opt/CrowdStrike/rootfs/bin", "sbin")
        .link("opt/CrowdStrike/rootfs/sbin", "bin");
    let growing = with_bin("bin/bin");
    for layer in [itself, each_other, growing] {
        let why = absence(vec![layer]);
        assert!(why.contains("in a circle"), "{why}");
    }
}

#[test]
fn a_hard_link_is_the_file_that_it_names() {
    let program = "opt/CrowdStrike/rootfs/usr/libexec/fe";
    let linked = |target: &str| {
        Layer::new()
            .link("opt/CrowdStrike/rootfs/bin", "usr/bin")
            .link("opt/CrowdStrike/rootfs/lib", "usr/libexec")
            .file(program, b"program")
            .hard_link(PROGRAM, target)
    };
    is_present(vec![linked(program)]);
    is_present(vec![linked("./opt/CrowdStrike/rootfs/usr/libexec/fe")]);
    is_present(vec![linked("/opt/CrowdStrike/rootfs/lib/fe")]);
    // It stays when a higher layer removes the other name.
    let removal = Layer::new().file("opt/CrowdStrike/rootfs/usr/libexec/.wh.fe", b"");
    is_present(vec![removal, linked(program)]);
    for nothing in ["opt/nothing", "opt", "/"] {
        let why = absence(vec![linked(nothing)]);
        assert!(why.contains("a hard link to nothing"), "{why}");
    }
    // A hard link to a link is a link.
    let link = Layer::new()
        .link("opt/CrowdStrike/rootfs/b", "usr/bin")
        .hard_link("opt/CrowdStrike/rootfs/bin", "opt/CrowdStrike/rootfs/b")
        .file(PROGRAM, b"program");
    is_present(vec![link]);
}

#[test]
fn engines_unpack_through_the_links_of_the_same_layer() {
    let layer = Layer::new()
        .link("opt/CrowdStrike/rootfs/bin", "usr/bin")
        .file(&FALCON_ENTRYPOINT[1..], b"program");
    is_present(vec![layer]);
    // A link of a layer below is hidden by the folder that is made for the file.
    let above = Layer::new().file("opt/CrowdStrike/rootfs/bin/other", b"x");
    let why = absence(vec![above, Layer::sensor()]);
    assert!(why.contains("hides"), "{why}");
}
