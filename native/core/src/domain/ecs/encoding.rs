//! The encodings in which editors and shells write JSON files.

/// A file's text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Decoded {
    pub(super) text: String,
    /// True if the file is in UTF-16, which the AWS CLI does not read.
    pub(super) is_utf16: bool,
}

/// Decodes UTF-8, and UTF-16 with its byte-order mark, as Windows PowerShell 5 writes it by `>` and `Out-File`.
pub(super) fn decode(bytes: &[u8]) -> Result<Decoded, &'static str> {
    let text = match bytes {
        [0xff, 0xfe, units @ ..] => utf16(units, u16::from_le_bytes)?,
        [0xfe, 0xff, units @ ..] => utf16(units, u16::from_be_bytes)?,
        [0xef, 0xbb, 0xbf, rest @ ..] | rest => return utf8(rest),
    };
    Ok(Decoded {
        text,
        is_utf16: true,
    })
}

fn utf8(bytes: &[u8]) -> Result<Decoded, &'static str> {
    match std::str::from_utf8(bytes) {
        // Without its mark UTF-16 passes for UTF-8, with a NUL beside each letter.
        Ok(text) if text.contains('\0') => {
            Err("it holds NUL bytes, as UTF-16 without a byte-order mark does; save it as UTF-8")
        }
        Ok(text) => Ok(Decoded {
            text: text.to_owned(),
            is_utf16: false,
        }),
        Err(_) => Err("it is not UTF-8 text; save it as UTF-8"),
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, &'static str> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let units: Vec<u16> = pairs.iter().copied().map(unit).collect();
    match String::from_utf16(&units) {
        Ok(text) if rest.is_empty() => Ok(text),
        _ => {
            Err("it begins with the byte-order mark of UTF-16 and is not UTF-16; save it as UTF-8")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::decode;

    fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        let marked = format!("\u{feff}{text}");
        marked.encode_utf16().flat_map(bytes).collect()
    }

    #[test]
    fn every_encoding_with_its_mark_gives_the_same_text() {
        let text = "{\"family\": \"wéb 🦅\"}";
        let marked = format!("\u{feff}{text}").into_bytes();
        for (bytes, is_utf16) in [
            (text.as_bytes().to_vec(), false),
            (marked, false),
            (utf16(text, u16::to_le_bytes), true),
            (utf16(text, u16::to_be_bytes), true),
        ] {
            let decoded = decode(&bytes).expect("a text");
            assert_eq!((decoded.text.as_str(), decoded.is_utf16), (text, is_utf16));
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_refused() {
        let mut odd = utf16("{}", u16::to_le_bytes);
        odd.push(b' ');
        let half_a_pair = [0xff, 0xfe, 0x00, 0xd8];
        let without_mark: Vec<u8> = "{}".encode_utf16().flat_map(u16::to_le_bytes).collect();
        for (bytes, said) in [
            (b"{\"family\": \"\xe9\"}".as_slice(), "not UTF-8"),
            (&odd, "not UTF-16"),
            (&half_a_pair, "not UTF-16"),
            (&without_mark, "NUL bytes"),
        ] {
            let refusal = decode(bytes).expect_err(said);
            assert!(refusal.contains(said), "{refusal}");
        }
    }
}
