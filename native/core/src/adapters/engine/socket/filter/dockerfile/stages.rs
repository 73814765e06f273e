//! The stages of a build, and the images that they begin with.

use super::instruction::Instruction;
use crate::adapters::engine::socket::grant::{Grant, GrantedImage};
use crate::adapters::engine::socket::refusals::shortened;

/// The stages so far.
#[derive(Debug, Default)]
pub(super) struct Stages(Vec<Option<String>>);

impl Stages {
    /// Returns true before the first stage.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Begins a stage, and returns its `FROM` written anew.
    pub(super) fn begin(
        &mut self,
        from: &Instruction<'_>,
        grant: &Grant,
    ) -> Result<String, String> {
        let (flags, rest) = from.flags()?;
        for flag in flags {
            let is_arm64 = matches!(flag.value, "linux/arm64" | "linux/arm64/v8");
            if flag.name != "platform" || !is_arm64 {
                return Err(format!("`FROM` has `{}`", shortened(flag.text)));
            }
        }
        let words: Vec<&str> = rest.split_whitespace().collect();
        let (image, name) = match words[..] {
            [image] => (image, None),
            [image, word, name] if word.eq_ignore_ascii_case("as") => {
                (image, Some(stage_name(name)?))
            }
            _ => return Err("its `FROM` is not `FROM IMAGE AS NAME`".to_owned()),
        };
        let image = match self.named(image) {
            Some(stage) => stage,
            None if image == "scratch" => image.to_owned(),
            None => base(image, grant)?,
        };
        let written = match &name {
            Some(name) => format!("FROM {image} AS {name}"),
            None => format!("FROM {image}"),
        };
        self.0.push(name);
        Ok(written)
    }

    /// The place that a copy takes files from, written anew: an earlier stage by its name or number, or a granted image.
    pub(super) fn source_of_copy(&self, from: &str, grant: &Grant) -> Result<String, String> {
        let earlier = self.0.len().saturating_sub(1);
        if let Ok(number) = from.parse::<usize>() {
            return if number < earlier {
                Ok(number.to_string())
            } else {
                Err(format!(
                    "`COPY --from={number}` does not name an earlier stage"
                ))
            };
        }
        self.named(from).map_or_else(|| base(from, grant), Ok)
    }

    fn named(&self, name: &str) -> Option<String> {
        let name = name.to_ascii_lowercase();
        let mut names = self.0.iter().flatten();
        names.any(|known| *known == name).then_some(name)
    }
}

fn base(image: &str, grant: &Grant) -> Result<String, String> {
    let granted = grant.base(image);
    granted.map(GrantedImage::reference).ok_or_else(|| {
        format!(
            "its Dockerfile uses `{}`, which is not an image of this run",
            shortened(image)
        )
    })
}

/// A stage's name in lower case. A number would be another stage, and these two words have meanings of their own.
fn stage_name(name: &str) -> Result<String, String> {
    let name = name.to_ascii_lowercase();
    let is_part = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    let begins_well = name.as_bytes().first().is_some_and(u8::is_ascii_alphabetic);
    if begins_well && name.bytes().all(is_part) && !matches!(name.as_str(), "scratch" | "context") {
        Ok(name)
    } else {
        Err(format!("`{}` is not a name of a stage", shortened(&name)))
    }
}
