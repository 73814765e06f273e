//! Names in the engine that exist during the run alone.

use super::cleanup::Undo;
use super::context::Run;
use crate::adapters::journal::JournalItem;
use crate::domain::reference::repository::Repository;
use crate::domain::reference::tag::Tag;
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

    /// Prepares for giving the target's name to our image for a while: an image that had it gets it back.
    pub(super) async fn borrow_target_name(
        &self,
        reference: &str,
        repository: &Repository,
        tag: &Tag,
        ours: &str,
    ) -> Result<(), Problem> {
        let former = self.services.engine()?.image(reference).await?;
        if let Some(former) = former.filter(|former| former.id != ours) {
            self.cleanup.push(Undo::Retag {
                image: former.id,
                repository: repository.to_string(),
                tag: tag.to_string(),
            });
            return Ok(());
        }
        self.reserve_local_name(reference.to_owned())
    }
}
