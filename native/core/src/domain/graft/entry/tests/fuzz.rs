use proptest::{prop_assert, prop_assert_eq};

use super::*;
use crate::test_support::fuzz::{changed_text, fuzz};

const PIECES: [&str; 18] = [
    "null",
    "[]",
    "{}",
    ",",
    "0",
    "99",
    "-1",
    "1.0",
    "\"\"",
    "[\"a\",0]",
    "\"LD_PRELOAD=/x\"",
    "\"schema\":2,",
    "\"size\":18446744073709551615,",
    "\"labels\":[],",
    "\"team\"",
    "\\u0000",
    "\u{202e}",
    " ",
];

#[test]
fn a_document_of_any_form_is_refused_or_the_one_form_of_its_entry() {
    let document = String::from_utf8(entry().document()).expect("a text");
    fuzz(
        "entries",
        &changed_text(&[&document], &PIECES),
        |text| match read(text.as_bytes()) {
            Ok(entry) => {
                prop_assert_eq!(entry.document(), text.as_bytes());
                let question = question();
                prop_assert_eq!(&entry.document.question, question.as_str());
                // What proves is what falconutil documents: the sensor's entrypoint before the source's.
                if let Ok(cached) = CachedGraft::of(&source(), &entry, &options()) {
                    let wanted = json!([FALCON_ENTRYPOINT, "/entry.sh"]);
                    prop_assert_eq!(&cached.assembled.config["config"]["Entrypoint"], &wanted);
                }
                Ok(())
            }
            Err(fault) => {
                prop_assert!(!fault.to_string().contains(CUSTOMER), "{fault}");
                Ok(())
            }
        },
    );
}

#[test]
fn a_manifest_of_any_form_is_refused_or_names_two_blobs() {
    let manifest = entry().manifest();
    let text = String::from_utf8(manifest.bytes.clone()).expect("a text");
    fuzz(
        "entry-manifests",
        &changed_text(&[&text], &PIECES),
        |text| {
            let changed = RawManifest {
                bytes: text.clone().into_bytes(),
                ..manifest.clone()
            };
            if let Ok(blobs) = EntryBlobs::read(&changed) {
                let layer = blobs.layer.digest.as_str();
                prop_assert!(text.contains(layer), "{layer}");
            }
            Ok(())
        },
    );
}
