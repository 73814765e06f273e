//! Facts that are known about AWS before anything is asked.

use std::fmt;
use std::time::Duration;

use url::Url;

use crate::report::secret::Secret;

/// Settings for signing in to AWS, with the region.
#[derive(Clone, Debug)]
pub struct AwsSettings {
    /// Credentials that we start with.
    pub credentials: AwsCredentials,
    /// The roles that are assumed from there, each with the credentials of the one before.
    pub roles: Vec<Role>,
    /// The region for calls that concern no registry; the chain's when it is not given.
    pub region: Option<String>,
}

/// Source of the credentials.
#[derive(Clone)]
pub enum AwsCredentials {
    /// Keys that were given to the task.
    Keys {
        /// Source that gave them.
        given_by: CredentialSource,
        /// The access key's ID.
        access_key_id: String,
        /// The key itself.
        secret_access_key: Secret,
        /// The token of temporary keys.
        session_token: Option<Secret>,
    },
    /// A role that trusts the issuer of the job's OIDC tokens.
    Oidc {
        /// Request for a token.
        request: OidcRequest,
        /// The role that it opens.
        role: Role,
    },
    /// The SDK's default chain: environment, shared files, web identity, container, instance.
    DefaultChain,
}

/// Source that names keys or a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialSource {
    /// The service connection of the input `awsConnection`.
    Connection,
    /// The inputs themselves.
    Inputs,
    /// The job's variables `AWS.*`.
    Variables,
}

/// A role to assume.
#[derive(Clone, PartialEq, Eq)]
pub struct Role {
    /// Source that names it.
    pub given_by: CredentialSource,
    /// Its ARN.
    pub arn: String,
    /// Name of its session in `CloudTrail` and in the caller's ARN.
    pub session_name: String,
    /// ID that its trust policy may demand.
    pub external_id: Option<String>,
    /// Lifetime of its session.
    pub duration: Duration,
}

/// Request for an OIDC token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OidcRequest {
    /// The address to post to.
    pub url: Url,
    /// Token that proves that the job asks.
    pub job_token: Secret,
}

impl AwsSettings {
    /// Returns the choice, in a phrase for the log.
    #[must_use]
    pub fn origin(&self) -> String {
        let mut origin = self.credentials.origin().to_owned();
        for (nth, role) in self.roles.iter().enumerate() {
            origin.push_str(if nth == 0 { " with " } else { " and " });
            if self.credentials.given_by() == Some(role.given_by)
                && role.given_by != CredentialSource::Inputs
            {
                origin.push_str("its role");
            } else {
                origin.push_str("the role of ");
                origin.push_str(role.given_by.role_name());
            }
        }
        origin
    }
}

impl AwsCredentials {
    /// Returns the choice, in a phrase for the log.
    #[must_use]
    pub fn origin(&self) -> &'static str {
        match self {
            Self::Keys { given_by, .. } => given_by.name(),
            Self::Oidc { .. } => "`awsConnection` by OIDC",
            Self::DefaultChain => "the SDK's default chain",
        }
    }

    fn given_by(&self) -> Option<CredentialSource> {
        match self {
            Self::Keys { given_by, .. } => Some(*given_by),
            Self::Oidc { .. } => Some(CredentialSource::Connection),
            Self::DefaultChain => None,
        }
    }
}

impl CredentialSource {
    fn name(self) -> &'static str {
        match self {
            Self::Connection => "`awsConnection`",
            Self::Inputs => "the inputs",
            Self::Variables => "the variables `AWS.*`",
        }
    }

    /// Returns the name of the place that a user typed the role into.
    pub fn role_name(self) -> &'static str {
        match self {
            Self::Connection => "`awsConnection`",
            Self::Inputs => "`awsRoleArn`",
            Self::Variables => "`AWS.AssumeRoleArn`",
        }
    }
}

// The key's ID is not a secret to AWS, but some organizations treat it as one.
impl fmt::Debug for AwsCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Keys { given_by, .. } => write!(f, "Keys({given_by:?}, ***)"),
            Self::Oidc { role, .. } => write!(f, "Oidc({role:?})"),
            Self::DefaultChain => f.write_str("DefaultChain"),
        }
    }
}

// An external ID is not a secret to AWS either.
impl fmt::Debug for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Role({:?}, {})", self.given_by, self.arn)
    }
}

#[cfg(test)]
mod tests {
    use super::{AwsCredentials, AwsSettings, CredentialSource, Role};
    use crate::report::secret::Secret;
    use std::time::Duration;

    fn role(given_by: CredentialSource) -> Role {
        Role {
            given_by,
            arn: "arn:aws:iam::123456789012:role/x".to_owned(),
            session_name: "aws-vsts-tools".to_owned(),
            external_id: Some("shared-with-few".to_owned()),
            duration: Duration::from_mins(15),
        }
    }

    fn settings(roles: Vec<Role>) -> AwsSettings {
        AwsSettings {
            credentials: AwsCredentials::Keys {
                given_by: CredentialSource::Connection,
                access_key_id: "AKIAEXAMPLE".to_owned(),
                secret_access_key: Secret::new("shh"),
                session_token: None,
            },
            roles,
            region: None,
        }
    }

    #[test]
    fn settings_print_no_key() {
        let printed = format!("{:?}", settings(vec![role(CredentialSource::Inputs)]));
        for hidden in ["AKIA", "shh", "few"] {
            assert!(!printed.contains(hidden), "{printed}");
        }
    }

    #[test]
    fn what_was_chosen_is_one_phrase() {
        assert_eq!(settings(Vec::new()).origin(), "`awsConnection`");
        let roles = vec![
            role(CredentialSource::Connection),
            role(CredentialSource::Inputs),
        ];
        assert_eq!(
            settings(roles).origin(),
            "`awsConnection` with its role and the role of `awsRoleArn`"
        );
    }
}
