use crate::adapters::engine::container::spec::ContainerEnd;

/// The last lines that a program wrote, as the reason of its failure.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct LastLines(String);

impl LastLines {
    /// Takes the last ten; the log has the rest.
    pub(super) fn of(end: &ContainerEnd) -> Self {
        let first = end.last_lines.len().saturating_sub(10);
        Self(end.last_lines[first..].join("\n"))
    }
}
