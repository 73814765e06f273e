//! The files in which buildx keeps builders.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use crate::domain::builder::{Builder, BuilderName};
use crate::report::code::Code;
use crate::report::problem::Explain;

/// Reason that a builder cannot be created.
#[derive(Debug, thiserror::Error)]
pub enum InstanceError {
    /// The user has one.
    #[error("A buildx builder `{name}` is there already")]
    Taken {
        /// The name.
        name: BuilderName,
        /// The user's folder of buildx.
        #[source]
        r#where: Place,
    },
    /// It is unknown whether one exists.
    #[error("Cannot look for the buildx builder `{name}` in `{folder}`", folder = folder.display())]
    Unreadable {
        /// The name.
        name: BuilderName,
        /// The folder of buildx.
        folder: PathBuf,
        /// The error of the disk.
        source: io::Error,
    },
}

/// Place where something was found.
#[derive(Debug, thiserror::Error)]
#[error("it is kept in `{folder}`", folder = .0.display())]
pub struct Place(PathBuf);

impl Explain for InstanceError {
    fn code(&self) -> Code {
        match self {
            Self::Taken { .. } => Code::EngineBuilderTaken,
            Self::Unreadable { .. } => Code::EngineBuilderFailed,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Taken { .. } => "Give `builderName` another name, or leave it empty and have later steps use the builder that is there",
            Self::Unreadable { .. } => "Let the agent's user read that folder, or leave `builderName` empty",
        }.to_owned())
    }
}

/// Returns true if an earlier step of the job has created the builder.
///
/// # Errors
/// The folder cannot be read.
pub fn is_created(builder: &Builder) -> Result<bool, InstanceError> {
    is_in(&builder.name, &builder.folder)
}

/// Refuses a name that the user's own builder has: later steps that name it would get another one without a word.
///
/// `variable` reads the environment, by which buildx finds the user's builders.
///
/// # Errors
/// The user has a builder of that name, or the user's folder cannot be read.
pub fn refuse_taken(
    builder: &Builder,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<(), InstanceError> {
    let Some(users) = users_folder(variable) else {
        return Ok(());
    };
    if users != builder.folder && is_in(&builder.name, &users)? {
        return Err(InstanceError::Taken {
            name: builder.name.clone(),
            r#where: Place(users),
        });
    }
    Ok(())
}

fn is_in(name: &BuilderName, folder: &Path) -> Result<bool, InstanceError> {
    let file = folder.join("instances").join(name.file());
    file.try_exists()
        .map_err(|source| InstanceError::Unreadable {
            name: name.clone(),
            folder: folder.to_owned(),
            source,
        })
}

/// Folder where buildx keeps the builders of its user
/// (<https://docs.docker.com/build/building/variables/#buildx_config>).
fn users_folder(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let folder = |name: &str| {
        let value = variable(name).filter(|value| !value.is_empty());
        value.map(PathBuf::from)
    };
    folder("BUILDX_CONFIG")
        .or_else(|| Some(folder("DOCKER_CONFIG")?.join("buildx")))
        .or_else(|| Some(folder("HOME")?.join(".docker/buildx")))
}

#[cfg(test)]
mod tests {
    use super::{is_created, refuse_taken};
    use crate::report::code::Code;
    use crate::report::problem::Problem;
    use crate::test_support::builder::{builder, only};
    use std::fs;

    #[test]
    fn a_name_that_a_builder_of_the_user_has_is_refused_however_it_is_written() {
        let root = tempfile::tempdir().expect("a folder");
        let users = root.path().join("users/buildx");
        fs::create_dir_all(users.join("instances")).expect("a folder");
        fs::write(users.join("instances/arm64builder"), "{}").expect("a builder");
        let taken = builder(root.path(), "ARM64builder");
        let free = builder(root.path(), "another");
        let docker = root.path().join("users");
        for variable in [
            only("BUILDX_CONFIG", &users),
            only("DOCKER_CONFIG", &docker),
        ] {
            assert!(refuse_taken(&free, &variable).is_ok());
            let problem: Problem = refuse_taken(&taken, &variable)
                .expect_err("a refusal")
                .into();
            assert_eq!(problem.code, Code::EngineBuilderTaken);
            assert_eq!(
                problem.why,
                [format!("it is kept in `{}`", users.display())]
            );
        }
    }

    #[test]
    fn the_builder_of_an_earlier_step_is_found_and_not_taken_for_the_users() {
        let root = tempfile::tempdir().expect("a folder");
        let builder = builder(root.path(), "Arm64");
        assert!(!is_created(&builder).expect("a readable folder"));
        fs::create_dir_all(builder.folder.join("instances")).expect("a folder");
        fs::write(builder.folder.join("instances/arm64"), "{}").expect("a builder");
        assert!(is_created(&builder).expect("a readable folder"));
        let ours = only("BUILDX_CONFIG", &builder.folder);
        assert!(refuse_taken(&builder, ours).is_ok());
    }

    #[test]
    fn a_folder_that_cannot_be_read_is_a_problem_and_not_a_free_name() {
        let root = tempfile::tempdir().expect("a folder");
        let file = root.path().join("file");
        fs::write(&file, "").expect("a file");
        // A name within a file cannot be looked up, also not by root.
        let builder = builder(root.path(), "arm64");
        let refused = refuse_taken(&builder, only("BUILDX_CONFIG", &file));
        let problem: Problem = refused.expect_err("a problem").into();
        assert_eq!(problem.code, Code::EngineBuilderFailed);
    }
}
