mod fuzz;
mod secrets;

use serde_json::{Value, json};

use super::{Entry, EntryBlobs, Graft};
use crate::domain::assembly::change::Change;
use crate::domain::assembly::packed_layer::PackedLayer;
use crate::domain::falcon::options::{FALCON_ENTRYPOINT, FalconOptions};
use crate::domain::graft::cached::CachedGraft;
use crate::domain::graft::entry_fault::{EntryFault, NotKept};
use crate::domain::graft::question::Question;
use crate::domain::image::manifest::{OCI_INDEX, RawManifest};
use crate::domain::image::registry_image::RegistryImage;
use crate::domain::reference::digest::Digest;
use crate::test_support::config::{CUSTOMER, falcon_options};

fn options() -> FalconOptions {
    FalconOptions {
        container_name: Some("web".to_owned()),
        ..falcon_options()
    }
}

fn source() -> RegistryImage {
    let manifest = json!({"schemaVersion": 2, "config": {}, "layers": [{}]});
    let config = json!({
        "Entrypoint": ["/entry.sh"], "Env": ["PATH=/bin"],
        "Labels": {"commit": "0a1b2c3d", "team": "web", "stage": "x", "user": "root"},
    });
    let mut image = RegistryImage::of(&["sha256:a"], &config);
    image.manifest.bytes = manifest.to_string().into_bytes();
    image
}

fn question() -> Question {
    Question::new(&source().config, &Digest::of(b"sensor"), &options())
}

/// falconutil's documented change, and one more variable and label.
fn change(more: &str) -> Change {
    let mut labels = serde_json::Map::new();
    labels.insert("added".to_owned(), json!("a label"));
    Change {
        entrypoint: vec![FALCON_ENTRYPOINT.to_owned(), "/entry.sh".to_owned()],
        variables: vec![
            format!("FALCONCTL_OPTS=--cid={CUSTOMER} --provisioning-token=A1B2C3D4"),
            "CS_CONTAINER=web".to_owned(),
            "CS_CLOUD_SERVICE=ECS_FARGATE".to_owned(),
            "__CS_FALCON_SENSOR_ROOT=/opt/CrowdStrike/rootfs".to_owned(),
            format!("MORE={more}"),
        ],
        labels,
    }
}

fn layer() -> PackedLayer {
    PackedLayer {
        diff_id: Digest::of(b"unpacked"),
        digest: Digest::of(b"packed"),
        size: 6,
    }
}

fn entry_of(change: &Change) -> Result<Entry, NotKept> {
    let source = source();
    let graft = Graft {
        source: source.runtime_config(),
        options: &options(),
        change,
        layer: &layer(),
        names: &["falcon-patch.invalid".to_owned(), "0123456789ab".to_owned()],
    };
    Entry::of(&question(), &graft)
}

fn entry() -> Entry {
    entry_of(&change("more")).expect("an entry")
}

/// Reads a document under a manifest that fits it.
fn read(document: &[u8]) -> Result<Entry, EntryFault> {
    let blobs = EntryBlobs {
        document: super::Descriptor::of(super::ENTRY_TYPE, document),
        ..EntryBlobs::read(&entry().manifest()).expect("a manifest")
    };
    let blobs = EntryBlobs::read(&blobs.manifest())?;
    Entry::read(&blobs, document, &question())
}

/// The document after a change of its text, which must have an effect.
fn altered(from: &str, to: &str) -> Vec<u8> {
    let text = String::from_utf8(entry().document()).expect("a text");
    assert!(text.contains(from), "{from}: {text}");
    text.replacen(from, to, 1).into_bytes()
}

