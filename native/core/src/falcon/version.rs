//! The sensor's version, read from a tag or a label.

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
    use super::sensor_version;

    #[test]
    fn tags_of_every_form_tell_the_version() {
        for (tag, version) in [
            ("7.39.0-7802", Some("7.39.0-7802")),
            ("7.39.0-7802-1", Some("7.39.0-7802")),
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
