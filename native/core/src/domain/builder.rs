//! A buildx builder that a run leaves to the later steps of its job.
//!
//! It lives in a folder of its own, which those steps are told as `BUILDX_CONFIG`, so nothing of the user's is touched.
//! `BuildKit` itself, a container with a volume, is started by buildx when the builder is first used; both are named
//! after the builder's node, and the node after the run: nobody else's container can have such a name.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use super::agent::Agent;

/// Name that buildx keeps for itself (`ValidateName` of <https://github.com/docker/buildx/blob/master/store/util.go>).
const RESERVED: &str = "default";

/// The name becomes that of a file.
const LONGEST: usize = 128;

/// A name that buildx accepts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuilderName(String);

/// Reason that a text is not a builder's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BuilderNameError {
    /// It holds something else than buildx accepts.
    #[error(
        "a builder's name begins with a letter and holds letters, digits, `.`, `_` and `-`, at most {LONGEST}"
    )]
    Malformed,
    /// buildx has a builder of that name already.
    #[error("`{RESERVED}` is the engine's own builder")]
    Reserved,
}

impl FromStr for BuilderName {
    type Err = BuilderNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        let begins_well = text.starts_with(|c: char| c.is_ascii_alphabetic());
        if !begins_well || text.len() > LONGEST || !text.chars().all(is_plain) {
            return Err(BuilderNameError::Malformed);
        }
        if text.eq_ignore_ascii_case(RESERVED) {
            return Err(BuilderNameError::Reserved);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for BuilderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A builder of one job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Builder {
    /// Name that later steps call it by.
    pub name: BuilderName,
    /// The folder that is `BUILDX_CONFIG` for them; the same for every step of a job.
    pub folder: PathBuf,
}

impl Builder {
    /// The builder of that name in the agent's job; nothing is made.
    #[must_use]
    pub fn of_job(name: BuilderName, agent: &Agent) -> Self {
        // Two names that differ in their case only are one builder to buildx.
        let folder = format!("falcon-patch-builder-{}-{}", agent.job, name.file());
        Self {
            folder: agent.temp_folder.join(folder),
            name,
        }
    }

    /// The name that its node gets from the run that makes it.
    #[must_use]
    pub fn node(run: &str) -> String {
        format!("falcon-patch-{run}")
    }
}

impl BuilderName {
    /// The name of the file in which buildx keeps the builder.
    #[must_use]
    pub fn file(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

#[cfg(test)]
mod tests;
