use proptest::{prop_assert, prop_assert_eq};

use super::manifest::{OCI_INDEX, OCI_MANIFEST, RawManifest, children, layers, media_type, parse};
use super::registry_image::{diff_ids, well_formed};
use super::sensor_files::search::Search;
use super::twin_keys::refuse_twin_keys;
use crate::domain::falcon::options::FALCON_ENTRYPOINT;
use crate::domain::reference::digest::Digest;
use crate::test_support::fuzz::{changed, changed_text, fuzz};

const MANIFEST: &str = r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945","size":2},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"sha256:4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945","size":10}]}"#;

const INDEX: &str = r#"{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945","size":2,"platform":{"os":"linux","architecture":"arm64","variant":"v8"}}]}"#;

const CONFIG: &str = r#"{"os":"linux","architecture":"arm64","config":{"Entrypoint":["/a"],"Env":["A=1"],"Labels":{"a":"b"}},"rootfs":{"type":"layers","diff_ids":["sha256:4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945"]},"history":[{"created_by":"x","empty_layer":true}]}"#;

#[test]
fn manifests_and_configurations_of_any_form_are_read_or_refused() {
    let samples = [MANIFEST, INDEX, CONFIG];
    let pieces = [
        "null",
        "[]",
        "{}",
        "-1",
        "1e400",
        "\"\"",
        ",",
        "\"digest\":",
        "\"Config\":",
        "\"size\":18446744073709551616",
        "\"mediaType\":\"application/vnd.docker.distribution.manifest.list.v2+json\"",
        "\"subject\":",
        "\\ud800",
        "[[[[",
    ];
    fuzz("manifests", &changed_text(&samples, &pieces), |text| {
        for kind in [OCI_MANIFEST, OCI_INDEX] {
            let raw = RawManifest {
                media_type: kind.to_owned(),
                bytes: text.clone().into_bytes(),
            };
            let _ = (parse(&raw), children(&raw), layers(&raw));
            let _ = media_type(Some(kind), &raw.bytes);
        }
        let _ = media_type(None, text.as_bytes());
        if refuse_twin_keys(text.as_bytes()).is_ok() {
            let value: serde_json::Value =
                serde_json::from_str(&text).expect("JSON, which was read");
            if let Ok(config) = well_formed(value) {
                let _ = diff_ids(&config);
            }
        }
        Ok(())
    });
}

/// An unpacked layer with the forms of entries that archives have.
fn layer() -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    let mut add = |kind, path: &str, link: &str, content: &[u8]| {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_size(content.len() as u64);
        header.set_mode(0o755);
        if link.is_empty() {
            archive
                .append_data(&mut header, path, content)
                .expect("an entry");
        } else {
            archive
                .append_link(&mut header, path, link)
                .expect("a link");
        }
    };
    let long = format!("opt/CrowdStrike/{}", "long/".repeat(40));
    add(tar::EntryType::Directory, "opt/CrowdStrike/", "", b"");
    add(
        tar::EntryType::Symlink,
        "opt/CrowdStrike/rootfs/bin",
        "usr/bin",
        b"",
    );
    add(
        tar::EntryType::Regular,
        &FALCON_ENTRYPOINT[1..],
        "",
        b"program",
    );
    add(tar::EntryType::Link, "opt/hard", "opt/CrowdStrike", b"");
    add(tar::EntryType::Regular, &long, "", b"");
    add(tar::EntryType::Regular, "opt/.wh.old", "", b"");
    archive.into_inner().expect("an archive")
}

#[test]
fn layers_of_any_content_are_searched_or_refused() {
    let good = layer();
    let zstd = [0x28, 0xb5, 0x2f, 0xfd, 0x04, 0x00, 0x01, 0x00, 0x00];
    let gzip = [0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xff];
    let samples: [&[u8]; 3] = [&good, &zstd, &gzip];
    let pieces: [&[u8]; 8] = [
        b"30 path=opt/CrowdStrike/evil\n",
        b"../",
        b"/",
        b"\0",
        b"ustar\0",
        b"L",
        b"777777777777",
        b".wh..wh..opq",
    ];
    fuzz("layers", &changed(&samples, &pieces), |bytes| {
        let digest = Digest::of(&bytes);
        for mut search in [
            Search::new(FALCON_ENTRYPOINT),
            Search::of_added(FALCON_ENTRYPOINT),
        ] {
            let read = search.read(bytes.as_slice(), &digest, digest.as_str());
            let _ = (read.is_err(), search.answer(), search.end());
        }
        // Content of another digest is never an answer.
        let mut search = Search::new(FALCON_ENTRYPOINT);
        let other = Digest::of(b"another");
        prop_assert!(
            search
                .read(bytes.as_slice(), &digest, other.as_str())
                .is_err()
        );
        prop_assert_eq!(search.answer().is_some(), false);
        Ok(())
    });
}
