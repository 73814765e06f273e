use crate::domain::reference::digest::Digest;

/// An image that the target's repository has, without a tag yet.
pub(in crate::flow::run) struct PushedImage {
    /// Its digest.
    pub(in crate::flow::run) digest: Digest,
    /// True if its configuration was not there before, so that no record can refer to it yet.
    pub(in crate::flow::run) is_new: bool,
}
