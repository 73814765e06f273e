//! `COPY` and `ADD`.

use super::instruction::Instruction;
use super::stages::Stages;
use crate::adapters::engine::socket::filter::context::{Context, ContextFile};
use crate::adapters::engine::socket::grant::Grant;
use crate::adapters::engine::socket::refusals::shortened;

/// Sources that one copy may have; falconutil's has one.
const WORDS: usize = 64;

/// A copy, written anew.
#[derive(Debug)]
pub(super) struct Copy<'a> {
    /// The instruction.
    pub(super) line: String,
    /// The files of the context that it copies.
    pub(super) files: Vec<&'a ContextFile>,
}

/// Reads `COPY` or `ADD`. Files come from an earlier stage, a granted image or the context, and from no address.
pub(super) fn read<'a>(
    instruction: &Instruction<'_>,
    stages: &Stages,
    context: &'a Context,
    grant: &Grant,
) -> Result<Copy<'a>, String> {
    let keyword = &instruction.keyword;
    let (flags, rest) = instruction.flags()?;
    let mut written = vec![keyword.clone()];
    let mut from = None;
    for flag in flags {
        match flag.name {
            "from" if keyword == "COPY" => {
                let source = stages.source_of_copy(flag.value, grant)?;
                written.push(format!("--from={source}"));
                from = Some(source);
            }
            "chown" | "chmod" | "link" if is_plain_value(flag.value) => {
                written.push(flag.text.to_owned());
            }
            _ => return Err(format!("`{keyword}` has `{}`", shortened(flag.text))),
        }
    }
    if from.is_some() {
        written.push(rest.to_owned());
        return Ok(Copy {
            line: written.join(" "),
            files: Vec::new(),
        });
    }
    let mut words = words(rest).ok_or_else(|| format!("`{keyword}` is not readable"))?;
    let to = words
        .pop()
        .ok_or_else(|| format!("`{keyword}` copies nothing"))?;
    if words.is_empty() {
        return Err(format!("`{keyword}` copies nothing"));
    }
    if words.len() > WORDS {
        return Err(format!("`{keyword}` has more than {WORDS} sources"));
    }
    let mut files = Vec::new();
    let mut arguments = Vec::new();
    for word in &words {
        let path = plain(word).ok_or_else(|| {
            format!(
                "`{keyword}` copies `{}`, which is not a plain path of its context",
                shortened(word)
            )
        })?;
        let before = files.len();
        files.extend(context.copied(path));
        if files.len() == before {
            return Err(format!("its context has no file `{}`", shortened(path)));
        }
        // With `./` in front, no engine takes it for an address.
        arguments.push(format!("./{path}"));
    }
    arguments.push(to);
    written.push(serde_json::json!(arguments).to_string());
    Ok(Copy {
        line: written.join(" "),
        files,
    })
}

/// Returns true for an owner, a mode or a truth value in plain letters.
fn is_plain_value(value: &str) -> bool {
    let is_plain = |b: u8| {
        b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b':' | b'-' | b'+' | b'=' | b',')
    };
    value.bytes().all(is_plain)
}

/// The arguments, in either form.
fn words(rest: &str) -> Option<Vec<String>> {
    if rest.starts_with('[') {
        return serde_json::from_str(rest).ok();
    }
    Some(rest.split_whitespace().map(str::to_owned).collect())
}

/// A path that means itself: no address, no pattern, no variable.
fn plain(word: &str) -> Option<&str> {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'/');
    if word.is_empty() || !word.bytes().all(is_plain) || word.split('/').any(|part| part == "..") {
        return None;
    }
    let word = word.trim_start_matches('/');
    let word = word.strip_prefix("./").unwrap_or(word);
    Some(if word == "." { "" } else { word })
}
