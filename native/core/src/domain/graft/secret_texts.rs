//! The secrets of a run, replaced by numbers in a text and filled in again.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::domain::falcon::options::FalconOptions;
use crate::report::secret::Secret;

/// Letters and digits from which on a secret is looked for in other forms; fewer are met by accident.
const LOOKED_FOR: usize = 6;

/// Options of falconctl whose values are not secret.
const PUBLIC_OPTIONS: [&str; 3] = ["--tags", "--billing", "--trace"];

/// A part of a text: as it stands, or the secret of a number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Part {
    /// Plain text.
    Text(String),
    /// A secret, by its number.
    Secret(usize),
}

/// The secrets among the options of falconutil: number 0 is the customer ID, 1 all options of falconctl, and the numbers from 2
/// on are the single ones.
pub struct SecretTexts(Vec<Secret>);

impl SecretTexts {
    /// The secrets among the options.
    #[must_use]
    pub fn of(options: &FalconOptions) -> Self {
        let mut texts = vec![Secret::new(options.customer_id.reveal())];
        if let Some(falconctl) = &options.falconctl_options {
            texts.push(falconctl.clone());
            let words = falconctl.reveal().split_whitespace();
            texts.extend(words.filter(|word| word.starts_with("--")).map(Secret::new));
        }
        Self(texts)
    }

    /// Takes a text apart, with a number for each secret that stands literally in it; the longest counts.
    #[must_use]
    pub fn replace(&self, text: &str) -> Vec<Part> {
        let mut parts = Vec::new();
        let (mut plain, mut rest) = (String::new(), text);
        while let Some(first) = rest.chars().next() {
            let found = self.longest_at(rest);
            if let Some((number, length)) = found {
                if !plain.is_empty() {
                    parts.push(Part::Text(std::mem::take(&mut plain)));
                }
                parts.push(Part::Secret(number));
                rest = &rest[length..];
            } else {
                plain.push(first);
                rest = &rest[first.len_utf8()..];
            }
        }
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        parts
    }

    /// The text with stars for each secret that stands literally in it.
    #[must_use]
    pub fn hidden(&self, text: &str) -> String {
        let parts = self.replace(text).into_iter();
        parts
            .map(|part| match part {
                Part::Text(text) => text,
                Part::Secret(_) => "***".to_owned(),
            })
            .collect()
    }

    /// Fills the secrets in again; none if a number has no secret.
    #[must_use]
    pub fn fill(&self, parts: &[Part]) -> Option<String> {
        parts
            .iter()
            .map(|part| match part {
                Part::Text(text) => Some(text.as_str()),
                Part::Secret(number) => self.0.get(*number).map(Secret::reveal),
            })
            .collect()
    }

    /// Returns true if a secret stands in a text in any form: as it is, in another case, with other characters between,
    /// or encoded.
    #[must_use]
    pub fn are_in(&self, text: &str) -> bool {
        let decoded = percent_encoding::percent_decode_str(text).decode_utf8_lossy();
        let haystacks = [bare(text), bare(&decoded)];
        self.sensitive().iter().any(|secret| {
            let needle = bare(secret);
            let cases = [
                (*secret).to_owned(),
                secret.to_ascii_lowercase(),
                secret.to_ascii_uppercase(),
            ];
            haystacks.iter().any(|haystack| {
                haystack.contains(&needle) || cases.iter().any(|case| haystack.contains(&hex(case)))
            }) || cases
                .iter()
                .any(|case| encoded(case).iter().any(|form| text.contains(form)))
        })
    }

    /// The texts to look for: the customer ID with and without its checksum, and the values of the options that may be
    /// secret.
    fn sensitive(&self) -> Vec<&str> {
        let mut secrets = self.0.iter().map(Secret::reveal);
        let customer_id = secrets.next().unwrap_or_default();
        let digits = customer_id.split_once('-').map(|(digits, _)| digits);
        let mut texts: Vec<&str> = digits.into_iter().chain([customer_id]).collect();
        let mut option = "";
        for word in secrets.next().unwrap_or_default().split_whitespace() {
            let (name, value) = match word.split_once('=') {
                Some(named) => named,
                None if word.starts_with('-') => (word, ""),
                None => (option, word),
            };
            option = name;
            if !PUBLIC_OPTIONS.contains(&name) {
                texts.push(value);
            }
        }
        texts.retain(|text| bare(text).len() >= LOOKED_FOR);
        texts
    }

    /// The number and the length of the longest secret at the start of a text; of two that are the same, the first.
    fn longest_at(&self, text: &str) -> Option<(usize, usize)> {
        let all = self.0.iter().enumerate();
        let found = all.filter(|(_, secret)| {
            let secret = secret.reveal();
            !secret.is_empty() && text.starts_with(secret)
        });
        found
            .map(|(number, secret)| (number, secret.reveal().len()))
            .rev()
            .max_by_key(|(_, length)| *length)
    }
}

/// The letters and digits of a text, in lower case.
fn bare(text: &str) -> String {
    let kept = text.chars().filter(|c| c.is_alphanumeric());
    kept.flat_map(char::to_lowercase).collect()
}

fn hex(text: &str) -> String {
    use std::fmt::Write as _;
    text.bytes().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// The base64 digits of a text, wherever it stands in the encoded bytes, without those that its neighbours decide.
fn encoded(text: &str) -> Vec<String> {
    let forms = (0..3).flat_map(|shift| {
        let mut bytes = vec![0; shift];
        bytes.extend_from_slice(text.as_bytes());
        let all = STANDARD_NO_PAD.encode(&bytes);
        let first = [0, 2, 3][shift];
        let last = bytes.len() * 8 / 6;
        let own = all.get(first..last).unwrap_or_default().to_owned();
        let for_urls = own.replace('+', "-").replace('/', "_");
        [own, for_urls]
    });
    forms.filter(|form| form.len() >= LOOKED_FOR).collect()
}

#[cfg(test)]
mod tests;
