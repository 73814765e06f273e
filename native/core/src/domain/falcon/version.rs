//! The sensor's version: read from a tag or a label, and compared.

use std::fmt;

/// A version, or the beginning of one: `7.39.0-7802`, `7.39`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SensorVersion {
    text: String,
    numbers: Vec<u64>,
}

impl SensorVersion {
    /// Understands numbers with dots between them and, behind a hyphen, the build; nothing else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (_, build) = text.split_once('-').unwrap_or((text, ""));
        let is_plain = !build.contains(['.', '-']) && !text.contains('+');
        Some(Self {
            numbers: numbers(text).filter(|_| is_plain)?,
            text: text.to_owned(),
        })
    }

    /// Returns true if this is `minimum` or newer; `None` where it has too few numbers to tell.
    #[must_use]
    pub fn is_at_least(&self, minimum: &Self) -> Option<bool> {
        let mut pairs = self.numbers.iter().zip(&minimum.numbers);
        match pairs.find(|(own, least)| own != least) {
            Some((own, least)) => Some(own > least),
            None if self.numbers.len() < minimum.numbers.len() => None,
            None => Some(true),
        }
    }
}

impl fmt::Display for SensorVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The numbers of a version, from the left; `None` if anything else is between them.
pub(super) fn numbers(text: &str) -> Option<Vec<u64>> {
    let parts = text.split(['.', '-']);
    parts.map(|part| part.parse().ok()).collect()
}

/// The version that a text starts with, such as `7.39.0-7802` of `7.39.0-7802-1`; `None` if there is none.
///
/// Tags look like `7.39.0-7802`, `7.39.0-7802-1` or `7.31.0-7003.container.Release.US-1`.
#[must_use]
pub fn sensor_version(text: &str) -> Option<String> {
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.' && c != '-')
        .unwrap_or(text.len());
    let head = text[..end].trim_end_matches(['.', '-']);
    let mut parts = head.splitn(3, '-');
    let numbers = parts.next().unwrap_or_default();
    let is_version =
        numbers.split('.').count() >= 2 && numbers.split('.').all(|n| n.parse::<u32>().is_ok());
    if !is_version {
        return None;
    }
    Some(match parts.next() {
        Some(build) => format!("{numbers}-{build}"),
        None => numbers.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::{SensorVersion, sensor_version};

    #[test]
    fn versions_are_compared_by_as_many_numbers_as_the_minimum_has() {
        for (version, minimum, answer) in [
            ("7.39.0-7802", "7.39.0-7802", Some(true)),
            ("7.39.0-7802", "7.39", Some(true)),
            ("7.39.0-7802", "7", Some(true)),
            ("7.39.0-7802", "7.9", Some(true)),
            ("7.9.0-9999", "7.39", Some(false)),
            ("7.39.0-7802", "7.39.0-7803", Some(false)),
            ("7.39.0-10000", "7.39.0-7802", Some(true)),
            ("8.0", "7.39.0-7802", Some(true)),
            ("8.11.0-8103", "7.39", Some(true)),
            ("8.11.0-8103", "8.9", Some(true)),
            ("8.11.0-8103", "8.11.0-8104", Some(false)),
            ("7.39.0-9999", "8", Some(false)),
            ("6.99.9", "7.39.0-7802", Some(false)),
            // Which of the builds of 7.39 it is, nobody says.
            ("7.39", "7.39.0-7802", None),
        ] {
            let parse = |text| SensorVersion::parse(text).expect("a version");
            let seen = parse(version).is_at_least(&parse(minimum));
            assert_eq!(seen, answer, "{version} against {minimum}");
        }
    }

    #[test]
    fn what_is_no_beginning_of_a_version_is_refused() {
        for text in [
            "", "latest", "n-1", "v7.39", "7.", ".7", "7..39", "7.39-", "7-39-1", "7.39-1.2", "+7",
            ">=7",
        ] {
            assert_eq!(SensorVersion::parse(text), None, "{text}");
        }
    }

    #[test]
    fn tags_of_every_form_tell_the_version() {
        for (tag, version) in [
            ("7.39.0-7802", Some("7.39.0-7802")),
            ("7.39.0-7802-1", Some("7.39.0-7802")),
            ("8.11.0-8103", Some("8.11.0-8103")),
            ("8.11.0-8103.container.Release.EU-1", Some("8.11.0-8103")),
            ("7.31.0-7003.container.Release.US-1", Some("7.31.0-7003")),
            (
                "7.31.0-7003.container.aarch64.Release.US-1",
                Some("7.31.0-7003"),
            ),
            ("7.39", Some("7.39")),
            ("7.39.0-7802-extra", Some("7.39.0-7802")),
            ("latest", None),
            ("7", None),
            ("v7.39.0", None),
            ("", None),
        ] {
            assert_eq!(sensor_version(tag).as_deref(), version, "{tag}");
        }
    }
}
