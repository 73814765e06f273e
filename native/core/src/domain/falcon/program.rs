//! falconutil by itself: its file, taken out of the native sensor image, in a container of the ARM64 one.
//!
//! So the native image need not be pulled. falconutil is closed: nothing but its file shows whether it runs by itself.

use super::elf::{ElfFault, HEAD, check_static};
use crate::domain::image::sensor_files::answer::{
    Absence, Obstacle as SearchObstacle, SensorFiles,
};
use crate::domain::image::sensor_files::file_copy::{CopiedFile, NotCopied};
use crate::domain::platform::Platform;

/// The path of falconutil in a sensor image.
pub const FALCONUTIL: &str = "/usr/bin/falconutil";

/// The most bytes of a falconutil that is taken out of its image.
pub(crate) const LIMIT: u64 = 256 << 20;

/// The first bytes of falconutil that are looked at.
pub(crate) const PROGRAM_HEAD: usize = HEAD;

/// The lowest exit code that container engines and shells give for a program that could not be run.
const NOT_RUN: i64 = 125;

/// Reason to run falconutil in its own image; a phrase that goes on after a colon.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProgramObstacle {
    /// The file could not be mounted.
    #[error("the engine cannot mount the agent's folders")]
    NotMountable,
    /// The registry does not give the layers.
    #[error("{0}")]
    Registry(String),
    /// The layers cannot be searched.
    #[error(transparent)]
    NotSearched(SearchObstacle),
    /// The image has no such file.
    #[error(transparent)]
    NotFound(Absence),
    /// The name is a link, or within one.
    #[error("`{FALCONUTIL}` leads to `{0}`")]
    Elsewhere(String),
    /// The file cannot be copied.
    #[error("`{FALCONUTIL}` cannot be taken out of its layer: {0}")]
    NotCopied(#[from] NotCopied),
    /// The file needs more of its image.
    #[error("`{FALCONUTIL}` does not run alone: {0}")]
    NotStatic(#[from] ElfFault),
    /// The agent's disk does not take the file, or give it back as it was.
    #[error("the agent's work folder does not keep it: {0}")]
    NotKept(String),
    /// The engine does not start it.
    #[error("the engine does not run it: {0}")]
    Engine(String),
    /// It ran, and failed.
    #[error("it ended with exit code {exit_code}")]
    Ended {
        /// The exit code.
        exit_code: i64,
    },
}

impl ProgramObstacle {
    /// The line that says so.
    #[must_use]
    pub fn describe(&self) -> String {
        format!("falconutil is not run outside of its image: {self}; using the native sensor image")
    }
}

/// Checks a copy of falconutil against the answer of the search that made it.
///
/// # Errors
/// The reason that it cannot run by itself.
pub fn check(
    answer: SensorFiles,
    copied: Result<CopiedFile, NotCopied>,
    engine: &Platform,
) -> Result<CopiedFile, ProgramObstacle> {
    let found = match answer {
        SensorFiles::Present(found) => found,
        SensorFiles::Missing(absence) => return Err(ProgramObstacle::NotFound(absence)),
        SensorFiles::Unknown(obstacle) => return Err(ProgramObstacle::NotSearched(obstacle)),
    };
    if found.path != FALCONUTIL {
        return Err(ProgramObstacle::Elsewhere(found.path));
    }
    let copied = copied?;
    check_static(&copied.head, engine)?;
    Ok(copied)
}

/// Returns true if falconutil knows `--platform`, from the end of the run in which it was asked for its flags.
///
/// Its help may end with any code of its own. A failure without the flag need not be an answer, so its image is asked.
///
/// # Errors
/// The exit code of a run that is not an answer.
pub fn knows_platform(exit_code: i64, names_platform: bool) -> Result<bool, ProgramObstacle> {
    let is_answer = exit_code == 0 || (names_platform && (1..NOT_RUN).contains(&exit_code));
    if is_answer {
        Ok(names_platform)
    } else {
        Err(ProgramObstacle::Ended { exit_code })
    }
}

#[cfg(test)]
mod tests {
    use super::{FALCONUTIL, ProgramObstacle, check, knows_platform};
    use crate::domain::falcon::elf::{ElfFault, sample};
    use crate::domain::image::sensor_files::answer::{Absence, FoundFile, Obstacle, SensorFiles};
    use crate::domain::image::sensor_files::file_copy::{CopiedFile, NotCopied};
    use crate::domain::platform::Platform;
    use crate::domain::reference::digest::Digest;

    fn found(path: &str) -> SensorFiles {
        SensorFiles::Present(FoundFile {
            path: path.to_owned(),
            bytes: 7,
            layer: Digest::of(b"layer"),
        })
    }

    fn copied(head: Vec<u8>) -> CopiedFile {
        CopiedFile {
            bytes: head.len() as u64,
            digest: Digest::of(&head),
            head,
        }
    }

    fn obstacle(answer: SensorFiles, copy: Result<CopiedFile, NotCopied>) -> ProgramObstacle {
        let checked = check(answer, copy, &Platform::linux("amd64"));
        checked.expect_err("an obstacle")
    }

    #[test]
    fn a_static_program_at_its_path_runs_by_itself() {
        let program = copied(sample(&[1]));
        let checked = check(
            found(FALCONUTIL),
            Ok(program.clone()),
            &Platform::linux("amd64"),
        );
        assert_eq!(checked, Ok(program));
    }

    #[test]
    fn each_obstacle_is_named() {
        let program = || Ok(copied(sample(&[1])));
        let path = FALCONUTIL.to_owned();
        let absence = Absence::Nowhere { path };
        for (answer, copy, expected) in [
            (
                SensorFiles::Missing(absence.clone()),
                program(),
                ProgramObstacle::NotFound(absence),
            ),
            (
                SensorFiles::Unknown(Obstacle::UnpackedLimit),
                program(),
                ProgramObstacle::NotSearched(Obstacle::UnpackedLimit),
            ),
            (
                found("/opt/futil"),
                program(),
                ProgramObstacle::Elsewhere("/opt/futil".to_owned()),
            ),
            (
                found(FALCONUTIL),
                Err(NotCopied::NoEntry),
                ProgramObstacle::NotCopied(NotCopied::NoEntry),
            ),
            (
                found(FALCONUTIL),
                Ok(copied(b"#!/bin/sh\n".to_vec())),
                ProgramObstacle::NotStatic(ElfFault::NotElf),
            ),
            (
                found(FALCONUTIL),
                Ok(copied(sample(&[1, 3]))),
                ProgramObstacle::NotStatic(ElfFault::Interpreter),
            ),
        ] {
            let seen = obstacle(answer, copy);
            assert_eq!(seen, expected);
            assert!(seen.describe().ends_with("; using the native sensor image"));
        }
    }

    #[test]
    fn only_an_answer_says_whether_it_knows_the_platform() {
        for (exit_code, names_platform, expected) in [
            (0, true, Some(true)),
            (0, false, Some(false)),
            (2, true, Some(true)),
            (1, false, None),
            (126, true, None),
            (127, false, None),
            (139, true, None),
            (137, false, None),
            (-1, true, None),
        ] {
            let knows = knows_platform(exit_code, names_platform);
            let wanted = expected.ok_or(ProgramObstacle::Ended { exit_code });
            assert_eq!(knows, wanted, "{exit_code} {names_platform}");
        }
    }
}
