//! Failures of calls to AWS.

use crate::adapters::http::connection::connection_hint;
use crate::domain::aws::claims::Claims;
use crate::domain::aws::denial::Denial;
use crate::domain::aws::settings::CredentialSource;
use crate::domain::reference::repository::Repository;
use crate::report::cause::Cause;
use crate::report::code::Code;
use crate::report::problem::Explain;

/// Reason that AWS did not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AwsError {
    /// The place where credentials were looked for has none, or what it has cannot be used.
    #[error("Cannot get AWS credentials from {origin}")]
    CredentialsMissing {
        /// Places where they were looked for.
        origin: String,
        /// Message of the provider.
        source: Cause,
    },
    /// AWS does not know the credentials, or the signature is not theirs.
    #[error("AWS does not accept the credentials from {origin}")]
    CredentialsInvalid {
        /// Their origin.
        origin: String,
        /// Message of AWS.
        source: Cause,
    },
    /// The credentials were temporary and their time is over.
    #[error("The AWS credentials from {origin} have expired")]
    CredentialsExpired {
        /// Their origin.
        origin: String,
        /// Message of AWS.
        source: Cause,
    },
    /// No OIDC token could be had for the service connection.
    #[error("Cannot get an OIDC token for `awsConnection`")]
    OidcFailed {
        /// Failure that happened instead.
        source: Cause,
        /// Advice, which depends on how it failed.
        hint: String,
    },
    /// AWS got the token and does not trust it.
    #[error("AWS does not accept the OIDC token of `awsConnection` for the role `{role}`")]
    OidcRefused {
        /// The role that the token was to open.
        role: String,
        /// Claims of the token about itself.
        claims: Claims,
        /// Message of AWS.
        source: Cause,
    },
    /// The role's trust policy does not know us, or we may not assume it.
    #[error("AWS denies to assume the role `{role}` of {}", given_by.role_name())]
    RoleDenied {
        /// The role.
        role: String,
        /// Source that named it.
        given_by: CredentialSource,
        /// True if an external ID was sent.
        has_external_id: bool,
        /// Claims of the token about itself, where one was to open the role.
        claims: Option<Claims>,
        /// Message of AWS.
        source: Cause,
    },
    /// The role's sessions end earlier than was asked for.
    #[error("The role `{role}` does not allow sessions of {seconds} seconds")]
    RoleDurationRefused {
        /// The role.
        role: String,
        /// Duration that was asked for, in seconds.
        seconds: u64,
        /// Message of AWS.
        source: Cause,
    },
    /// IAM refuses; for `ecr:DescribeRepositories` a caller may take it as "not known".
    #[error("AWS denies {denial}")]
    Denied {
        /// The permission that is missing.
        denial: Denial,
        /// Message of AWS.
        source: Cause,
    },
    /// There is no such repository in the registry.
    #[error("There is no repository `{repository}`")]
    RepositoryNotFound {
        /// The repository.
        repository: Repository,
        /// Message of AWS.
        source: Cause,
    },
    /// ECS has something against the content of a task definition.
    #[error("ECS does not accept the task definition `{family}`")]
    TaskDefinitionRefused {
        /// The family of which it would be a revision.
        family: String,
        /// Message of AWS.
        source: Cause,
    },
    /// An endpoint override points elsewhere than to AWS or this machine.
    #[error("The endpoint `{url}` in `{setting}` is not one that the task may use")]
    EndpointRefused {
        /// Setting that holds it.
        setting: String,
        /// Its value.
        url: String,
    },
    /// A region that cannot be one.
    #[error("`{region}` is not an AWS region")]
    RegionInvalid {
        /// The region.
        region: String,
    },
    /// No answer came.
    #[error("Cannot {purpose}: AWS does not answer")]
    NotReachable {
        /// Purpose of the call.
        purpose: String,
        /// The host, as far as it is known.
        host: String,
        /// True if TLS is the trouble.
        tls: bool,
        /// Failure that happened instead.
        source: Cause,
    },
    /// The account sends more requests than AWS answers.
    #[error("Cannot {purpose}: AWS answers no more requests for now")]
    Throttled {
        /// Purpose of the call.
        purpose: String,
        /// Message of AWS.
        source: Cause,
    },
    /// AWS answered with something else than a success.
    #[error("Cannot {purpose}: AWS refuses the request")]
    RequestFailed {
        /// Purpose of the call.
        purpose: String,
        /// Message of AWS.
        source: Cause,
    },
}

