//! The sign-in to AWS: one source of credentials is chosen. A problem with it is reported, and no other source replaces
//! it.

use super::role::{RoleFields, RoleNames};
use super::{oidc, role};
use crate::domain::aws::settings::{AwsCredentials, CredentialSource, Role};
use crate::flow::config::check::Check;
use crate::flow::config::input_fault::InputFault;
use crate::flow::inputs::{AwsConnection, AwsContext, AwsVariables, Inputs};
use crate::report::secret::Secret;

/// The first credentials, and the roles to assume with them.
pub(super) type SignIn = (AwsCredentials, Vec<Role>);

/// Chooses the source in the order of the AWS Toolkit, with the inputs behind the connection:
/// connection, inputs, variables, default chain. The role of the input `awsRoleArn` is assumed last.
///
/// A part that was refused looks like one that is missing, as everywhere in this check: a noted problem rules out a
/// configuration.
pub(super) fn sign_in(check: &mut Check, inputs: &Inputs) -> SignIn {
    let typed = keys_of_inputs(check, inputs);
    let top = role_of_inputs(check, inputs);
    let (credentials, mut roles) = if !inputs.aws_connection.trim().is_empty() {
        connection(check, inputs).unwrap_or((AwsCredentials::DefaultChain, Vec::new()))
    } else if let Some(keys) = typed {
        (keys, Vec::new())
    } else {
        from_variables(check, &inputs.aws_context.variables)
    };
    roles.extend(top);
    role::limit_chained(&credentials, &mut roles);
    (credentials, roles)
}

fn keys_of_inputs(check: &mut Check, inputs: &Inputs) -> Option<AwsCredentials> {
    let given = Keys {
        given_by: CredentialSource::Inputs,
        id: ("awsAccessKeyId", &inputs.aws_access_key_id),
        secret: ("awsSecretAccessKey", &inputs.aws_secret_access_key),
        token: ("awsSessionToken", &inputs.aws_session_token),
    };
    given.read(check)
}

fn role_of_inputs(check: &mut Check, inputs: &Inputs) -> Option<Role> {
    let AwsContext {
        connection,
        variables,
        ..
    } = &inputs.aws_context;
    let stored = connection.as_ref().map(|stored| &stored.role_session_name);
    let fields = RoleFields {
        arn: &inputs.aws_role_arn,
        session_name: first_of(
            &variables.role_session_name,
            stored.map_or("", String::as_str),
        ),
        external_id: &inputs.aws_external_id,
        duration: &variables.role_duration,
    };
    if inputs.aws_role_arn.trim().is_empty() && !inputs.aws_external_id.trim().is_empty() {
        let message = "is required beside `awsExternalId`";
        check.refuse(InputFault::Missing, "awsRoleArn", message);
    }
    role::read(check, CredentialSource::Inputs, &INPUTS, &fields)
}

const INPUTS: RoleNames = RoleNames {
    arn: "awsRoleArn",
    session_name: "AWS.RoleSessionName",
    external_id: "awsExternalId",
};

const VARIABLES: RoleNames = RoleNames {
    arn: "AWS.AssumeRoleArn",
    session_name: "AWS.RoleSessionName",
    external_id: "AWS.ExternalId",
};

const CONNECTION: RoleNames = RoleNames {
    arn: "awsConnection",
    session_name: "awsConnection",
    external_id: "awsConnection",
};

fn first_of<'a>(first: &'a str, second: &'a str) -> &'a str {
    if first.trim().is_empty() {
        second
    } else {
        first
    }
}

