//! A stand-in for AWS and for the issuer of OIDC tokens, which answers one kind of request with a fault.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::Kind;
use crate::adapters::aws::action::Action;
use crate::domain::provenance::key::PublicKey;
use crate::test_support::fault::Fault;
use crate::test_support::loopback_server::{LoopbackServer, Received, Reply};
use crate::test_support::signing_key::TestKey;

pub(super) const KEY: &str = "arn:aws:kms:REGION:123456789012:alias/falcon-records";

static SIGNING_KEY: LazyLock<TestKey> = LazyLock::new(TestKey::new);

pub(super) fn public_key() -> PublicKey {
    SIGNING_KEY.public()
}

/// Requests that get the fault.
#[derive(Clone, Copy)]
pub(super) struct Plan {
    pub(super) kind: Kind,
    pub(super) fault: Fault,
    pub(super) times: usize,
}

#[derive(Default)]
struct Counts {
    delivered: AtomicUsize,
    carried_out: AtomicUsize,
}

pub(super) struct StandIn {
    plan: Plan,
    server: LoopbackServer,
    /// Host to which answers lead away.
    elsewhere: LoopbackServer,
    counts: Arc<Counts>,
}

impl StandIn {
    pub(super) async fn start(plan: Plan) -> Self {
        let elsewhere = LoopbackServer::start(|_, _| Reply::new(200, &[], "{}")).await;
        let (counts, other) = (Arc::new(Counts::default()), elsewhere.host());
        let counted = Arc::clone(&counts);
        let server = LoopbackServer::start(move |received, _| {
            let kind = kind(received);
            let good = || {
                if changes(kind) {
                    counted.carried_out.fetch_add(1, Ordering::SeqCst);
                }
                good(kind)
            };
            let earlier = counted.delivered.load(Ordering::SeqCst);
            if kind != plan.kind || earlier >= plan.times {
                return good();
            }
            counted.delivered.fetch_add(1, Ordering::SeqCst);
            fault(plan, &other, good)
        });
        Self {
            plan,
            server: server.await,
            elsewhere,
            counts,
        }
    }

    pub(super) fn host(&self) -> String {
        self.server.host()
    }

    pub(super) fn elsewhere(&self) -> &LoopbackServer {
        &self.elsewhere
    }

    pub(super) fn is_slow(&self) -> bool {
        self.plan.fault.takes_time()
    }

    pub(super) fn delivered(&self) -> usize {
        self.counts.delivered.load(Ordering::SeqCst)
    }

    /// Changes that were made: repositories, revisions, deployments.
    pub(super) fn carried_out(&self) -> usize {
        self.counts.carried_out.load(Ordering::SeqCst)
    }
}

fn changes(kind: Kind) -> bool {
    use Action as A;
    matches!(
        kind,
        Kind::Aws(A::CreateRepository | A::RegisterTaskDefinition | A::UpdateService)
    )
}

/// The kind of a request, by the action that it names.
fn kind(received: &Received) -> Kind {
    use strum::VariantArray as _;
    if received.line == "POST /oidctoken" {
        return Kind::OidcToken;
    }
    let body = String::from_utf8_lossy(&received.body);
    let mut form = url::form_urlencoded::parse(&received.body);
    let form = form.find(|(name, _)| name == "Action");
    let target = received
        .header("x-amz-target")
        .and_then(|target| target.rsplit('.').next());
    let name = target.map_or_else(
        || form.map(|(_, name)| name.into_owned()),
        |name| Some(name.to_owned()),
    );
    let name = name.expect("an action");
    let is_dry = body.contains("\"DryRun\":true");
    let found = Action::VARIANTS.iter().find(|action| {
        let named = action.name().split_once(':').map(|(_, name)| name);
        named == Some(name.as_str()) && (**action == Action::DryRunOfSign) == is_dry
    });
    Kind::Aws(*found.expect("an action of ours"))
}

/// The service of a request, whose faults have codes of their own.
fn service(kind: Kind) -> &'static str {
    match kind {
        Kind::Aws(action) => action
            .name()
            .split_once(':')
            .map_or("", |(service, _)| service),
        Kind::OidcToken => "oidc",
    }
}

fn refusal(kind: Kind, status: u16, code: &str, message: &str) -> Reply {
    let id = ("x-amzn-requestid", "1-2-3");
    match service(kind) {
        "sts" => {
            let body = format!(
                "<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error><RequestId>1-2-3</RequestId></ErrorResponse>"
            );
            Reply::new(status, &[("content-type", "text/xml"), id], body)
        }
        "oidc" => Reply::new(status, &[], json!({ "message": message }).to_string()),
        _ => {
            let body = json!({"__type": code, "message": message}).to_string();
            Reply::new(
                status,
                &[("content-type", "application/x-amz-json-1.1"), id],
                body,
            )
        }
    }
}

