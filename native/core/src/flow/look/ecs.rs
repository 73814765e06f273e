//! Reads the ECS task definition, and checks that the finished one can be written.

use std::io;
use std::path::{Path, PathBuf};

use tokio::io::AsyncReadExt as _;

use super::sidecars;
use crate::adapters::output_file::OutputFile;
use crate::domain::ecs::findings::Origin;
use crate::domain::ecs::task_definition::{TaskDefinition, Wanted};
use crate::flow::config::patch::TaskDefinitionFile;
use crate::flow::facts::fact::Fact;
use crate::report::code::Code;
use crate::report::problem::Explain;

/// Largest file that is read, in bytes; ECS takes no definition beyond 64 KiB.
const LIMIT: u64 = 1024 * 1024;

/// A problem with a file.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    #[error("Cannot read the ECS task definition `{path}`", path = path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("Cannot write the ECS task definition `{path}`", path = path.display())]
    NotWritable { path: PathBuf, source: io::Error },
}

impl Explain for FileError {
    fn code(&self) -> Code {
        match self {
            Self::Unreadable { .. } => Code::EcsTaskDefinitionUnreadable,
            Self::NotWritable { .. } => Code::EcsOutputNotWritable,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Unreadable { .. } => "Set `taskDefinition` to a file of the sources, or of a step before this one",
            Self::NotWritable { .. } => "Set `taskDefinitionOutput` to a regular or new file, and no link, in a folder that is there, such as `$(Build.ArtifactStagingDirectory)/task-definition.json`",
        }.to_owned())
    }
}

/// Reads the file, corrects it, and checks that the finished one can be written where it is wanted: within `roots`
/// through no link that leads out of them.
pub(super) async fn look(
    file: &TaskDefinitionFile,
    container: Option<&str>,
    roots: &[&Path],
) -> Fact<TaskDefinition> {
    let path = file.path.clone();
    let bytes = read(&path)
        .await
        .map_err(|source| FileError::Unreadable { path, source })?;
    let wanted = Wanted {
        container,
        is_registered: file.register,
        origin: Origin::File,
    };
    let mut definition = TaskDefinition::read(&bytes, wanted)?;
    check_output(file.output.as_deref(), roots)?;
    check_sidecars(&mut definition).await;
    Ok(definition)
}

/// Reads ECS's answer about a registered definition in the same way.
pub(super) async fn registered(
    answer: &[u8],
    container: Option<&str>,
    output: Option<&Path>,
    roots: &[&Path],
) -> Fact<TaskDefinition> {
    let wanted = Wanted {
        container,
        is_registered: true,
        origin: Origin::Service,
    };
    let mut definition = TaskDefinition::read(answer, wanted)?;
    check_output(output, roots)?;
    check_sidecars(&mut definition).await;
    Ok(definition)
}

fn check_output(output: Option<&Path>, roots: &[&Path]) -> Result<(), FileError> {
    let Some(path) = output else {
        return Ok(());
    };
    let located = OutputFile::locate(path, roots).map(|_| ());
    let path = path.to_owned();
    located.map_err(|source| FileError::NotWritable { path, source })
}

async fn check_sidecars(definition: &mut TaskDefinition) {
    let warnings = sidecars::check(&definition.public_sidecars()).await;
    definition.warnings.extend(warnings);
}

/// Reads a regular file. What has no end, such as a pipe or a device, is not opened.
async fn read(path: &Path) -> io::Result<Vec<u8>> {
    if !tokio::fs::metadata(path).await?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mut bytes = Vec::new();
    let file = tokio::fs::File::open(path).await?;
    file.take(LIMIT + 1).read_to_end(&mut bytes).await?;
    if bytes.len() as u64 > LIMIT {
        return Err(io::Error::other("it is larger than 1 MiB"));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::look;
    use crate::flow::config::patch::TaskDefinitionFile;
    use crate::report::code::Code;
    use std::path::PathBuf;

    const DEFINITION: &str = r#"{"family": "web", "containerDefinitions": [{"name": "web"}], "cpu": "256", "memory": "512", "executionRoleArn": "arn:aws:iam::123456789012:role/x"}"#;

    async fn check(path: PathBuf, output: Option<PathBuf>) -> Option<Code> {
        let file = TaskDefinitionFile {
            path,
            output,
            register: false,
        };
        look(&file, None, &[])
            .await
            .err()
            .map(|problem| problem.code)
    }

    #[tokio::test]
    async fn files_that_cannot_be_read_or_written_are_told_before_anything_is_done() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("in.json"), DEFINITION).expect("a file");
        let unreadable = Some(Code::EcsTaskDefinitionUnreadable);
        assert_eq!(check(at("nope.json"), None).await, unreadable);
        assert_eq!(check(at(""), None).await, unreadable);
        std::fs::write(at("latin1.json"), b"{\"family\": \"\xe9\"}").expect("a file");
        assert_eq!(check(at("latin1.json"), None).await, unreadable);
        assert_eq!(check("/dev/zero".into(), None).await, unreadable);
        let pipe = at("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.is_ok_and(|made| made.success()));
        assert_eq!(check(pipe, None).await, unreadable);
        let spaces = " ".repeat(1024 * 1024 + 1 - DEFINITION.len());
        std::fs::write(at("large.json"), format!("{DEFINITION}{spaces}")).expect("a file");
        assert_eq!(check(at("large.json"), None).await, unreadable);
        std::fs::write(at("fits.json"), format!("{DEFINITION}{}", &spaces[1..])).expect("a file");
        assert_eq!(check(at("fits.json"), None).await, None);
        let not_writable = Some(Code::EcsOutputNotWritable);
        assert_eq!(check(at("in.json"), Some(at("no/out"))).await, not_writable);
        assert_eq!(check(at("in.json"), Some(at(""))).await, not_writable);
        assert_eq!(check(at("in.json"), Some(at("out.json"))).await, None);
        assert_eq!(check(at("in.json"), Some(at("in.json"))).await, None);
        assert!(!at("out.json").exists(), "nothing is written by looking");
    }
}
