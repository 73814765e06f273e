use proptest::prop_assert;

use super::cause::Cause;
use crate::test_support::fuzz::{changed_text, fuzz};

#[test]
fn the_words_of_others_become_one_line_without_invisible_characters() {
    let samples = [
        "error: ##vso[task.setvariable]x",
        "a\nb\r\nc\td",
        "\u{202e}abc\u{200b}",
        "x",
    ];
    let pieces = [
        "\n",
        "\r",
        "\u{2028}",
        "\u{7}",
        "\u{1b}[31m",
        "\u{feff}",
        "\u{e0001}",
        "##vso[",
        "\0",
        "é",
        " ",
    ];
    fuzz("causes", &changed_text(&samples, &pieces), |text| {
        let said = Cause::said(&text).to_string();
        prop_assert!(!said.contains(char::is_control), "{said:?}");
        prop_assert!(
            !said.contains(['\u{202e}', '\u{200b}', '\u{feff}', '\u{2028}']),
            "{said:?}"
        );
        prop_assert!(said.chars().count() <= text.chars().count().max(1) + 1);
        Ok(())
    });
}
