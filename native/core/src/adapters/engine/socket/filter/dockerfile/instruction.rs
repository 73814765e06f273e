//! One instruction: its keyword, its flags and the rest of its line.

/// An instruction.
#[derive(Debug)]
pub(super) struct Instruction<'a> {
    /// The keyword, in upper case.
    pub(super) keyword: String,
    /// The rest of the line.
    pub(super) rest: &'a str,
}

impl<'a> Instruction<'a> {
    pub(super) fn read(line: &'a str) -> Result<Self, String> {
        let line = line.trim();
        let end = line.find([' ', '\t']).unwrap_or(line.len());
        let (keyword, rest) = line.split_at(end);
        if !keyword.bytes().all(|b| b.is_ascii_alphabetic()) {
            return Err("a line of its Dockerfile begins with no instruction".to_owned());
        }
        Ok(Self {
            keyword: keyword.to_ascii_uppercase(),
            rest: rest.trim(),
        })
    }

    /// The line that is written anew.
    pub(super) fn write(&self) -> String {
        format!("{} {}", self.keyword, self.rest)
    }

    /// Splits the flags from the arguments.
    ///
    /// # Errors
    /// A flag that engines could read in several ways.
    pub(super) fn flags(&self) -> Result<(Vec<Flag<'a>>, &'a str), String> {
        let mut rest = self.rest;
        let mut flags = Vec::new();
        while rest.starts_with("--") {
            let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
            let (flag, after) = rest.split_at(end);
            // Engines split at bytes that are part of a letter, such as the second one of `à`.
            let is_plain = flag.is_ascii() && !flag.contains(['"', '\'', '\\', '$', '`']);
            if flag == "--" || !is_plain {
                return Err(format!("`{}` has a flag that is not plain", self.keyword));
            }
            let (name, value) = flag[2..].split_once('=').unwrap_or((&flag[2..], ""));
            if flags.iter().any(|known: &Flag<'_>| known.name == name) {
                return Err(format!("`{}` has the flag `{name}` twice", self.keyword));
            }
            flags.push(Flag {
                name,
                value,
                text: flag,
            });
            rest = after.trim_start();
        }
        Ok((flags, rest))
    }
}

/// A flag, such as `--from=build`.
#[derive(Debug)]
pub(super) struct Flag<'a> {
    /// Its name, without the dashes.
    pub(super) name: &'a str,
    /// Its value; empty if it has none.
    pub(super) value: &'a str,
    /// The flag as written.
    pub(super) text: &'a str,
}
