use super::copy;
use super::instruction::Instruction;
use super::lines::logical_lines;
use super::stages::Stages;
use crate::adapters::engine::socket::filter::context::{Context, ContextFile};
use crate::adapters::engine::socket::grant::Grant;

/// A Dockerfile written anew.
#[derive(Debug)]
pub(in crate::adapters::engine::socket::filter) struct Rewritten<'a> {
    /// Its text.
    pub(in crate::adapters::engine::socket::filter) text: String,
    /// The files of the context that it copies, each once.
    pub(in crate::adapters::engine::socket::filter) files: Vec<&'a ContextFile>,
}

/// Instructions that set values of the image and reach nothing else.
const SETTINGS: &[&str] = &[
    "ARG",
    "CMD",
    "ENTRYPOINT",
    "ENV",
    "EXPOSE",
    "HEALTHCHECK",
    "LABEL",
    "MAINTAINER",
    "SHELL",
    "STOPSIGNAL",
    "USER",
    "VOLUME",
    "WORKDIR",
];

/// Reads a Dockerfile and writes it anew, with what the run grants and nothing else.
///
/// # Errors
/// The reason why it is refused.
pub(in crate::adapters::engine::socket::filter) fn rewrite<'a>(
    text: &str,
    context: &'a Context,
    grant: &Grant,
) -> Result<Rewritten<'a>, String> {
    let mut stages = Stages::default();
    let mut written: Vec<String> = Vec::new();
    let mut files: Vec<&ContextFile> = Vec::new();
    for line in logical_lines(text)? {
        let instruction = Instruction::read(&line)?;
        let keyword = instruction.keyword.as_str();
        if stages.is_empty() && !matches!(keyword, "FROM" | "ARG") {
            return Err(format!("its Dockerfile has `{keyword}` before `FROM`"));
        }
        // Lines that follow would be files of their own.
        if matches!(keyword, "ADD" | "COPY" | "RUN") && instruction.rest.contains("<<") {
            return Err(format!("`{keyword}` has a heredoc"));
        }
        match keyword {
            "FROM" => written.push(stages.begin(&instruction, grant)?),
            "ADD" | "COPY" => {
                let copy = copy::read(&instruction, &stages, context, grant)?;
                written.push(copy.line);
                for file in copy.files {
                    if !files.iter().any(|known| known.path == file.path) {
                        files.push(file);
                    }
                }
            }
            // Its flags give it mounts, the network or privileges.
            "RUN" if instruction.rest.starts_with("--") => {
                return Err("`RUN` has flags".to_owned());
            }
            "RUN" => written.push(instruction.write()),
            _ if SETTINGS.contains(&keyword) => written.push(instruction.write()),
            _ => return Err(format!("its Dockerfile has `{keyword}`")),
        }
    }
    if stages.is_empty() {
        return Err("its Dockerfile has no `FROM`".to_owned());
    }
    written.push(String::new());
    Ok(Rewritten {
        text: written.join("\n"),
        files,
    })
}
