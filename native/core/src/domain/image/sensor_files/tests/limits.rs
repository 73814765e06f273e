//! The bounds of a search.

use std::io::Read;

use super::{Layer, MEDIA_TYPE, gzip, read, within};
use crate::domain::falcon::options::FALCON_ENTRYPOINT;
use crate::domain::image::descriptor::Descriptor;
use crate::domain::image::sensor_files::answer::{Obstacle, SensorFiles};
use crate::domain::image::sensor_files::budget::Budget;
use crate::domain::image::sensor_files::search::Search;
use crate::domain::reference::digest::Digest;

/// Reads two layers; the sensor's is the lower one.
fn read_both(budget: Budget) -> Result<SensorFiles, Obstacle> {
    let mut search = within(budget);
    let app = Layer::new().file("app", &[0; 4096]).tar();
    let sensor = Layer::sensor().tar();
    read(&mut search, &gzip(&app), &app)?;
    read(&mut search, &gzip(&sensor), &sensor)?;
    Ok(search.end())
}

#[test]
fn a_limit_never_passes() {
    let app = Layer::new().file("app", &[0; 4096]).tar();
    let sensor = Layer::sensor().tar();
    let packed = (gzip(&app).len() + gzip(&sensor).len()) as u64;
    let unpacked = (app.len() + sensor.len()) as u64;
    let names = 2000;
    let enough = Budget {
        packed,
        unpacked,
        names,
    };
    assert!(matches!(read_both(enough), Ok(SensorFiles::Present(_))));
    let packed = read_both(Budget {
        packed: packed - 1,
        ..enough
    });
    let layer = Digest::of(&gzip(&sensor));
    assert_eq!(packed, Err(Obstacle::PackedLimit { layer }));
    let unpacked = read_both(Budget {
        unpacked: unpacked - 1,
        ..enough
    });
    assert_eq!(unpacked, Err(Obstacle::UnpackedLimit));
    let names = read_both(Budget {
        names: 500,
        ..enough
    });
    assert_eq!(names, Err(Obstacle::NamesLimit));
}

#[test]
fn a_limit_is_told_with_its_size() {
    let layer = Digest::of(b"layer");
    for (obstacle, size) in [
        (Obstacle::PackedLimit { layer }, "1 GiB"),
        (Obstacle::UnpackedLimit, "4 GiB"),
        (Obstacle::NamesLimit, "16 MiB"),
    ] {
        assert!(obstacle.to_string().contains(size), "{obstacle}");
    }
}

/// Reads a layer and counts the bytes of it that are left.
fn left(mut search: Search, packed: &[u8], tar: &[u8]) -> (Obstacle, usize) {
    let mut rest = packed;
    let obstacle = search
        .read(rest.by_ref(), &Digest::of(packed), Digest::of(tar).as_str())
        .expect_err("it cannot be read");
    (obstacle, rest.len())
}

#[test]
fn a_small_layer_that_unpacks_to_much_is_not_unpacked() {
    let zeros = vec![0; 4 << 20];
    let bomb = Layer::new().file("zeros", &zeros).tar();
    let budget = Budget {
        unpacked: 1 << 20,
        ..Budget::default()
    };
    let packed = gzip(&gzip(&bomb));
    assert!(packed.len() < 8192);
    let (obstacle, _) = left(within(budget), &gzip(&bomb), &bomb);
    assert_eq!(obstacle, Obstacle::UnpackedLimit);
}

#[test]
fn an_unreadable_layer_is_taken_to_its_end_since_its_sender_judges_it_there() {
    let tar = Layer::new().file("app", &vec![1; 1 << 20]).tar();
    let mut scratched = tar.clone();
    scratched[3] ^= 1;
    let (obstacle, rest) = left(Search::new(FALCON_ENTRYPOINT), &scratched, &tar);
    assert!(matches!(obstacle, Obstacle::Unreadable(_)), "{obstacle}");
    assert_eq!(rest, 0);
}

#[test]
fn names_and_headers_cannot_take_all_memory() {
    let deep = format!("{}x", "a/".repeat(600));
    let long = "a".repeat(5000);
    let huge = "a".repeat(2 << 20);
    for (path, reason) in [
        (&deep, "more than 512 folders"),
        (&long, "more than 4096 bytes"),
        (&huge, "more than 1 MiB"),
    ] {
        let mut layer = Layer::new();
        let mut header = tar::Header::new_gnu();
        header.set_size(1);
        layer
            .0
            .append_data(&mut header, path, &b"x"[..])
            .expect("a layer");
        let tar = layer.tar();
        let why = read(&mut Search::new(FALCON_ENTRYPOINT), &tar, &tar);
        let why = why.expect_err(reason).to_string();
        assert!(why.contains(reason), "{why}");
    }
}

#[test]
fn links_that_grow_the_depth_of_a_path_end() {
    let folders = "a/".repeat(45);
    let layer = (0..30).fold(Layer::new(), |layer, number| {
        let next = number + 1;
        layer.link(&format!("l{number}"), &format!("l{next}/{folders}"))
    });
    let tar = layer.file("l0/x", b"x").tar();
    let why = read(&mut Search::new(FALCON_ENTRYPOINT), &tar, &tar);
    let why = why.expect_err("it is too deep").to_string();
    assert!(why.contains("more than 512 folders"), "{why}");
}

#[test]
fn layers_that_cannot_be_read_cost_nothing() {
    let mut search = Search::new(FALCON_ENTRYPOINT);
    for (media_type, reason) in [
        (
            "application/vnd.oci.image.layer.v1.tar+gzip+encrypted",
            "of the type",
        ),
        ("application/vnd.in-toto+json", "of the type"),
        ("application/octet-stream", "of the type"),
        (
            "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
            "outside of the registry",
        ),
        (
            "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd",
            "outside of the registry",
        ),
    ] {
        let why = search.admit(&Descriptor::of(media_type, b"layer"));
        let why = why.expect_err(media_type).to_string();
        assert!(why.contains(reason), "{why}");
    }
    assert_eq!(search.admit(&Descriptor::of(MEDIA_TYPE, b"layer")), Ok(()));
    let relative = Search::new("falcon-entrypoint").admit(&Descriptor::of(MEDIA_TYPE, b""));
    assert!(matches!(relative, Err(Obstacle::NotAbsolute(_))));
}
