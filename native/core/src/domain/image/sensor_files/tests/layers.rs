//! Layers above each other.

use super::{Layer, PROGRAM, absence, is_present, search};
use crate::domain::falcon::options::FALCON_ENTRYPOINT;
use crate::domain::image::sensor_files::answer::SensorFiles;
use crate::domain::image::sensor_files::search::Search;
use crate::domain::reference::digest::Digest;
use tar::EntryType;

/// More entries of a layer.
type Change = fn(Layer) -> Layer;

/// A layer with files of an app.
fn app() -> Layer {
    Layer::new()
        .folder("app/")
        .file("app/server", b"x")
        .link("app/bin", "/opt/CrowdStrike/rootfs/bin")
}

#[test]
fn the_sensor_s_layer_on_top_is_the_only_one_that_is_read() {
    let (answer, read) = search(vec![Layer::sensor(), app()]);
    assert!(matches!(answer, SensorFiles::Present(_)), "{answer:?}");
    assert_eq!(read, 1);
}

#[test]
fn a_layer_below_others_is_found() {
    let neighbour = Layer::new()
        .folder("opt/")
        .file("opt/tool", b"x")
        .file("opt/.wh.other", b"")
        .file("opt/CrowdStrike/rootfs/usr/bin/.wh.falconctl", b"")
        .folder("opt/CrowdStrike/rootfs/usr/bin/");
    is_present(vec![app(), neighbour, Layer::sensor(), app()]);
}

#[test]
fn marks_alone_are_not_a_sensor() {
    let why = absence(vec![app(), app()]);
    assert!(why.contains("none of the layers"), "{why}");
    assert_eq!(search(vec![]).0, search(vec![Layer::new()]).0);
}

#[test]
fn what_a_higher_layer_removes_is_missing() {
    let removals: [Change; 9] = [
        |l| l.file("opt/CrowdStrike/rootfs/usr/bin/.wh.falcon-entrypoint", b""),
        |l| l.file("opt/CrowdStrike/rootfs/usr/.wh.bin", b""),
        |l| l.file("opt/CrowdStrike/rootfs/.wh.bin", b""),
        |l| l.file("./opt/.wh.CrowdStrike", b""),
        |l| l.file(".wh.opt", b""),
        |l| l.file("opt/CrowdStrike/rootfs/usr/bin/.wh..wh..opq", b""),
        |l| l.file("opt/.wh..wh..opq", b""),
        |l| l.file(".wh..wh..opq", b""),
        // The folder is there again, with something else in it.
        |l| {
            l.file("opt/.wh.CrowdStrike", b"")
                .file("opt/CrowdStrike/rootfs/bin/other", b"x")
        },
    ];
    for (number, remove) in removals.into_iter().enumerate() {
        let why = absence(vec![app(), remove(Layer::new()), Layer::sensor()]);
        assert!(why.contains("removes"), "{number}: {why}");
    }
}

#[test]
fn what_a_higher_layer_replaces_is_missing() {
    let replacements: [(&str, Change); 8] = [
        ("is an empty file", |l| l.file(PROGRAM, b"")),
        ("is a folder", |l| l.folder(PROGRAM)),
        ("is a device", |l| {
            l.entry(EntryType::Char, PROGRAM, "", b"")
        }),
        ("is a pipe", |l| l.entry(EntryType::Fifo, PROGRAM, "", b"")),
        ("none of the layers", |l| l.link(PROGRAM, "nothing")),
        ("a file and not a folder", |l| {
            l.file("opt/CrowdStrike", b"x")
        }),
        ("none of the layers", |l| l.link("opt/CrowdStrike", "/srv")),
        ("is an empty file", |l| {
            l.file("opt/CrowdStrike/rootfs/usr/bin/a", b"")
                .hard_link(PROGRAM, "opt/CrowdStrike/rootfs/usr/bin/a")
        }),
    ];
    for (reason, replace) in replacements {
        let why = absence(vec![replace(Layer::new()), Layer::sensor()]);
        assert!(why.contains(reason), "{reason}: {why}");
    }
}

#[test]
fn a_folder_hides_the_file_or_link_of_a_lower_layer_and_all_below_it() {
    let folder = Layer::new().file("opt/CrowdStrike/rootfs/other", b"x");
    let file = Layer::new().file("opt/CrowdStrike", b"x");
    let why = absence(vec![folder, file, Layer::sensor()]);
    assert!(why.contains("removes"), "{why}");
}

#[test]
fn a_sensor_that_is_put_in_again_is_found() {
    let removal = || Layer::new().file("opt/.wh.CrowdStrike", b"");
    is_present(vec![app(), Layer::sensor(), removal(), Layer::sensor()]);
    // In one layer, a whiteout holds for the layers below.
    let anew = Layer::new()
        .file("opt/.wh.CrowdStrike", b"")
        .link("opt/CrowdStrike/rootfs/bin", "usr/bin")
        .file(PROGRAM, b"program");
    is_present(vec![anew, Layer::sensor()]);
    let opaque = Layer::sensor().file("opt/CrowdStrike/.wh..wh..opq", b"");
    is_present(vec![opaque, removal()]);
}

#[test]
fn a_whiteout_behind_its_file_counts_since_engines_differ() {
    let layer = Layer::sensor().file("opt/CrowdStrike/rootfs/usr/bin/.wh.falcon-entrypoint", b"");
    assert!(absence(vec![layer]).contains("removes"));
}

#[test]
fn the_last_entry_of_a_path_counts() {
    let emptied = Layer::sensor().file(PROGRAM, b"");
    assert!(absence(vec![emptied]).contains("an empty file"));
    let filled = Layer::new()
        .file("opt/CrowdStrike/rootfs/bin", b"x")
        .file(PROGRAM, b"")
        .link("opt/CrowdStrike/rootfs/bin", "usr/bin")
        .file(PROGRAM, b"program");
    is_present(vec![filled]);
    let replaced = Layer::sensor()
        .link("opt/CrowdStrike", "elsewhere")
        .folder("opt/CrowdStrike/");
    assert!(absence(vec![replaced]).contains("none of the layers"));
}

#[test]
fn files_of_old_engines_do_not_count() {
    let old = Layer::new()
        .folder(".wh..wh.plnk/")
        .file(".wh..wh.plnk/1.2", b"x")
        .file(".wh..wh.aufs", b"");
    is_present(vec![old, Layer::sensor()]);
}

#[test]
fn an_added_layer_has_the_files_of_the_sensor_alone() {
    let search = |layer: Layer| {
        let tar = layer.tar();
        let mut search = Search::of_added(FALCON_ENTRYPOINT);
        let digest = Digest::of(&tar);
        search
            .read(&tar[..], &digest, digest.as_str())
            .expect("a layer");
        search.answer()
    };
    let found = search(Layer::sensor());
    assert!(matches!(found, Some(SensorFiles::Present(_))), "{found:?}");
    for (path, layer) in [
        ("/app/server", Layer::sensor().file("app/server", b"x")),
        (
            "/etc/.wh.passwd",
            Layer::sensor().file("etc/.wh.passwd", b""),
        ),
        (
            "/opt/.wh..wh..opq",
            Layer::sensor().file("opt/.wh..wh..opq", b""),
        ),
        (
            "/opt/CrowdStrike-else",
            Layer::sensor().file("opt/CrowdStrike-else", b"x"),
        ),
        ("/opt", Layer::new().file("opt", b"x")),
    ] {
        let Some(SensorFiles::Missing(why)) = search(layer) else {
            panic!("{path} was accepted")
        };
        assert!(why.to_string().contains(path), "{path}: {why}");
    }
}
