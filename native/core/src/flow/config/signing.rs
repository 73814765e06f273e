//! The inputs of signed records.

use super::check::Check;
use super::input_fault::InputFault;
use crate::domain::aws::kms_key::KmsKeyName;
use crate::domain::provenance::key::PublicKey;
use crate::flow::inputs::Inputs;

/// The keys of signed records, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SigningConfig {
    /// The key in KMS that signs; none where records are not signed.
    pub signing_key: Option<KmsKeyName>,
    /// The keys whose records count; none means that every record does.
    pub trusted: Vec<KeySource>,
}

/// The place of a public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySource {
    /// In the input itself.
    Pem(PublicKey),
    /// In KMS.
    Kms(KmsKeyName),
}

const PEM: &str = "-----BEGIN ";

const PEM_END: &str = "-----END ";

pub(super) fn read(check: &mut Check, inputs: &Inputs) -> SigningConfig {
    let signing_key = check
        .text("signingKey", &inputs.signing_key)
        .and_then(|text| kms_key(check, "signingKey", "its value", text));
    let mut trusted = trusted_keys(check, &inputs.trusted_keys);
    if inputs.trusted_keys.trim().is_empty() {
        trusted.extend(signing_key.clone().map(KeySource::Kms));
    }
    SigningConfig {
        signing_key,
        trusted,
    }
}

/// The starts of a key's name. A text without one may be a key itself, and so it is not shown.
const NAMES: [&str; 3] = ["alias/", "arn:", "awskms:"];

const EXAMPLES: &str = "examples: `alias/falcon-records`, `arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab`";

fn kms_key(check: &mut Check, input: &str, place: &str, text: &str) -> Option<KmsKeyName> {
    match text.parse() {
        Ok(name) => Some(name),
        Err(error) => {
            let is_name = NAMES.iter().any(|start| text.starts_with(start));
            let shown = if is_name {
                format!("`{text}`")
            } else {
                place.to_owned()
            };
            check.refuse(
                InputFault::Malformed,
                input,
                format!("{shown} {error} ({EXAMPLES})"),
            );
            None
        }
    }
}

/// Reads blocks of PEM and names of KMS keys, in any order; a name has a line of its own.
fn trusted_keys(check: &mut Check, value: &str) -> Vec<KeySource> {
    const INPUT: &str = "trustedKeys";
    let mut keys = Vec::new();
    for (number, part) in (1..).zip(parts(value)) {
        let key = match part {
            Part::Block(block) => match PublicKey::from_pem(block) {
                Ok(key) => Some(KeySource::Pem(key)),
                Err(error) => {
                    check.refuse(
                        InputFault::Malformed,
                        INPUT,
                        format!("part {number}: {error}"),
                    );
                    None
                }
            },
            Part::Line(line) => {
                let name = check.text(INPUT, line);
                name.and_then(|name| kms_key(check, INPUT, &format!("part {number}"), name))
                    .map(KeySource::Kms)
            }
        };
        keys.extend(key.filter(|key| !keys.contains(key)));
    }
    keys
}

