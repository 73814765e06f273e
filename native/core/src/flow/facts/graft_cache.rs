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
    Hit(CacheHit),
    /// The cache has no entry.
    Missing {
        /// The parts in which the question of the nearest entry differs; none if no other entry is known.
        nearest: Option<Vec<String>>,
    },
    /// There is an entry, and it is not used.
    Refused(EntryFault),
    /// The registry did not give the entry.
    Unread(Problem),
}

/// An entry that is used.
#[derive(Clone, Debug)]
pub struct CacheHit {
    /// The digest of the entry's manifest.
    pub entry: Digest,
    /// The name of the trusted key that has signed it; none where no key is known.
    pub signer: Option<String>,
    /// The image that it makes.
    pub graft: Arc<CachedGraft>,
}

impl GraftCacheFacts {
    /// The entry that is used; none if the cache has none.
    #[must_use]
    pub fn hit(&self) -> Option<&CacheHit> {
        match &self.answer {
            CacheAnswer::Hit(hit) => Some(hit),
            CacheAnswer::Missing { .. } | CacheAnswer::Refused(_) | CacheAnswer::Unread(_) => None,
        }
    }
}
