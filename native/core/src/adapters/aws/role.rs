//! Roles: assumed with other credentials, or opened by a token.

use std::error::Error;
use std::time::SystemTime;

use aws_config::SdkConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_sts::Client;
use aws_sdk_sts::config::Builder;
use aws_sdk_sts::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sts::operation::RequestId;

use super::action::Action;
use super::call::{Call, usual_host};
use super::error::AwsError;
use crate::domain::aws::claims::Claims;
use crate::domain::aws::settings::Role;
use crate::report::cause::Cause;
use crate::report::secret::Secret;

/// The SDK's name for the provider of credentials, which ours end up in as well.
pub(super) const PROVIDER: &str = "falcon-patch";

/// Assumes a role with credentials that allow it.
pub(super) async fn assume(
    sdk: &SdkConfig,
    role: &Role,
    credentials: Credentials,
) -> Result<Credentials, AwsError> {
    let provider = SharedCredentialsProvider::new(credentials);
    let client = Client::from_conf(Builder::from(sdk).credentials_provider(provider).build());
    let request = client.assume_role();
    let answer = request
        .role_arn(&role.arn)
        .role_session_name(&role.session_name)
        .set_external_id(role.external_id.clone())
        .duration_seconds(seconds(role))
        .send()
        .await;
    let attempt = Attempt {
        sdk,
        role,
        token: None,
    };
    let answer = answer.map_err(|error| attempt.failed(error))?;
    attempt.opened(answer.credentials)
}

/// Opens a role with a token, for which no credentials are needed.
pub(super) async fn open_with_token(
    sdk: &SdkConfig,
    role: &Role,
    token: &Secret,
    claims: &Claims,
) -> Result<Credentials, AwsError> {
    let client = Client::from_conf(Builder::from(sdk).build());
    let request = client.assume_role_with_web_identity();
    let answer = request
        .role_arn(&role.arn)
        .role_session_name(&role.session_name)
        .web_identity_token(token.reveal())
        .duration_seconds(seconds(role))
        .send()
        .await;
    let attempt = Attempt {
        sdk,
        role,
        token: Some(claims),
    };
    let answer = answer.map_err(|error| attempt.failed(error))?;
    attempt.opened(answer.credentials)
}

fn seconds(role: &Role) -> i32 {
    i32::try_from(role.duration.as_secs()).unwrap_or(i32::MAX)
}

/// One try to get into a role, as a failure has to name it.
struct Attempt<'a> {
    sdk: &'a SdkConfig,
    role: &'a Role,
    /// Claims of the token about itself, where one is the key.
    token: Option<&'a Claims>,
}

impl Attempt<'_> {
    fn call(&self) -> Call<'_> {
        let region = self.sdk.region().map_or("us-east-1", AsRef::as_ref);
        let action = match self.token {
            Some(_) => Action::AssumeRoleWithWebIdentity,
            None => Action::AssumeRole,
        };
        Call {
            action,
            purpose: format!("assume the role `{}`", self.role.arn),
            host: usual_host("sts", region),
            repository: None,
            origin: self.role.given_by.role_name(),
        }
    }

    /// Error that a failure means; codes are those of
    /// <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html>.
    fn failed<E, R>(&self, error: SdkError<E, R>) -> AwsError
    where
        E: ProvideErrorMetadata + Error + 'static,
        R: std::fmt::Debug + 'static,
        SdkError<E, R>: RequestId,
    {
        let SdkError::ServiceError(_) = &error else {
            return self.call().failed(error);
        };
        let code = error.code().unwrap_or("no error code").to_owned();
        let message = error.message().unwrap_or("no message").to_owned();
        let request = error
            .request_id()
            .map_or_else(String::new, |id| format!("request {id}: "));
        let source = Cause::said(&format!("{request}{code}: {message}"));
        let role = self.role.arn.clone();
        let given_by = self.role.given_by;
        match (code.strip_suffix("Exception").unwrap_or(&code), self.token) {
            ("AccessDenied", _) => AwsError::RoleDenied {
                role,
                given_by,
                has_external_id: self.role.external_id.is_some(),
                claims: self.token.cloned(),
                source,
            },
            ("InvalidIdentityToken" | "IDPRejectedClaim" | "ExpiredToken", Some(claims)) => {
                AwsError::OidcRefused {
                    role,
                    claims: claims.clone(),
                    source,
                }
            }
            ("ValidationError", _) if message.contains("DurationSeconds") => {
                AwsError::RoleDurationRefused {
                    role,
                    seconds: self.role.duration.as_secs(),
                    source,
                }
            }
            _ => self.call().failed(error),
        }
    }

    fn opened(
        &self,
        given: Option<aws_sdk_sts::types::Credentials>,
    ) -> Result<Credentials, AwsError> {
        let given = given.ok_or_else(|| self.call().incomplete("credentials"))?;
        let end = SystemTime::try_from(given.expiration)
            .map_err(|_| self.call().incomplete("usable end of the session"))?;
        Ok(Credentials::new(
            given.access_key_id,
            given.secret_access_key,
            Some(given.session_token),
            Some(end),
            PROVIDER,
        ))
    }
}
