//! Compares the image that the target's tag names with the one that this run would make.
//!
//! The registry's record of an image decides only together with the image itself: its layers, its entrypoint and its
//! environment must be those that this run would have to prove.

use std::borrow::Cow;
use std::sync::Arc;

use crate::domain::falcon::options::FalconOptions;
use crate::domain::image::proof::prove_image;
use crate::domain::image::registry_image::RegistryImage;
use crate::domain::provenance::key::Trust;
use crate::domain::provenance::option_fields::{DifferingOptions, OptionFields};
use crate::domain::provenance::record::{Provenance, Recipe};
use crate::flow::config::patch::PatchConfig;
use crate::flow::facts::patch::Facts;
use crate::flow::facts::sensor::SensorFacts;
use crate::flow::facts::source::SourceFacts;
use crate::flow::facts::target::{CurrentImage, TargetFacts};

/// The state of the target before the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetState {
    /// The tag names the image that this run would make.
    UpToDate,
    /// The tag cannot be overwritten, and names the source patched with these options. Its sensor is
    /// not recorded, as after a run that was stopped between push and record.
    Adopted,
    /// A new image is needed.
    Outdated(Reason),
    /// Too little is known to decide.
    Unknown,
}

/// The reason for a new image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// `skipUnchanged` is false.
    Asked,
    /// The tag is not there.
    Missing,
    /// The source has changed.
    Source,
    /// The sensor has changed.
    Sensor,
    /// These options for falconutil have changed, as far as the record tells them.
    Options(DifferingOptions),
    /// The registry has no record of what the image was made of.
    Unrecorded,
    /// No trusted key has signed a record of the image.
    Untrusted,
    /// The registry's records of the image cannot be read.
    Unreadable,
    /// The record does not agree with the image.
    Disagreement,
}

impl Reason {
    /// The reason in the log; none where it is obvious.
    #[must_use]
    pub fn text(self) -> Option<Cow<'static, str>> {
        let text = match self {
            Self::Missing => return None,
            Self::Options(differing) if !differing.is_empty() => {
                return Some(format!("it was patched with another value of {differing}").into());
            }
            Self::Options(_) => "it was patched with another customer ID or other options",
            Self::Asked => "`skipUnchanged` is false, so it is patched in any case",
            Self::Source => "it was patched from another source",
            Self::Sensor => "it was patched with another sensor",
            Self::Unreadable => "the records of what it was made of cannot be read",
            Self::Untrusted => "no trusted key has signed a record of what it was made of",
            Self::Unrecorded => "the registry has no record of what it was made of",
            Self::Disagreement => {
                "it differs from its provenance, so its provenance is not trusted"
            }
        };
        Some(text.into())
    }
}

impl TargetState {
    /// The state of the target in view of the facts; they are compared once and the result is passed on.
    #[must_use]
    pub fn of(config: &PatchConfig, facts: &Facts) -> Self {
        let (Ok(source), Ok(sensor), Ok(target), Ok(options)) = (
            &facts.source,
            &facts.sensor,
            &facts.target,
            facts.falcon_options(config),
        ) else {
            return Self::Unknown;
        };
        if !config.skip_unchanged {
            return Self::Outdated(Reason::Asked);
        }
        let Some(current) = &target.current else {
            return Self::Outdated(Reason::Missing);
        };
        let is_right = prove_image(source.evidence(), &current.image, &options).is_ok();
        match compare(source, sensor, current, &options) {
            Ok(_) if is_right => Self::UpToDate,
            Ok(_) => Self::Outdated(Reason::Disagreement),
            // With keys nothing shows who has put the image there.
            Err(Reason::Unrecorded)
                if is_right
                    && target.is_immutable(&config.target_tag)
                    && matches!(&facts.keys, Ok(keys) if keys.trust == Trust::Anyone) =>
            {
                Self::Adopted
            }
            Err(reason) => Self::Outdated(reason),
        }
    }

    /// Checks that the target's image stays as it is.
    #[must_use]
    pub fn keeps_image(self) -> bool {
        matches!(self, Self::UpToDate | Self::Adopted)
    }

    /// The target's image, if it stays as it is.
    #[must_use]
    pub fn kept_image(self, target: &TargetFacts) -> Option<&Arc<RegistryImage>> {
        let current = target.current.as_ref();
        let current = current.filter(|_| self.keeps_image());
        current.map(|current| &current.image)
    }
}

/// The record by which an image counts as up to date; none where no record is the one that this run would write.
#[must_use]
pub fn matching_record<'a>(config: &PatchConfig, facts: &'a Facts) -> Option<&'a Provenance> {
    let (Ok(source), Ok(sensor), Ok(target), Ok(options)) = (
        &facts.source,
        &facts.sensor,
        &facts.target,
        facts.falcon_options(config),
    ) else {
        return None;
    };
    compare(source, sensor, target.current.as_ref()?, &options).ok()
}

/// Compares what is recorded with what this run would record, and returns the record that is the same.
fn compare<'a>(
    source: &SourceFacts,
    sensor: &SensorFacts,
    current: &'a CurrentImage,
    options: &FalconOptions,
) -> Result<&'a Provenance, Reason> {
    let Ok(known) = &current.provenance else {
        return Err(Reason::Unreadable);
    };
    let provenance = &known.believed;
    let wanted = Recipe::new(source.digest(), &sensor.arm64, options);
    let is_same = |known: &&Provenance| known.recipe == wanted;
    // An image of the engine has no digest that shows that it is the same.
    if let Some(same) = provenance.iter().find(is_same)
        && wanted.source.is_some()
    {
        return Ok(same);
    }
    if provenance.is_empty() {
        return Err(if known.ignored.is_empty() && known.unread == 0 {
            Reason::Unrecorded
        } else {
            Reason::Untrusted
        });
    }
    // The same image can have several records, of which the nearest counts.
    let has_source =
        |known: &Provenance| wanted.source.is_some() && known.recipe.source == wanted.source;
    let has_both = |known: &Provenance| has_source(known) && known.recipe.sensor == wanted.sensor;
    Err(
        if let Some(known) = provenance.iter().find(|known| has_both(known)) {
            Reason::Options(OptionFields::of(options).differences(&known.options))
        } else if provenance.iter().any(has_source) {
            Reason::Sensor
        } else {
            Reason::Source
        },
    )
}

#[cfg(test)]
mod tests;
