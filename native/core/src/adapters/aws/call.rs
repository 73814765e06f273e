//! From the SDK's errors to ours.

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_sts::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sts::operation::RequestId;

use super::action::Action;
use super::error::AwsError;
use crate::adapters::http::connection::{find, is_tls};
use crate::domain::aws::denial::Denial;
use crate::domain::aws::partition::Partition;
use crate::domain::reference::repository::Repository;
use crate::report::cause::Cause;

/// The host for the hint of a failed connection; the SDK decides which one is called.
pub(super) fn usual_host(service: &str, region: &str) -> String {
    format!("{service}.{region}.{}", Partition::of_region(region).domain)
}

/// One call, as a failure has to name it.
pub(super) struct Call<'a> {
    /// The IAM action behind it.
    pub(super) action: Action,
    /// Purpose, in words that follow "cannot".
    pub(super) purpose: String,
    /// The host that is called.
    pub(super) host: String,
    /// The repository that it is about.
    pub(super) repository: Option<&'a Repository>,
    /// Origin of the credentials.
    pub(super) origin: &'a str,
}

/// Codes are the services' common ones
/// (<https://docs.aws.amazon.com/AmazonECR/latest/APIReference/CommonErrors.html>), which no
/// operation models; SDKs and older endpoints write some with and some without `Exception`.
const INVALID: [&str; 11] = [
    "AuthFailure",
    "IncompleteSignature",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSignature",
    "InvalidToken",
    "MissingAuthenticationToken",
    "RequestExpired",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
    "UnrecognizedClient",
];

const EXPIRED: [&str; 2] = ["ExpiredToken", "TokenRefreshRequired"];

const THROTTLED: [&str; 4] = [
    "RequestLimitExceeded",
    "Throttled",
    "Throttling",
    "TooManyRequests",
];

const DENIED: [&str; 4] = [
    "AccessDenied",
    "NotAuthorized",
    "OptInRequired",
    "UnauthorizedOperation",
];