fn connection(check: &mut Check, inputs: &Inputs) -> Option<SignIn> {
    check.text("awsConnection", &inputs.aws_connection)?;
    let context = &inputs.aws_context;
    let Some(stored) = &context.connection else {
        let message = "the job was not given this service connection";
        check.refuse(InputFault::AwsConnectionMissing, "awsConnection", message);
        return None;
    };
    let role = connection_role(check, stored, &context.variables);
    let has_role = !stored.role_arn.trim().is_empty();
    // Toolkits write the text `false` as well, which is not empty and means no.
    if stored.use_oidc.trim().eq_ignore_ascii_case("true") {
        if !has_role {
            incomplete(check, "uses OIDC and names no role to assume");
        }
        let request = oidc::request(check, context.token_request.as_ref())?;
        let role = role?;
        return Some((AwsCredentials::Oidc { request, role }, Vec::new()));
    }
    let given = Keys {
        given_by: CredentialSource::Connection,
        id: ("awsConnection", &stored.access_key_id),
        secret: ("awsConnection", &stored.secret_access_key),
        token: ("awsConnection", &stored.session_token),
    };
    if !given.is_there() && !has_role {
        incomplete(
            check,
            "holds neither keys nor a role, and does not use OIDC",
        );
    }
    // For the toolkit a role alone means that the agent's own role assumes it.
    let credentials = given.read(check).unwrap_or(AwsCredentials::DefaultChain);
    Some((credentials, role.into_iter().collect()))
}

fn connection_role(
    check: &mut Check,
    stored: &AwsConnection,
    variables: &AwsVariables,
) -> Option<Role> {
    let fields = RoleFields {
        arn: &stored.role_arn,
        session_name: first_of(&stored.role_session_name, &variables.role_session_name),
        external_id: &stored.external_id,
        duration: &variables.role_duration,
    };
    role::read(check, CredentialSource::Connection, &CONNECTION, &fields)
}

fn incomplete(check: &mut Check, what: &str) {
    let message = format!("the service connection {what}");
    check.refuse(
        InputFault::AwsConnectionIncomplete,
        "awsConnection",
        message,
    );
}

fn from_variables(check: &mut Check, variables: &AwsVariables) -> SignIn {
    let given = Keys {
        given_by: CredentialSource::Variables,
        id: ("AWS.AccessKeyID", &variables.access_key_id),
        secret: ("AWS.SecretAccessKey", &variables.secret_access_key),
        token: ("AWS.SessionToken", &variables.session_token),
    };
    let fields = RoleFields {
        arn: &variables.role_arn,
        session_name: &variables.role_session_name,
        external_id: &variables.external_id,
        duration: &variables.role_duration,
    };
    let role = role::read(check, CredentialSource::Variables, &VARIABLES, &fields);
    let credentials = given.read(check).unwrap_or(AwsCredentials::DefaultChain);
    (credentials, role.into_iter().collect())
}

/// Keys with the names of the inputs or variables that hold their parts.
struct Keys<'a> {
    given_by: CredentialSource,
    id: (&'static str, &'a str),
    secret: (&'static str, &'a str),
    token: (&'static str, &'a str),
}

impl Keys<'_> {
    fn is_there(&self) -> bool {
        [self.id, self.secret, self.token]
            .iter()
            .any(|(_, value)| !value.trim().is_empty())
    }

    /// The keys, if there are any.
    fn read(&self, check: &mut Check) -> Option<AwsCredentials> {
        let has = |(_, value): (&str, &str)| !value.trim().is_empty();
        if self.is_there() && !(has(self.id) && has(self.secret)) {
            self.refuse_half(check, has(self.id));
        }
        let id = check.text(self.id.0, self.id.1).map(str::to_owned);
        let mut text = |(name, value)| check.secret(name, value).map(str::to_owned);
        let (secret, token) = (text(self.secret), text(self.token));
        Some(AwsCredentials::Keys {
            given_by: self.given_by,
            access_key_id: id?,
            secret_access_key: Secret::new(secret?),
            session_token: token.map(Secret::new),
        })
    }

    fn refuse_half(&self, check: &mut Check, has_id: bool) {
        if self.given_by == CredentialSource::Connection {
            incomplete(
                check,
                "holds only a part of its keys: it needs the access key's ID and its secret",
            );
        } else if has_id {
            let message = format!("is required beside `{}`", self.id.0);
            check.refuse(InputFault::Missing, self.secret.0, message);
        } else {
            let message = format!(
                "is required beside `{}` or `{}`",
                self.secret.0, self.token.0
            );
            check.refuse(InputFault::Missing, self.id.0, message);
        }
    }
}
