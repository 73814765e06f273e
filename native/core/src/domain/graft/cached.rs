//! The image that an entry of the graft cache makes of a source.

use super::entry::Entry;
use super::entry_fault::EntryFault;
use super::secret_texts::SecretTexts;
use crate::domain::assembly::assembled::Assembled;
use crate::domain::assembly::change::Change;
use crate::domain::falcon::options::FalconOptions;
use crate::domain::image::registry_image::RegistryImage;
use crate::report::secret::Secret;

/// An image that was put together from an entry, and proven.
#[derive(Clone, Debug, PartialEq)]
pub struct CachedGraft {
    /// The image.
    pub(crate) assembled: Assembled,
    /// Additions beyond falconutil's documentation, a phrase each.
    pub(crate) additions: Vec<String>,
}

/// The options of falconctl in an entry that this run does not ask for, by their names alone.
fn unasked_options(change: &Change, options: &FalconOptions) -> Vec<String> {
    let asked = options
        .falconctl_options
        .as_ref()
        .map_or("", Secret::reveal);
    let asked: Vec<&str> = asked.split_whitespace().collect();
    let set = change.variables.iter();
    let set = set.filter_map(|variable| variable.strip_prefix("FALCONCTL_OPTS="));
    let words = set.flat_map(str::split_whitespace);
    words
        .filter(|word| !word.starts_with("--cid=") && !asked.contains(word))
        .map(|word| {
            let name = word.split('=').next().unwrap_or_default();
            let name = if name.starts_with("--") {
                name
            } else {
                "a value"
            };
            format!("{name} in `FALCONCTL_OPTS`")
        })
        .collect()
}

impl CachedGraft {
    /// Makes an entry's change to a source, and compares the result with the source as a graft does.
    ///
    /// # Errors
    /// The reason why the entry is not used.
    pub fn of(
        source: &RegistryImage,
        entry: &Entry,
        options: &FalconOptions,
    ) -> Result<Self, EntryFault> {
        // A phrase can quote what was filled in.
        let secrets = SecretTexts::of(options);
        let unproven = |why: String| EntryFault::Unproven(secrets.hidden(&why));
        let change = entry.change(source.runtime_config(), options)?;
        let assembled = Assembled::of(source, &change, &entry.layer)
            .map_err(|error| unproven(error.to_string()))?;
        let additions = assembled.prove(source, options).map_err(|error| {
            let why = std::error::Error::source(&error).map(ToString::to_string);
            unproven(why.unwrap_or_else(|| error.to_string()))
        })?;
        let additions = additions.iter().map(|text| secrets.hidden(text));
        let unasked = unasked_options(&change, options);
        Ok(Self {
            assembled,
            additions: additions.chain(unasked).collect(),
        })
    }
}
