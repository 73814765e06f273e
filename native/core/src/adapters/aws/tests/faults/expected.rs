//! The rules that cells must follow, and their exceptions with reasons.

use super::Kind;
use crate::adapters::aws::action::Action;
use crate::test_support::fault::{Fault, Rule};

/// Rule of a cell: that of its fault, unless the request has a reason for another.
pub(super) fn rule(kind: Kind, fault: Fault) -> Rule {
    use Action as A;
    let usual = fault.rule();
    match (kind, fault) {
        // Each that ECS carries out is a deployment, so it is sent once.
        (Kind::Aws(A::UpdateService), _) if usual == Rule::TriedAgain => Rule::Final,
        // The SDK tries again what AWS's own codes call passing, and 5xx; a bare 429 is not AWS's.
        (Kind::Aws(_), Fault::TooManyWithWait) => Rule::Final,
        // An answer that is cut off at the limit is like one that broke off.
        (Kind::Aws(A::UpdateService) | Kind::OidcToken, Fault::Oversized) => usual,
        (Kind::Aws(_), Fault::Oversized) => Rule::TriedAgain,
        // A list without entries is an answer, and so is a dry run that succeeds: the signature itself shows the rest.
        (
            Kind::Aws(
                A::DryRunOfSign | A::DescribeServiceDeployments | A::ListTasks | A::DescribeTasks,
            ),
            Fault::Accepted | Fault::OtherContent,
        ) => Rule::Harmless,
        // Credentials that AWS refuses are not shown again.
        (_, _) if usual == Rule::Renewed => Rule::Final,
        // A signed request goes to AWS alone.
        (_, Fault::Redirect) => Rule::Final,
        _ => usual,
    }
}
