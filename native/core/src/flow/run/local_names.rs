//! Names in the engine that exist during the run alone.

use super::cleanup::Undo;
use super::context::Run;
use crate::adapters::journal::JournalItem;
use crate::report::problem::Problem;

/// The domain of names that exist in the engine only; `.invalid` never resolves (RFC 2606), so nothing can be pulled or pushed by them.
pub(super) const LOCAL_DOMAIN: &str = "falcon-patch.invalid";

impl Run {
    /// Returns a name of this run alone, which is removed at the end.
    pub(super) fn local_name(&self, tag: &str) -> Result<String, Problem> {
        let name = format!("{LOCAL_DOMAIN}/{}:{tag}", self.id);
        self.reserve_local_name(name.clone())?;
        Ok(name)
    }

    /// Schedules the removal of a name before the engine gets it.
    pub(super) fn reserve_local_name(&self, reference: String) -> Result<(), Problem> {
        self.record(JournalItem::Tag {
            reference: reference.clone(),
        })?;
        self.cleanup.push(Undo::Image(reference));
        Ok(())
    }
}
