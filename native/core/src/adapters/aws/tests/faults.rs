//! Every fault of AWS, and of the issuer of OIDC tokens, on every kind of request to them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{Region, SdkConfig};
use futures_util::{StreamExt as _, stream};
use strum::VariantArray as _;

use super::{keys, sdk, signed_in};
use crate::adapters::aws::action::Action;
use crate::report::problem::Problem;
use crate::test_support::fault::{Fault, Peer};
use crate::test_support::fault_table::{Cell, Played, check};
use drive::drive;
use expected::rule;
use stand_in::{Plan, StandIn};

mod drive;
mod expected;
mod stand_in;

/// Requests of one kind that are sent before a failure is given up on.
const TRIES: usize = 5;

/// Cells that are played at the same time.
const AT_ONCE: usize = 16;

/// A kind of request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Aws(Action),
    /// The token of a job for a service connection, which Azure DevOps issues.
    OidcToken,
}

impl Kind {
    fn all() -> impl Iterator<Item = Self> {
        let actions = Action::VARIANTS.iter().copied().map(Self::Aws);
        actions.chain([Self::OidcToken])
    }

    /// Name on the page.
    fn name(self) -> &'static str {
        match self {
            Self::Aws(Action::DryRunOfSign) => "`kms:Sign`, dry run",
            Self::Aws(Action::GetCallerIdentity) => "`sts:GetCallerIdentity`",
            Self::Aws(Action::AssumeRole) => "`sts:AssumeRole`",
            Self::Aws(Action::AssumeRoleWithWebIdentity) => "`sts:AssumeRoleWithWebIdentity`",
            Self::Aws(Action::GetAuthorizationToken) => "`ecr:GetAuthorizationToken`",
            Self::Aws(Action::DescribeRepositories) => "`ecr:DescribeRepositories`",
            Self::Aws(Action::CreateRepository) => "`ecr:CreateRepository`",
            Self::Aws(Action::GetPublicKey) => "`kms:GetPublicKey`",
            Self::Aws(Action::Sign) => "`kms:Sign`",
            Self::Aws(Action::DescribeTaskDefinition) => "`ecs:DescribeTaskDefinition`",
            Self::Aws(Action::RegisterTaskDefinition) => "`ecs:RegisterTaskDefinition`",
            Self::Aws(Action::DescribeServices) => "`ecs:DescribeServices`",
            Self::Aws(Action::UpdateService) => "`ecs:UpdateService`",
            Self::Aws(Action::DescribeServiceDeployments) => "`ecs:DescribeServiceDeployments`",
            Self::Aws(Action::ListTasks) => "`ecs:ListTasks`",
            Self::Aws(Action::DescribeTasks) => "`ecs:DescribeTasks`",
            Self::OidcToken => "OIDC token",
        }
    }
}

/// A region of its own for each cell: the SDK counts the retries of all clients of a region together.
fn region() -> String {
    static CELLS: AtomicUsize = AtomicUsize::new(0);
    format!("eu-west-{}", 1000 + CELLS.fetch_add(1, Ordering::SeqCst))
}

/// The configuration for a cell, with waits and limits that a test can wait for.
fn configuration(at: &StandIn, region: &str, fault: Fault) -> SdkConfig {
    let retry = RetryConfig::standard()
        .with_max_attempts(5)
        .with_initial_backoff(Duration::from_millis(1));
    let limits = if fault.takes_time() {
        let limit = Duration::from_secs(1);
        TimeoutConfig::builder()
            .operation_attempt_timeout(limit)
            .build()
    } else {
        TimeoutConfig::disabled()
    };
    let sdk = sdk(&format!("http://{}", at.host()), keys()).into_builder();
    let sdk = sdk.region(Region::new(region.to_owned()));
    sdk.retry_config(retry).timeout_config(limits).build()
}

/// Plays a fault on the first requests of a kind.
async fn play(kind: Kind, fault: Fault, times: usize) -> Played {
    let plan = Plan { kind, fault, times };
    let at = StandIn::start(plan).await;
    let region = region();
    let sdk = configuration(&at, &region, fault);
    let aws = signed_in(sdk.clone());
    let ended = drive(kind, &aws, &sdk, &region, &at).await;
    let cell = format!("{kind:?} × {fault:?} × {times}");
    assert!(at.delivered() > 0, "{cell}: the fault was not delivered");
    assert!(
        at.elsewhere().received().is_empty(),
        "{cell}: a redirect was followed"
    );
    let (failure, possible) = match ended {
        Ok(possible) => (None, possible),
        Err((problem, possible)) => (Some(problem), possible),
    };
    // What may be there is counted, so that a failure reports it truthfully.
    assert!(
        at.carried_out() <= possible as usize,
        "{cell}: {} changes, and {possible} are reported",
        at.carried_out()
    );
    let failure = failure.map(|problem| cleaned(&problem, &at, &region));
    if let Some(problem) = &failure {
        let shown = format!("{problem:?}");
        assert!(
            !shown.contains("shh") && !shown.contains("job-token"),
            "{cell}: {shown}"
        );
    }
    Played {
        left: match (&failure, at.carried_out()) {
            (None, _) | (_, 0) => Vec::new(),
            (Some(_), 1) => vec!["one, and the effects name it"],
            (Some(_), _) => vec!["several, and the effects name them"],
        },
        failure,
        delivered: at.delivered(),
    }
}

/// A problem with names instead of ports and regions.
fn cleaned(problem: &Problem, at: &StandIn, region: &str) -> Problem {
    let clean = |text: &String| {
        let text = text.replace(&at.host(), "AWS");
        text.replace(region, "REGION")
    };
    Problem {
        what: clean(&problem.what),
        why: problem.why.iter().map(clean).collect(),
        ..problem.clone()
    }
}

#[tokio::test]
async fn each_fault_of_each_request_ends_as_the_page_says() {
    let cells = Fault::of(Peer::Aws).flat_map(|fault| Kind::all().map(move |kind| (kind, fault)));
    let played = stream::iter(cells).map(|(kind, fault)| async move {
        let once = play(kind, fault, 1).await;
        let always = play(kind, fault, usize::MAX).await;
        let cell = Cell {
            fault,
            request: kind.name(),
            once,
            always,
        };
        (cell, rule(kind, fault))
    });
    let cells = played.buffered(AT_ONCE).collect().await;
    check("aws", cells, TRIES);
}
