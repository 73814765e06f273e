//! Cause of a failure, in other people's words, made fit to be shown.

use std::error::Error;
use std::fmt;

use unicode_properties::{GeneralCategory, UnicodeGeneralCategory as _};

/// The longest text of a service that a failure repeats.
const LIMIT: usize = 300;

/// A cause on one line, at most 300 characters long.
///
/// Errors of libraries name types and repeat each other, and services send pages of HTML: a failure
/// keeps only what helps a person, and can be cloned and compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause(String);

impl Cause {
    /// Makes a cause of the message of a service or a program.
    #[must_use]
    pub fn said(text: &str) -> Self {
        let visible: String = text.chars().filter(|c| !is_format(*c)).collect();
        let words: Vec<&str> = visible
            .split(|c: char| c.is_whitespace() || c.is_control())
            .filter(|word| !word.is_empty())
            .collect();
        let line = words.join(" ");
        match line.char_indices().nth(LIMIT) {
            Some((end, _)) => Self(format!("{}…", &line[..end])),
            None => Self(line),
        }
    }

    /// A library's error with all its sources, each said once.
    #[must_use]
    pub fn of(error: &(dyn Error + 'static)) -> Self {
        let mut texts: Vec<String> = Vec::new();
        let mut next = Some(error);
        while let Some(error) = next {
            let text = error.to_string();
            if !texts.iter().any(|known| known.contains(&text)) {
                texts.push(text);
            }
            next = error.source();
        }
        Self::said(&texts.join(": "))
    }
}

/// Returns true for a character that shows nothing, such as a soft hyphen or a zero-width sign: it can hide a word from
/// those who look for it.
fn is_format(c: char) -> bool {
    c.general_category() == GeneralCategory::Format
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Cause {}

#[cfg(test)]
mod tests {
    use super::Cause;

    #[test]
    fn what_a_service_said_becomes_one_short_line() {
        assert_eq!(
            Cause::said(" <html>\r\n\tno\u{1b}[0m\n").to_string(),
            "<html> no [0m"
        );
        let hidden = "##v\u{ad}so[a] \u{200b}\u{202e}b\u{e0001} Grüße";
        assert_eq!(Cause::said(hidden).to_string(), "##vso[a] b Grüße");
        let long = Cause::said(&"ä".repeat(400)).to_string();
        assert_eq!(long.chars().count(), 301);
        assert!(long.ends_with('…'));
    }
}