#[test]
fn the_same_graft_is_the_same_bytes_without_a_secret() {
    let text = String::from_utf8(entry().document()).expect("a text");
    insta::assert_snapshot!(text, @r#"{"schema":1,"question":"{\"config\":{\"Entrypoint\":[\"/entry.sh\"],\"Env\":[\"PATH=/bin\"]},\"options\":{\"cloudService\":\"ECS_FARGATE\",\"containerName\":\"web\",\"digest\":\"sha256:be1005e9543fea61912fe6dcd9c9c809940bab612ab34ef5d40d1e17be481d1e\",\"platform\":\"linux/arm64\"},\"packing\":1,\"platform\":{\"architecture\":\"arm64\",\"os\":\"linux\"},\"schema\":1,\"sensor\":\"sha256:ca73f61034afc26d96c85c0d2285e1f08b283b891426cef8c05eda5bf3e12ddf\"}","change":{"entrypoint":[["/opt/CrowdStrike/rootfs/bin/falcon-entrypoint"]],"variables":[["FALCONCTL_OPTS=--cid=",0," ",1],["CS_CONTAINER=web"],["CS_CLOUD_SERVICE=ECS_FARGATE"],["__CS_FALCON_SENSOR_ROOT=/opt/CrowdStrike/rootfs"],["MORE=more"]],"labels":[{"name":["added"],"value":["a label"]}]},"layer":{"digest":"sha256:88cb8a087b6e8cebfc9ae5602f5a2159a6bcf923e7f2c56809bcda6cad1727a7","diffId":"sha256:83055ac700349169ca7c30f7e3a30edd88a3c031d4c1f975a23f7b9129f1dda8","size":6}}"#);
    let manifest = String::from_utf8(entry().manifest().bytes).expect("a text");
    insta::assert_snapshot!(manifest, @r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","artifactType":"application/vnd.falcon-arm64-patch.graft.v1+json","config":{"mediaType":"application/vnd.falcon-arm64-patch.graft.v1+json","digest":"sha256:cac3d4f2daff6425d7efc88f60705c01fab0f9e7f66de721acb77fd56c25c8f7","size":936},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"sha256:88cb8a087b6e8cebfc9ae5602f5a2159a6bcf923e7f2c56809bcda6cad1727a7","size":6}]}"#);
    for secret in [CUSTOMER, &CUSTOMER[..32], "A1B2C3D4"] {
        assert!(!text.contains(secret) && !manifest.contains(secret));
    }
}

#[test]
fn an_entry_makes_the_image_that_the_graft_made() {
    let read = read(&entry().document()).expect("an entry");
    assert_eq!(read, entry());
    let (source, options) = (source(), options());
    let cached = CachedGraft::of(&source, &read, &options).expect("a proven image");
    let wanted =
        crate::domain::assembly::assembled::Assembled::of(&source, &change("more"), &layer());
    assert_eq!(cached.assembled, wanted.expect("an image"));
    assert_eq!(
        cached.additions,
        ["the variable `MORE`", "the label `added`"]
    );
}

#[test]
fn each_source_keeps_its_own_labels() {
    let mut source = source();
    source.config["config"]["Labels"] = json!({"commit": "ffff"});
    let cached = CachedGraft::of(&source, &entry(), &options()).expect("a proven image");
    let labels = &cached.assembled.config["config"]["Labels"];
    assert_eq!(labels, &json!({"commit": "ffff", "added": "a label"}));
    source.config["config"]["Labels"] = json!({"added": "the source's own"});
    let refused = CachedGraft::of(&source, &entry(), &options());
    assert!(
        matches!(refused, Err(EntryFault::Unproven(_))),
        "{refused:?}"
    );
}

#[test]
fn a_document_in_any_other_form_is_refused() {
    let whole = entry().document();
    let half = &whole[..whole.len() / 2];
    assert!(matches!(read(half), Err(EntryFault::Incomplete(_))));
    assert!(matches!(read(b""), Err(EntryFault::Incomplete(_))));
    let schema = altered(r#""schema":1"#, r#""schema":2"#);
    assert_eq!(read(&schema), Err(EntryFault::Schema(2)));
    let newer = br#"{"schema":7,"something":"else"}"#;
    assert_eq!(read(newer), Err(EntryFault::Schema(7)));
    for form in [
        altered(r#""schema":1"#, r#""schema":1,"schema":1"#),
        altered(r#""schema":1"#, r#" "schema":1"#),
        altered(r#""labels":["#, r#""more":1,"labels":["#),
        altered(r#""question":"#, r#""question":"","question":"#),
        altered(r#""labels":[{"#, r#""labels":[{"name":["a"],"#),
        altered(r#""entrypoint":["#, r#""entrypoint":[null,"#),
        [&whole[..], b" "].concat(),
    ] {
        let refused = read(&form);
        let is_refused = matches!(
            refused,
            Err(EntryFault::Form(_) | EntryFault::Incomplete(_))
        );
        assert!(is_refused, "{refused:?}");
    }
}

#[test]
fn an_answer_to_another_question_is_refused_whatever_its_tag() {
    let other = Question::new(&source().config, &Digest::of(b"older sensor"), &options());
    let blobs = EntryBlobs::read(&entry().manifest()).expect("a manifest");
    let refused = Entry::read(&blobs, &entry().document(), &other);
    assert_eq!(refused, Err(EntryFault::OtherQuestion));
    let foreign = altered("PATH=/bin", "PATH=/sbin");
    assert_eq!(read(&foreign), Err(EntryFault::OtherQuestion));
}

#[test]
fn a_layer_that_the_manifest_does_not_have_is_refused() {
    for (from, to) in [
        (r#""size":6}"#, r#""size":7}"#),
        (
            Digest::of(b"packed").as_str(),
            Digest::of(b"other").as_str(),
        ),
    ] {
        let refused = read(&altered(from, to));
        assert!(matches!(refused, Err(EntryFault::Layer(_))), "{refused:?}");
    }
}

#[test]
fn a_poisoned_change_does_not_pass_the_proof() {
    for (from, to) in [
        (FALCON_ENTRYPOINT, "/opt/CrowdStrike/rootfs/bin/other"),
        ("CS_CONTAINER=web", "CS_CONTAINER=other"),
        ("/opt/CrowdStrike/rootfs\"]", "/tmp/rootfs\"]"),
        ("\"MORE=more\"", "\"PATH=/tmp\""),
        (
            r#"["FALCONCTL_OPTS=--cid=",0," ",1]"#,
            r#"["FALCONCTL_OPTS=--cid=",0]"#,
        ),
    ] {
        let read = read(&altered(from, to)).expect("an entry");
        let refused = CachedGraft::of(&source(), &read, &options());
        assert!(
            matches!(refused, Err(EntryFault::Unproven(_))),
            "{to}: {refused:?}"
        );
    }
}

#[test]
fn a_manifest_in_any_other_form_is_refused() {
    let manifest = entry().manifest();
    let text = String::from_utf8(manifest.bytes.clone()).expect("a text");
    let with = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}: {text}");
        RawManifest {
            bytes: text.replacen(from, to, 1).into_bytes(),
            ..manifest.clone()
        }
    };
    for other in [
        RawManifest {
            media_type: OCI_INDEX.to_owned(),
            ..manifest.clone()
        },
        with("falcon-arm64-patch.graft", "other.graft"),
        with(r#""layers":["#, r#""annotations":{},"layers":["#),
        with(
            r#""schemaVersion":2"#,
            r#""schemaVersion":2,"schemaVersion":2"#,
        ),
        with("tar+gzip", "tar+zstd"),
        with(r#""size":6}]"#, r#""size":6},{}]"#),
        with("sha256:", "sha512:"),
        with("{", " {"),
    ] {
        let refused = EntryBlobs::read(&other);
        let is_refused = matches!(refused, Err(EntryFault::Foreign(_) | EntryFault::Form(_)));
        assert!(is_refused, "{refused:?}");
    }
}

#[test]
fn blobs_over_their_limits_are_refused_before_they_are_read() {
    let good = EntryBlobs::read(&entry().manifest()).expect("a manifest");
    let mut large_document = good.clone();
    large_document.document.size = 1024 * 1024 + 1;
    let mut large_layer = good.clone();
    large_layer.layer.size = 1024 * 1024 * 1024 + 1;
    for (large, part) in [
        (large_document, "its document has"),
        (large_layer, "its layer has"),
    ] {
        let refused = EntryBlobs::read(&large.manifest());
        let why = refused.expect_err("a refusal").to_string();
        assert!(why.contains(part), "{why}");
    }
    let mut largest = good;
    largest.document.size = 1024 * 1024;
    largest.layer.size = 1024 * 1024 * 1024;
    assert_eq!(EntryBlobs::read(&largest.manifest()), Ok(largest));
}

#[test]
fn an_answer_that_depends_on_more_than_the_question_is_not_kept() {
    let label = |name: &str| Err(NotKept::Label(name.to_owned()));
    for (more, expected) in [
        ("built from 0a1b2c3d", label("commit")),
        ("commit", label("commit")),
        ("x", label("stage")),
        ("web", Ok(())),
        ("from falcon-patch.invalid/a:stub", Err(NotKept::Name)),
        ("run 0123456789ab", Err(NotKept::Name)),
        ("text", Ok(())),
        (FALCON_ENTRYPOINT, Ok(())),
    ] {
        let seen = entry_of(&change(more)).map(|_| ());
        assert_eq!(seen, expected, "{more}");
    }
    let mut other = change("more");
    other.entrypoint = vec![FALCON_ENTRYPOINT.to_owned()];
    assert!(matches!(entry_of(&other), Err(NotKept::Form(_))));
    let mut number = change("more");
    number.labels.insert("n".to_owned(), Value::from(1));
    assert!(matches!(entry_of(&number), Err(NotKept::Form(_))));
}