enum Part<'a> {
    Block(&'a str),
    Line(&'a str),
}

/// Cuts a text into PEM blocks and the lines between them; a block without an end is one to the end of the text.
fn parts(text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let before = rest.find(PEM).unwrap_or(rest.len());
        let (lines, blocks) = rest.split_at(before);
        let lines = lines.lines().map(str::trim).filter(|line| !line.is_empty());
        parts.extend(lines.map(Part::Line));
        let end = blocks.find(PEM_END).and_then(|at| {
            let label = at + PEM_END.len();
            Some(label + blocks[label..].find("-----")? + "-----".len())
        });
        let (block, after) = blocks.split_at(end.unwrap_or(blocks.len()));
        if !block.is_empty() {
            parts.push(Part::Block(block));
        }
        rest = after.trim();
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::{KeySource, SigningConfig};
    use crate::report::code::Code;
    use crate::test_support::config::{inputs, read};

    const PEM: &str = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEdvRWTuzAePMPEEZU6tm+O0KPFzIv\niE4c3KpNgbKJyOoaUl8DzhPYSFIDL5Q8bmP6kDrmm5lRZdVV7yGKYtUaUA==\n-----END PUBLIC KEY-----\n";

    const ALIAS: &str = "alias/falcon-records";

    fn of(signing_key: &str, trusted_keys: &str) -> Result<SigningConfig, (Code, String)> {
        let mut inputs = inputs();
        inputs.signing_key = signing_key.to_owned();
        inputs.trusted_keys = trusted_keys.to_owned();
        let config = read(&inputs).map(|config| config.signing);
        config.map_err(|problem| {
            let texts = [vec![problem.what], problem.why].concat();
            (problem.code, texts.join("\n"))
        })
    }

    fn kms(name: &str) -> KeySource {
        KeySource::Kms(name.parse().expect("a name"))
    }

    #[test]
    fn a_signing_key_is_trusted_unless_other_keys_are_named() {
        assert_eq!(of("", ""), Ok(SigningConfig::default()));
        let config = of("awskms:///alias/falcon-records", "").expect("good");
        assert_eq!(config.trusted, [kms(ALIAS)]);
        let config = of(ALIAS, "alias/former").expect("good");
        assert_eq!(config.trusted, [kms("alias/former")]);
        assert_eq!(of("", ALIAS).expect("good").signing_key, None);
    }

    #[test]
    fn blocks_and_names_are_read_in_any_order_and_each_once() {
        let flat = PEM.replace('\n', " ");
        for text in [
            format!("{PEM}{ALIAS}\n{PEM}"),
            format!("\n  {ALIAS}  \n\n{PEM}\n{ALIAS}\n"),
            format!("{flat}{PEM}{ALIAS}"),
        ] {
            let trusted = of("", &text).expect("good").trusted;
            assert_eq!(trusted.len(), 2, "{text}: {trusted:?}");
            assert!(trusted.contains(&kms(ALIAS)), "{trusted:?}");
        }
    }

    #[test]
    fn all_flaws_are_told_at_once_and_no_private_key_is_shown() {
        let secret = "MHcCAQEEIPrivateBytes";
        let private =
            format!("-----BEGIN EC PRIVATE KEY-----\n{secret}\n-----END EC PRIVATE KEY-----\n");
        let keys = format!("{private}records\n{PEM}-----BEGIN CERTIFICATE-----\n{secret}");
        let (code, text) = of(&private, &keys).expect_err("flaws");
        assert_eq!(code, Code::InputMalformed);
        for expected in [
            "`signingKey`: must be a single line",
            "`trustedKeys`: part 1: it holds a private key",
            "`trustedKeys`: part 2 is not the name of a KMS key",
            "`trustedKeys`: part 4: it cannot be read as PEM",
        ] {
            assert!(text.contains(expected), "{expected}: {text}");
        }
        let flat = private.replace('\n', " ");
        let (_, more) = of(&flat, "$(KEYS)").expect_err("flaws");
        assert!(
            more.contains("its value is not the name of a KMS key"),
            "{more}"
        );
        assert!(more.contains("still holds `$(KEYS)`"), "{more}");
        assert!(!format!("{text}{more}").contains(secret), "{text}{more}");
        // Without its first line, with dashes that a word processor made of it, and as Base64 alone.
        for damaged in [
            format!("{secret}\n-----END EC PRIVATE KEY-----\n{secret}"),
            format!("––––BEGIN PRIVATE KEY––––\n{secret}\n––––END PRIVATE KEY––––"),
            format!("-----BEGIN PRIVATE KEY-----\n{secret}\n----END PRIVATE KEY----\n{private}"),
            secret.to_owned(),
        ] {
            let (_, texts) = of("", &damaged).expect_err("no key");
            assert!(!texts.contains(secret), "{texts}");
            let (_, texts) = of(&damaged.replace('\n', " "), "").expect_err("no key");
            assert!(!texts.contains(secret), "{texts}");
        }
    }
}
