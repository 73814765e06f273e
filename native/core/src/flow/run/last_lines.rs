use crate::adapters::engine::container::spec::ContainerEnd;

/// What a program wrote last, as the reason of its failure.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct LastLines(String);

impl LastLines {
    /// The last ten; the rest stands in the log.
    pub(super) fn of(end: &ContainerEnd) -> Self {
        let first = end.last_lines.len().saturating_sub(10);
        Self(end.last_lines[first..].join("\n"))
    }
}