impl Explain for AwsError {
    fn code(&self) -> Code {
        match self {
            Self::CredentialsMissing { .. } => Code::AwsCredentialsMissing,
            Self::CredentialsInvalid { .. } => Code::AwsCredentialsInvalid,
            Self::CredentialsExpired { .. } => Code::AwsCredentialsExpired,
            Self::OidcFailed { .. } => Code::AwsOidcFailed,
            Self::OidcRefused { .. } => Code::AwsOidcRefused,
            Self::RoleDenied { .. } => Code::AwsRoleDenied,
            Self::RoleDurationRefused { .. } => Code::AwsRoleDurationRefused,
            Self::Denied { .. } => Code::AwsDenied,
            Self::RepositoryNotFound { .. } => Code::EcrRepositoryNotFound,
            Self::TaskDefinitionRefused { .. } => Code::EcsRegistrationRefused,
            Self::EndpointRefused { .. } => Code::AwsEndpointRefused,
            Self::RegionInvalid { .. } => Code::InputMalformed,
            Self::NotReachable { .. } => Code::AwsNotReachable,
            Self::Throttled { .. } | Self::RequestFailed { .. } => Code::AwsRequestFailed,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::CredentialsMissing { .. } => Some(
                "Set `awsConnection`, or `awsAccessKeyId` and `awsSecretAccessKey`, or run the agent with a role".to_owned(),
            ),
            Self::CredentialsInvalid { source, .. } => Some(invalid_hint(source)),
            Self::CredentialsExpired { .. } => Some(
                "Get new credentials, with the session token that belongs to them; a long job needs a longer session".to_owned(),
            ),
            Self::OidcFailed { hint, .. } => Some(hint.clone()),
            Self::OidcRefused { claims, .. } => Some(format!(
                "The token has {claims}: have the account's IAM know the issuer as an OpenID Connect provider with this audience"
            )),
            Self::RoleDenied { role, claims: Some(claims), .. } => {
                Some(trust_hint(role, claims))
            }
            Self::RoleDenied { role, claims: None, has_external_id, .. } => {
                Some(assume_hint(role, *has_external_id))
            }
            Self::RoleDurationRefused { .. } => Some(
                "Set the variable `aws.rolecredential.maxduration` to a shorter time, at most 3600 where one role opens another, or leave it out: sessions are renewed as needed".to_owned(),
            ),
            Self::Denied { denial, .. } => Some(denial.hint()),
            Self::RepositoryNotFound { repository, .. } => Some(repository.creation_hint()),
            Self::EndpointRefused { setting, .. } => Some(format!(
                "Remove `{setting}`, or set it to an address that docs/troubleshooting.md allows under AWS_ENDPOINT_REFUSED"
            )),
            Self::TaskDefinitionRefused { .. } => Some("Correct what ECS names in the file of `taskDefinition`".to_owned()),
            Self::RegionInvalid { .. } => Some(
                "Set `awsRegion` to a region such as `eu-west-1`".to_owned(),
            ),
            Self::NotReachable { host, tls, .. } => Some(connection_hint(host, *tls)),
            Self::Throttled { .. } => Some(
                "Run the step again later; other tools may send many requests in this account".to_owned(),
            ),
            Self::RequestFailed { .. } => None,
        }
    }
}

/// The condition that a role's trust policy has to have for a token.
fn trust_hint(role: &str, claims: &Claims) -> String {
    let provider = claims.provider();
    format!(
        "Have the trust policy of `{role}` allow `sts:AssumeRoleWithWebIdentity` to the provider `{provider}` with `{{\"StringEquals\": {{\"{provider}:sub\": \"{}\", \"{provider}:aud\": \"{}\"}}}}`",
        claims.subject, claims.audience
    )
}

fn assume_hint(role: &str, has_external_id: bool) -> String {
    let external_id = if has_external_id {
        "check that the external ID (`awsExternalId`, or that of the connection) is the one in its condition"
    } else {
        "set `awsExternalId`, or the external ID of the connection, if its condition demands one"
    };
    format!(
        "Have the trust policy of `{role}` name these credentials' user or role, {external_id}, and allow them `sts:AssumeRole` on it"
    )
}

/// A wrong clock and a wrong key break the signature alike; AWS' message tells them apart.
fn invalid_hint(source: &Cause) -> String {
    let text = source.to_string();
    let is_clock = [
        "Signature expired",
        "Signature not yet current",
        "TooSkewed",
        "RequestExpired",
    ]
    .iter()
    .any(|mark| text.contains(mark));
    if is_clock {
        "Set the agent's clock: AWS accepts requests that are at most a few minutes old".to_owned()
    } else {
        "Check the access key's ID, the secret key, and the session token that belongs to temporary keys".to_owned()
    }
}
