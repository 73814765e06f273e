//! Build arguments: the values of a Dockerfile's `ARG` instructions.

use std::collections::BTreeMap;

/// Reads the parameter `buildargs` and writes it anew.
///
/// Names of `BuildKit`'s own are refused: with `BUILDKIT_SYNTAX`, for one, another program would read the Dockerfile.
pub(super) fn rewrite(json: &str) -> Result<String, String> {
    let refuse = || "the parameter `buildargs` is not a record of texts".to_owned();
    let arguments: BTreeMap<String, Option<String>> =
        serde_json::from_str(json).map_err(|_| refuse())?;
    for name in arguments.keys() {
        let is_word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
        if name.is_empty() || !name.bytes().all(is_word) {
            return Err(refuse());
        }
        if name.to_ascii_uppercase().starts_with("BUILDKIT_") {
            return Err(format!("the build argument `{name}` is not allowed"));
        }
    }
    serde_json::to_string(&arguments).map_err(|_| refuse())
}

#[cfg(test)]
mod tests {
    use super::rewrite;

    #[test]
    fn values_are_kept_and_the_builders_own_names_refused() {
        let kept = rewrite(r#"{"OPTIONS": "--cid=$x", "EMPTY": null}"#);
        assert_eq!(
            kept.as_deref(),
            Ok(r#"{"EMPTY":null,"OPTIONS":"--cid=$x"}"#)
        );
        for json in [
            r#"{"BUILDKIT_SYNTAX": "evil/frontend"}"#,
            r#"{"buildkit_syntax": "evil/frontend"}"#,
            r#"{"A": 1}"#,
            r#"{"A B": "1"}"#,
            r#"{"": "1"}"#,
            "[1]",
            "x",
        ] {
            assert!(rewrite(json).is_err(), "{json}");
        }
    }
}