impl Call<'_> {
    /// Error that a failure of this call means.
    pub(super) fn failed<E, R>(&self, error: SdkError<E, R>) -> AwsError
    where
        E: ProvideErrorMetadata + Error + 'static,
        R: std::fmt::Debug + 'static,
        SdkError<E, R>: RequestId,
    {
        let request_id = error.request_id().map(str::to_owned);
        match error {
            SdkError::ServiceError(answer) => {
                let meta = answer.err().meta();
                self.refused(meta.code(), meta.message(), request_id.as_deref())
            }
            SdkError::TimeoutError(_) => self.unanswered(&error, false),
            SdkError::DispatchFailure(_) if has_credentials_error(&error) => {
                self.without_credentials(&error)
            }
            SdkError::DispatchFailure(ref failure) if failure.is_io() || failure.is_timeout() => {
                self.unanswered(&error, is_tls(&error))
            }
            _ if is_tls(&error) => self.unanswered(&error, true),
            _ => AwsError::RequestFailed {
                purpose: self.purpose.clone(),
                source: Cause::of(&error),
            },
        }
    }

    /// Error that an answer of the service means.
    fn refused(&self, code: Option<&str>, message: Option<&str>, id: Option<&str>) -> AwsError {
        let message = message.unwrap_or("no message");
        let mut said = format!("{}: {message}", code.unwrap_or("no error code"));
        // Before the shortened message: AWS' support asks for the ID.
        if let Some(id) = id {
            said = format!("request {id}: {said}");
        }
        let source = Cause::said(&said);
        let code = code.unwrap_or_default();
        let plain = code.strip_suffix("Exception").unwrap_or(code);
        let origin = self.origin.to_owned();
        match (plain, self.repository) {
            ("RepositoryNotFound", Some(repository)) => AwsError::RepositoryNotFound {
                repository: repository.clone(),
                source,
            },
            (code, _) if INVALID.contains(&code) => AwsError::CredentialsInvalid { origin, source },
            (code, _) if EXPIRED.contains(&code) => AwsError::CredentialsExpired { origin, source },
            (code, _) if DENIED.contains(&code) => AwsError::Denied {
                denial: Denial::of(message, self.action.name()),
                source,
            },
            (code, _) if THROTTLED.contains(&code) => AwsError::Throttled {
                purpose: self.purpose.clone(),
                source,
            },
            // ECS lets its own call fail over a role that may not be passed on, under a code of its own.
            _ => match Denial::read(message) {
                Some(denial) => AwsError::Denied { denial, source },
                None => AwsError::RequestFailed {
                    purpose: self.purpose.clone(),
                    source,
                },
            },
        }
    }

    fn unanswered(&self, error: &(dyn Error + 'static), tls: bool) -> AwsError {
        AwsError::NotReachable {
            purpose: self.purpose.clone(),
            host: self.host.clone(),
            tls,
            source: Cause::of(error),
        }
    }

    /// An answer that lacks what the service's model promises.
    pub(super) fn incomplete(&self, missing: &str) -> AwsError {
        AwsError::RequestFailed {
            purpose: self.purpose.clone(),
            source: Cause::said(&format!("the answer holds no {missing}")),
        }
    }

    fn without_credentials(&self, error: &(dyn Error + 'static)) -> AwsError {
        let source = find::<CredentialsError>(error)
            .map_or_else(|| Cause::of(error), |error| Cause::of(error));
        AwsError::CredentialsMissing {
            origin: self.origin.to_owned(),
            source,
        }
    }
}

fn has_credentials_error(error: &(dyn Error + 'static)) -> bool {
    find::<CredentialsError>(error).is_some()
}

#[cfg(test)]
mod tests {
    use super::Call;
    use crate::adapters::aws::action::Action;
    use crate::domain::reference::repository::Repository;
    use crate::report::problem::{Explain, Problem};

    fn check(code: &str, message: &str, expected: &str) {
        let repository = Repository {
            registry: "123456789012.dkr.ecr.eu-west-1.amazonaws.com".to_owned(),
            name: "app/web".to_owned(),
        };
        let call = Call {
            action: Action::DescribeRepositories,
            purpose: "look up the repository `app/web`".to_owned(),
            host: "api.ecr.eu-west-1.amazonaws.com".to_owned(),
            repository: Some(&repository),
            origin: "the inputs",
        };
        let error = call.refused(Some(code), Some(message), Some("1-2-3"));
        assert_eq!(error.code().as_str(), expected, "{code}");
        let problem = Problem::from(error);
        assert_eq!(problem.why, [format!("request 1-2-3: {code}: {message}")]);
    }

    #[test]
    fn the_codes_of_aws_become_ours() {
        check(
            "InvalidClientTokenId",
            "The security token included in the request is invalid.",
            "AWS_CREDENTIALS_INVALID",
        );
        check(
            "UnrecognizedClientException",
            "The security token included in the request is invalid.",
            "AWS_CREDENTIALS_INVALID",
        );
        check(
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match",
            "AWS_CREDENTIALS_INVALID",
        );
        check(
            "InvalidSignatureException",
            "Signature expired: 20260101T000000Z is now earlier than",
            "AWS_CREDENTIALS_INVALID",
        );
        check(
            "ExpiredToken",
            "The security token included in the request is expired",
            "AWS_CREDENTIALS_EXPIRED",
        );
        check(
            "ExpiredTokenException",
            "The security token included in the request is expired",
            "AWS_CREDENTIALS_EXPIRED",
        );
        check(
            "AccessDeniedException",
            "User: arn:aws:iam::123456789012:user/ci is not authorized to perform: ecr:DescribeRepositories on resource: *",
            "AWS_DENIED",
        );
        check("AccessDenied", "no", "AWS_DENIED");
        check(
            "RepositoryNotFoundException",
            "The repository with name 'app/web' does not exist",
            "ECR_REPOSITORY_NOT_FOUND",
        );
        check("ServerException", "try later", "AWS_REQUEST_FAILED");
        check("ThrottlingException", "Rate exceeded", "AWS_REQUEST_FAILED");
    }
}
