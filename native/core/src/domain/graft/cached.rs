//! The image that an entry of the graft cache makes of a source.

use super::entry::Entry;
use super::entry_fault::EntryFault;
use crate::domain::assembly::assembled::Assembled;
use crate::domain::falcon::options::FalconOptions;
use crate::domain::image::registry_image::RegistryImage;

/// An image that was put together from an entry, and proven.
#[derive(Clone, Debug, PartialEq)]
pub struct CachedGraft {
    /// The image.
    pub(crate) assembled: Assembled,
    /// Additions beyond falconutil's documentation, a phrase each.
    pub(crate) additions: Vec<String>,
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
        let unproven = |why: String| EntryFault::Unproven(why);
        let change = entry.change(source.runtime_config(), options)?;
        let assembled = Assembled::of(source, &change, &entry.layer)
            .map_err(|error| unproven(error.to_string()))?;
        let additions = assembled.prove(source, options).map_err(|error| {
            let why = std::error::Error::source(&error).map(ToString::to_string);
            unproven(why.unwrap_or_else(|| error.to_string()))
        })?;
        Ok(Self {
            assembled,
            additions,
        })
    }
}
