use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;
use tar::{Builder, EntryType, Header};

use super::sensor_files;
use crate::domain::image::descriptor::Descriptor;
use crate::domain::image::registry_image::RegistryImage;
use crate::domain::image::sensor_files::answer::SensorFiles;
use crate::domain::reference::digest::Digest;
use crate::flow::facts::fact::Fact;
use crate::report::code::Code;
use crate::test_support::loopback_registry::{LoopbackRegistry, refused};
use crate::test_support::loopback_server::{Received, Reply};

const PROGRAM: &str = "/opt/bin/program";

/// A layer, as the registry has it and unpacked.
#[derive(Clone)]
struct Layer {
    packed: Vec<u8>,
    unpacked: Vec<u8>,
}

impl Layer {
    fn of(path: &str, content: &[u8]) -> Self {
        let mut builder = Builder::new(Vec::new());
        let mut header = Header::new_ustar();
        header.set_entry_type(EntryType::Regular);
        header.set_size(content.len() as u64);
        header.set_path(path).expect("it is short");
        header.set_cksum();
        builder.append(&header, content).expect("a layer");
        let unpacked = builder.into_inner().expect("a layer");
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(&unpacked).expect("in memory");
        let packed = gzip.finish().expect("in memory");
        Self { packed, unpacked }
    }

    fn digest(&self) -> Digest {
        Digest::of(&self.packed)
    }
}

/// An image of layers, the lowest first.
fn image(layers: &[Layer]) -> RegistryImage {
    let diff_ids = layers
        .iter()
        .map(|layer| Digest::of(&layer.unpacked).to_string());
    let diff_ids: Vec<String> = diff_ids.collect();
    let diff_ids: Vec<&str> = diff_ids.iter().map(String::as_str).collect();
    let mut image = RegistryImage::of(&diff_ids, &json!({}));
    for (descriptor, layer) in std::iter::zip(&mut image.layers, layers) {
        *descriptor = Descriptor::of(&descriptor.media_type, &layer.packed);
    }
    image
}

fn app() -> Layer {
    // It does not compress, so that it takes more than one piece.
    let mut state = 1_u32;
    let bytes = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    });
    Layer::of("app/server", &bytes.take(3_000_000).collect::<Vec<u8>>())
}

fn sensor() -> Layer {
    Layer::of(&PROGRAM[1..], b"program")
}

/// Searches an image in a registry that has its layers, except for the answers of `other`.
async fn search_with(
    layers: &[Layer],
    below: usize,
    other: impl Fn(&Received) -> Option<Reply> + Send + Sync + 'static,
) -> Fact<SensorFiles> {
    let held = layers.to_vec();
    let registry = LoopbackRegistry::start(move |received| {
        let is_asked = |layer: &&Layer| received.line.ends_with(layer.digest().as_str());
        let layer = held.iter().find(is_asked);
        let reply = layer.map(|layer| Reply::new(200, &[], &layer.packed));
        other(received).or(reply).unwrap_or_else(|| refused(404))
    })
    .await;
    let image = image(layers);
    sensor_files(
        &registry.client,
        &registry.repository,
        &image,
        PROGRAM,
        below,
    )
    .await
}

async fn search(layers: &[Layer], below: usize) -> SensorFiles {
    let answer = search_with(layers, below, |_| None).await;
    answer.expect("the registry has the layers")
}

#[track_caller]
fn assert_found(answer: &SensorFiles, layer: &Layer) {
    match answer {
        SensorFiles::Present(found) => assert_eq!(found.layer, layer.digest()),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn layers_are_read_from_the_top_until_the_answer_is_certain() {
    assert_found(&search(&[app(), sensor(), app()], 0).await, &sensor());
    // A layer below need not even be there.
    let (lower, sensor) = (app(), sensor());
    let missing = lower.digest();
    let without = move |received: &Received| {
        let is_missing = received.line.ends_with(missing.as_str());
        is_missing.then(|| refused(500))
    };
    let answer = search_with(&[lower, sensor.clone()], 0, without).await;
    assert_found(&answer.expect("an answer"), &sensor);
}

#[tokio::test]
async fn layers_of_the_source_do_not_count() {
    let layers = [sensor(), app()];
    assert_found(&search(&layers, 0).await, &sensor());
    for below in [1, 2, 3] {
        let answer = search(&layers, below).await;
        assert!(matches!(answer, SensorFiles::Missing(_)), "{answer:?}");
    }
}

#[tokio::test]
async fn a_layer_counts_only_as_what_its_digests_name() {
    let mut other = sensor().packed;
    other[20] ^= 1;
    let answer = search_with(&[sensor()], 0, move |_| Some(Reply::new(200, &[], &other))).await;
    assert_eq!(
        answer.map_err(|problem| problem.code),
        Err(Code::RegistryAnswerInvalid)
    );
    // Its bytes are those of the manifest, and not those of the configuration.
    let mixed = Layer {
        unpacked: app().unpacked,
        ..sensor()
    };
    let answer = search(&[mixed], 0).await;
    assert!(matches!(answer, SensorFiles::Unknown(_)), "{answer:?}");
}

#[tokio::test]
async fn a_registry_s_trouble_is_not_an_answer() {
    for (status, code) in [
        (403, Code::RegistryDenied),
        (404, Code::RegistryImageNotFound),
        (500, Code::RegistryRequestFailed),
    ] {
        let answer = search_with(&[sensor()], 0, move |_| Some(refused(status))).await;
        assert_eq!(
            answer.map_err(|problem| problem.code),
            Err(code),
            "{status}"
        );
    }
    let broken = |_: &Received| Some(Reply::claiming(3_000_000, 200, &[], [0x1f, 0x8b]));
    let broken = search_with(&[app()], 0, broken).await;
    assert_eq!(
        broken.map_err(|problem| problem.code),
        Err(Code::RegistryNotReachable)
    );
    let silent = search_with(&[app()], 0, |_| Some(Reply::none())).await;
    assert_eq!(
        silent.map_err(|problem| problem.code),
        Err(Code::RegistryNotReachable)
    );
}

#[tokio::test]
async fn what_cannot_be_searched_is_not_read() {
    let mut foreign = image(&[sensor()]);
    let media_type = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";
    foreign.layers[0].media_type = media_type.to_owned();
    let mut huge = image(&[sensor()]);
    huge.layers[0].size = 2 << 30;
    let mut uneven = image(&[sensor()]);
    uneven.layers.pop();
    for image in [foreign, huge, uneven] {
        let registry = LoopbackRegistry::start(|_| refused(500)).await;
        let answer = sensor_files(&registry.client, &registry.repository, &image, PROGRAM, 0).await;
        assert!(matches!(answer, Ok(SensorFiles::Unknown(_))), "{answer:?}");
    }
}
