//! Values of parameters in headers (<https://www.rfc-editor.org/rfc/rfc9110#section-5.6.4>).

/// Returns a parameter's value, quoted or not, and the text behind it. One that is not quoted ends at white space or
/// at one of `ends`.
pub(super) fn parameter<'a>(text: &'a str, ends: &[char]) -> (String, &'a str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let is_end = |c: char| matches!(c, ' ' | '\t') || ends.contains(&c);
        let end = text.find(is_end).unwrap_or(text.len());
        return (text[..end].to_owned(), &text[end..]);
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return (value, &quoted[at + 1..]),
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            other => value.push(other),
        }
    }
    (value, "")
}
