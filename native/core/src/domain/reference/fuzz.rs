use proptest::prop_assert_eq;

use super::digest::Digest;
use super::ecr_host::EcrHost;
use super::image_name::ImageName;
use super::tag::Tag;
use crate::test_support::fuzz::{changed_text, fuzz};

const DIGEST: &str = "sha256:4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945";

#[test]
fn a_name_that_is_read_is_written_and_read_again() {
    let host = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";
    let pinned = format!("{host}/app/web:1.4.2@{DIGEST}");
    let samples = [
        pinned.as_str(),
        "localhost:5000/a",
        "app/web:1",
        "docker.io/library/a",
        host,
        DIGEST,
    ];
    let pieces = [
        "/", ":", "@", "sha256:", "://", ".", "..", "-", "\u{202e}", " ", "A", "%2f", "[::1]",
        "dkr-ecr.", "on.aws",
    ];
    fuzz("references", &changed_text(&samples, &pieces), |text| {
        if let Ok(name) = text.parse::<ImageName>() {
            // Only the case of the host may have changed.
            prop_assert_eq!(name.to_string().to_lowercase(), text.to_lowercase());
            prop_assert_eq!(name.to_string().parse(), Ok(name));
        }
        if let Ok(tag) = text.parse::<Tag>() {
            prop_assert_eq!(tag.as_str(), text.as_str());
        }
        if let Ok(digest) = text.parse::<Digest>() {
            prop_assert_eq!(digest.short().len(), 12);
        }
        let _ = EcrHost::parse(&text);
        Ok(())
    });
}
