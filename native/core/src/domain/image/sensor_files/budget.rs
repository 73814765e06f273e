use super::answer::Obstacle;
use super::limits::{NAMES_LIMIT, PACKED_LIMIT, UNPACKED_LIMIT};

/// Bytes of memory that a file takes beside its name.
const NODE: usize = 64;

/// Bytes that a search may still take.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    pub(super) packed: u64,
    pub(super) unpacked: u64,
    pub(super) names: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            packed: PACKED_LIMIT,
            unpacked: UNPACKED_LIMIT,
            names: NAMES_LIMIT,
        }
    }
}

impl Budget {
    /// Counts a name or the target of a link that is kept.
    pub(super) fn keep(&mut self, name: &[u8]) -> Result<(), Obstacle> {
        let left = self.names.checked_sub(name.len() + NODE);
        self.names = left.ok_or(Obstacle::NamesLimit)?;
        Ok(())
    }
}
