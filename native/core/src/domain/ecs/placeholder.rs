//! The notations of placeholders in a text.

/// A notation of placeholders: the texts around a name.
struct Notation {
    open: &'static str,
    close: &'static str,
    /// True if a program in the container may mean it as it stands: Bash, Ruby and Go write such texts too.
    is_of_programs: bool,
}

const fn notation(open: &'static str, close: &'static str, is_of_programs: bool) -> Notation {
    Notation {
        open,
        close,
        is_of_programs,
    }
}

/// The notations of templates, of Azure Pipelines, and of the tasks that replace tokens in files
/// (<https://github.com/qetza/replacetokens>); the longer opening first.
const NOTATIONS: [Notation; 9] = [
    notation("<", ">", false),
    notation("$(", ")", false),
    notation("${{", "}}", true),
    notation("${", "}", true),
    notation("$[", "]", true),
    notation("#{", "}#", true),
    notation("#{", "}", true),
    notation("{{", "}}", true),
    notation("__", "__", true),
];

/// The placeholders in a text, each once.
pub(super) fn placeholders(text: &str) -> Vec<&str> {
    let found = Placeholder::all_in(text).into_iter();
    found.map(|found| found.text).collect()
}

/// A placeholder in a text.
#[derive(Clone, Copy)]
pub(super) struct Placeholder<'a> {
    pub(super) text: &'a str,
    name: &'a str,
    notation: &'static Notation,
}

impl<'a> Placeholder<'a> {
    /// The placeholders in a text, each once.
    pub(super) fn all_in(text: &'a str) -> Vec<Self> {
        let mut all: Vec<Self> = Vec::new();
        let mut start = 0;
        while start < text.len() {
            let found = NOTATIONS
                .iter()
                .find_map(|each| Self::at(text, start, each));
            let step = text[start..].chars().next().map_or(1, char::len_utf8);
            start += found.map_or(step, |found| found.text.len());
            if let Some(found) = found
                && all.iter().all(|known| known.text != found.text)
            {
                all.push(found);
            }
        }
        all
    }

    /// The placeholder of a notation that begins at a position of a text.
    fn at(text: &'a str, start: usize, notation: &'static Notation) -> Option<Self> {
        let inner = text[start..].strip_prefix(notation.open)?;
        let end = inner.find(notation.close)?;
        let found = Self {
            text: &text[start..start + notation.open.len() + end + notation.close.len()],
            name: inner[..end].trim(),
            notation,
        };
        let is_free = |c: Option<char>| !c.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_');
        let is_alone = || {
            let (before, after) = (&text[..start], &text[start + found.text.len()..]);
            is_free(before.chars().next_back()) && is_free(after.chars().next())
        };
        (found.has_name() && (!found.is_word() || is_alone())).then_some(found)
    }

    fn has_name(&self) -> bool {
        let begins_well = self.name.starts_with(|c: char| c.is_ascii_alphabetic());
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ' ');
        match self.notation.open {
            // Expressions, and Bash's expansions such as `${NAME:-default}`.
            "${{" | "${" | "$[" | "{{" => {
                begins_well && !self.name.contains(['{', '}', '"', '\'', '\n'])
            }
            "<" | "$(" => {
                self.name.starts_with(|c: char| c.is_ascii_alphanumeric())
                    && self.text[self.notation.open.len()..].starts_with(self.name)
                    && self.name.chars().all(is_plain)
            }
            _ => begins_well && self.name.chars().all(is_plain),
        }
    }

    /// Returns true if a program in the container may mean the text as it stands.
    pub(super) fn is_of_programs(&self) -> bool {
        self.notation.is_of_programs
    }

    /// Returns true for `__NAME__`, of which every letter is one that names have too.
    pub(super) fn is_word(&self) -> bool {
        self.notation.open == "__"
    }

    /// Returns true unless the text is as much at home in a program: `$(date)`, `<b>` and `__main__` are.
    pub(super) fn is_meant_for_tools(&self) -> bool {
        let looks_like_a_variable = || {
            let name = self.name;
            name.contains('.') || name.contains(|c: char| c.is_ascii_uppercase())
        };
        match self.notation.open {
            "<" => false,
            "$(" | "__" => looks_like_a_variable(),
            _ => true,
        }
    }
}
