use std::sync::Arc;

use crate::domain::graft::cached::CachedGraft;
use crate::domain::graft::entry_fault::EntryFault;
use crate::domain::graft::question::Question;
use crate::domain::reference::digest::Digest;
use crate::report::problem::Problem;

/// The question of this run to the graft cache, and the answer.
#[derive(Clone, Debug)]
pub struct GraftCacheFacts {
    /// The question.
    pub question: Question,
    /// The answer.
    pub answer: CacheAnswer,
}

/// The answer of the graft cache.
#[derive(Clone, Debug)]
pub enum CacheAnswer {
    /// An entry makes an image that was proven.
    Hit {
        /// The digest of the entry's manifest.
        entry: Digest,
        /// The image.
        graft: Arc<CachedGraft>,
    },
    /// There is no entry.
    Missing {
        /// The parts in which the question of the nearest entry differs; none if no other entry is known.
        nearest: Option<Vec<String>>,
    },
    /// There is an entry, and it is not used.
    Refused(EntryFault),
    /// The registry did not give the entry.
    Unread(Problem),
}

impl GraftCacheFacts {
    /// The entry that is used, and the image that it makes.
    #[must_use]
    pub fn hit(&self) -> Option<(&Digest, &Arc<CachedGraft>)> {
        match &self.answer {
            CacheAnswer::Hit { entry, graft } => Some((entry, graft)),
            CacheAnswer::Missing { .. } | CacheAnswer::Refused(_) | CacheAnswer::Unread(_) => None,
        }
    }
}
