//! The rules that cells must follow, and their exceptions with reasons.

use crate::adapters::http::client::RequestKind as _;
use crate::adapters::registry::request_kind::RegistryRequest;
use crate::test_support::fault::{Fault, Rule};

/// Rule of a cell: that of its fault, unless the request has a reason for another.
#[expect(
    clippy::match_same_arms,
    reason = "each exception has a reason of its own"
)]
pub(super) fn rule(kind: RegistryRequest, fault: Fault) -> Rule {
    use RegistryRequest as R;
    let usual = fault.rule();
    match (kind, fault) {
        // Its answer is a yes or a no, and who asks does so again.
        (R::Ping, _) if usual == Rule::TriedAgain => Rule::Final,
        (R::Ping, Fault::Accepted | Fault::OtherContent | Fault::Page) => Rule::Harmless,
        // Without a body it could be an expired login.
        (R::BlobCheck, Fault::Denied) => Rule::Renewed,
        // A refusal of what the request only saves: the answer to the next one counts.
        (R::TagDigest | R::BlobPresence, _) if usual == Rule::Final => Rule::Harmless,
        (R::TagDigest | R::BlobPresence, Fault::Accepted) | (R::TagDigest, Fault::Page) => {
            Rule::Harmless
        }
        (R::TagDigest | R::BlobPresence, _) if usual == Rule::Renewed => Rule::Harmless,
        // It was carried out, and the next try finds the blob in its place.
        (
            R::Mount | R::BlobUpload,
            Fault::Reset | Fault::CutHead | Fault::CutBody | Fault::Stalled,
        ) => Rule::Harmless,
        // A registry that does not mount begins an upload.
        (R::Mount, Fault::Accepted) => Rule::Harmless,
        // The registry has the manifest, and the digest says that it is the same.
        (R::ManifestPut, Fault::TagKept) => Rule::Final,
        // A registry without a list has an index under a tag.
        (R::Referrers, Fault::NotFound | Fault::NotFoundByName) => Rule::Harmless,
        // A login that its issuer refuses is not shown again.
        (R::Token | R::TokenByForm, _) if usual == Rule::Renewed => Rule::Final,
        // This is the answer that is waited for; another one leaves the first refusal.
        (R::Challenge, Fault::Unauthorized) => Rule::Harmless,
        (R::Challenge, _) if usual != Rule::TriedAgain && fault != Fault::Slow => Rule::Final,
        // Neither what changes something nor a login follows to another address.
        (R::Token | R::TokenByForm, Fault::Redirect) => Rule::Final,
        (_, Fault::Redirect) if !kind.follows_redirects() => Rule::Final,
        // A location means something where an upload begins.
        (R::UploadStart | R::Mount | R::TagDigest | R::BlobPresence | R::Ping, Fault::Location) => {
            usual
        }
        (_, Fault::Location) => Rule::NotBelieved,
        _ => usual,
    }
}