/// The faulty answer.
fn fault(plan: Plan, elsewhere: &str, good: impl FnOnce() -> Reply) -> Reply {
    let Plan { kind, fault, .. } = plan;
    let client_error = if kind == Kind::OidcToken { 403 } else { 400 };
    let refused = |code, message| refusal(kind, client_error, code, message);
    let there = format!("http://{elsewhere}/");
    match fault {
        Fault::Unauthorized if kind == Kind::OidcToken => refusal(kind, 401, "", "TF400813"),
        Fault::Unauthorized => refused(
            "UnrecognizedClientException",
            "The security token is invalid.",
        ),
        Fault::Denied => refused(
            "AccessDeniedException",
            "User: arn:aws:iam::123456789012:user/ci is not authorized to perform this",
        ),
        Fault::Expired => refused(
            "ExpiredTokenException",
            "The security token included in the request is expired",
        ),
        Fault::NotFound => Reply::new(404, &[], ""),
        Fault::NotFoundByName => match service(kind) {
            "ecr" => refused(
                "RepositoryNotFoundException",
                "The repository does not exist",
            ),
            "ecs" => refused("ClusterNotFoundException", "Cluster not found."),
            "kms" => refused("NotFoundException", "Alias is not found."),
            _ => refusal(kind, 404, "NoSuchEntity", "There is no such thing"),
        },
        Fault::TooMany if kind == Kind::OidcToken => refusal(kind, 429, "", "Too many requests"),
        Fault::TooMany => refused("ThrottlingException", "Rate exceeded"),
        Fault::Broken => refusal(kind, 500, "InternalFailure", "An internal error occurred."),
        Fault::Unavailable => Reply::new(503, &[], ""),
        Fault::OtherContent if service(kind) == "sts" => Reply::new(200, &[], "<Other/>"),
        Fault::OtherContent => Reply::new(200, &[], "{}"),
        Fault::Oversized => Reply::new(200, &[], vec![b' '; 2 << 20]),
        Fault::Redirect => Reply::new(307, &[("location", &there)], ""),
        on_the_line => on_the_line
            .on_the_line(good)
            .expect("an answer to each fault"),
    }
}

/// The good answer.
fn good(kind: Kind) -> Reply {
    use Action as A;
    let arn = "arn:aws:ecs:eu-west-1:123456789012:task-definition/web:7";
    let revision =
        json!({"taskDefinition": {"taskDefinitionArn": arn, "revision": 7, "status": "ACTIVE"}});
    let service = json!({"serviceName": "web", "status": "ACTIVE", "taskDefinition": arn, "desiredCount": 1, "runningCount": 1, "pendingCount": 0});
    let encoded = |bytes: &[u8]| BASE64_STANDARD.encode(bytes);
    let body: Value = match kind {
        Kind::OidcToken => json!({"oidcToken": "e30.e30.c2ln"}),
        Kind::Aws(A::GetCallerIdentity) => {
            return xml(
                "GetCallerIdentity",
                "<Arn>arn:aws:iam::123456789012:user/ci</Arn><Account>123456789012</Account>",
            );
        }
        Kind::Aws(A::AssumeRole) => return xml("AssumeRole", CREDENTIALS),
        Kind::Aws(A::AssumeRoleWithWebIdentity) => {
            return xml("AssumeRoleWithWebIdentity", CREDENTIALS);
        }
        Kind::Aws(A::GetAuthorizationToken) => {
            json!({"authorizationData": [{"authorizationToken": "QVdTOnNlY3JldA=="}]})
        }
        Kind::Aws(A::DescribeRepositories) => {
            json!({"repositories": [{"repositoryName": "app/web"}]})
        }
        Kind::Aws(A::CreateRepository) => json!({"repository": {"repositoryName": "app/web"}}),
        Kind::Aws(A::GetPublicKey) => json!({"PublicKey": encoded(SIGNING_KEY.der())}),
        Kind::Aws(A::DryRunOfSign) => {
            return refusal(
                kind,
                400,
                "DryRunOperationException",
                "It would have succeeded",
            );
        }
        Kind::Aws(A::Sign) => json!({"Signature": encoded(&SIGNING_KEY.sign(b"statement"))}),
        Kind::Aws(A::DescribeTaskDefinition | A::RegisterTaskDefinition) => revision,
        Kind::Aws(A::DescribeServices) => json!({ "services": [service] }),
        Kind::Aws(A::UpdateService) => json!({ "service": service }),
        Kind::Aws(A::DescribeServiceDeployments) => {
            json!({"serviceDeployments": [{"status": "SUCCESSFUL"}]})
        }
        Kind::Aws(A::ListTasks) => {
            json!({"taskArns": ["arn:aws:ecs:eu-west-1:123456789012:task/web/1"]})
        }
        Kind::Aws(A::DescribeTasks) => {
            json!({"tasks": [{"taskArn": "arn:aws:ecs:eu-west-1:123456789012:task/web/1"}]})
        }
    };
    Reply::new(
        200,
        &[("content-type", "application/x-amz-json-1.1")],
        body.to_string(),
    )
}

const CREDENTIALS: &str = "<Credentials><AccessKeyId>ASIAEXAMPLE</AccessKeyId><SecretAccessKey>shh-2</SecretAccessKey><SessionToken>token</SessionToken><Expiration>2100-01-01T00:00:00Z</Expiration></Credentials>";

fn xml(action: &str, result: &str) -> Reply {
    let body =
        format!("<{action}Response><{action}Result>{result}</{action}Result></{action}Response>");
    Reply::new(200, &[("content-type", "text/xml")], body)
}
