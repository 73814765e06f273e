//! How to sign in to AWS, and where: one source of credentials is chosen, and what is wrong with
//! it is told, never made up for by another.

mod role;

use url::Url;

use super::check::Check;
use crate::aws::{AwsCredentials, Giver, OidcRequest, Role};
use crate::error::Code;
use crate::inputs::{AwsConnection, AwsVariables, Inputs, TokenRequest};
use crate::secret::Secret;
use role::{RoleFields, RoleNames};

/// Who we are at first, and the roles to assume from there.
pub(super) type SignIn = (AwsCredentials, Vec<Role>);

/// Chooses the source in the order of the AWS Toolkit for Azure DevOps, with the inputs behind the
/// connection: connection, inputs, variables, default chain. The input `awsRoleArn` goes on top.
pub(super) fn sign_in(check: &mut Check, inputs: &Inputs) -> Option<SignIn> {
    let variables = &inputs.aws_context.variables;
    let id = check.text("awsConnection", &inputs.aws_connection);
    let has_connection = !inputs.aws_connection.trim().is_empty();
    let typed = keys_of_inputs(check, inputs);
    let top = role_of_inputs(check, inputs);
    let chosen = match (id, typed?) {
        (Some(_), _) => connection(check, inputs),
        (None, _) if has_connection => None,
        (None, Some(keys)) => Some((keys, Vec::new())),
        (None, None) => from_variables(check, variables),
    };
    let (credentials, mut roles) = chosen?;
    roles.extend(top?);
    role::limit_chained(&credentials, &mut roles);
    Some((credentials, roles))
}

fn keys_of_inputs(check: &mut Check, inputs: &Inputs) -> Option<Option<AwsCredentials>> {
    let given = Keys {
        giver: Giver::Inputs,
        id: ("awsAccessKeyId", &inputs.aws_access_key_id),
        secret: ("awsSecretAccessKey", &inputs.aws_secret_access_key),
        token: ("awsSessionToken", &inputs.aws_session_token),
    };
    given.read(check)
}

fn role_of_inputs(check: &mut Check, inputs: &Inputs) -> Option<Option<Role>> {
    let fields = RoleFields {
        arn: &inputs.aws_role_arn,
        session_name: first_of(
            &inputs.aws_context.variables.role_session_name,
            &inputs
                .aws_context
                .connection
                .as_ref()
                .map_or("", |connection| &connection.role_session_name),
        ),
        external_id: &inputs.aws_external_id,
    };
    let has_role = !inputs.aws_role_arn.trim().is_empty();
    if !has_role && !inputs.aws_external_id.trim().is_empty() {
        check.refuse(
            Code::InputMissing,
            "awsRoleArn",
            "is required beside `awsExternalId`",
        );
        return None;
    }
    let duration = &inputs.aws_context.variables.role_duration;
    role::read(check, Giver::Inputs, &INPUTS, &fields, duration)
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
    let context = &inputs.aws_context;
    let Some(stored) = &context.connection else {
        check.refuse(
            Code::AwsConnectionMissing,
            "awsConnection",
            "the job was not given this service connection",
        );
        return None;
    };
    let role = connection_role(check, stored, &context.variables)?;
    // Toolkits write the text `false` as well, which is no reason to take it for a yes.
    if stored.use_oidc.trim().eq_ignore_ascii_case("true") {
        return oidc(check, role, context.token_request.as_ref());
    }
    let given = Keys {
        giver: Giver::Connection,
        id: ("awsConnection", &stored.access_key_id),
        secret: ("awsConnection", &stored.secret_access_key),
        token: ("awsConnection", &stored.session_token),
    };
    match (given.read(check)?, role) {
        (Some(keys), role) => Some((keys, role.into_iter().collect())),
        // The toolkit's way to say that the agent's own role opens this one.
        (None, Some(role)) => Some((AwsCredentials::DefaultChain, vec![role])),
        (None, None) => {
            incomplete(
                check,
                "holds neither keys nor a role, and does not use OIDC",
            );
            None
        }
    }
}

fn connection_role(
    check: &mut Check,
    stored: &AwsConnection,
    variables: &AwsVariables,
) -> Option<Option<Role>> {
    let fields = RoleFields {
        arn: &stored.role_arn,
        session_name: first_of(&stored.role_session_name, &variables.role_session_name),
        external_id: &stored.external_id,
    };
    let duration = &variables.role_duration;
    role::read(check, Giver::Connection, &CONNECTION, &fields, duration)
}

fn incomplete(check: &mut Check, what: &str) {
    let message = format!("the service connection {what}");
    check.refuse(Code::AwsConnectionIncomplete, "awsConnection", message);
}

fn oidc(check: &mut Check, role: Option<Role>, request: Option<&TokenRequest>) -> Option<SignIn> {
    if role.is_none() {
        incomplete(check, "uses OIDC and names no role to assume");
    }
    let Some(request) = request.filter(|request| !request.job_token.is_empty()) else {
        check.refuse(
            Code::AwsOidcUnavailable,
            "awsConnection",
            "the service connection uses OIDC, and this job has no address or no token of its own to ask for an OIDC token",
        );
        return None;
    };
    let Some(url) = trusted_url(request) else {
        check.refuse(
            Code::AwsEndpointRefused,
            "awsConnection",
            "the address for OIDC tokens in the environment is not that of the server that runs the job, and would see the job's token",
        );
        return None;
    };
    let request = OidcRequest {
        url,
        job_token: Secret::new(&request.job_token),
    };
    let role = role?;
    Some((AwsCredentials::Oidc { request, role }, Vec::new()))
}

/// The address is an environment variable, which whoever queues a run may be able to set.
fn trusted_url(request: &TokenRequest) -> Option<Url> {
    let url = Url::parse(&request.url).ok()?;
    let is_here = match url.host()? {
        url::Host::Ipv4(address) => address.is_loopback(),
        url::Host::Ipv6(address) => address.is_loopback(),
        url::Host::Domain(name) => name == "localhost",
    };
    let host = url.host_str()?;
    let is_listed = |listed: &String| match listed.strip_prefix('.') {
        Some(_) => host.ends_with(listed.as_str()),
        None => host == listed,
    };
    let is_trusted = match url.scheme() {
        "https" => is_here || request.hosts.iter().any(is_listed),
        "http" => is_here,
        _ => false,
    };
    is_trusted.then_some(url)
}

fn from_variables(check: &mut Check, variables: &AwsVariables) -> Option<SignIn> {
    let given = Keys {
        giver: Giver::Variables,
        id: ("AWS.AccessKeyID", &variables.access_key_id),
        secret: ("AWS.SecretAccessKey", &variables.secret_access_key),
        token: ("AWS.SessionToken", &variables.session_token),
    };
    let fields = RoleFields {
        arn: &variables.role_arn,
        session_name: &variables.role_session_name,
        external_id: &variables.external_id,
    };
    let duration = &variables.role_duration;
    let role = role::read(check, Giver::Variables, &VARIABLES, &fields, duration);
    let keys = given.read(check)?;
    let credentials = keys.unwrap_or(AwsCredentials::DefaultChain);
    Some((credentials, role?.into_iter().collect()))
}

/// Keys with the names under which their parts were given.
struct Keys<'a> {
    giver: Giver,
    id: (&'static str, &'a str),
    secret: (&'static str, &'a str),
    token: (&'static str, &'a str),
}

impl Keys<'_> {
    /// The keys; `Some(None)` where there are none at all.
    fn read(&self, check: &mut Check) -> Option<Option<AwsCredentials>> {
        let mut read = |(name, value): (&str, &str)| {
            let text = check.text(name, value).map(str::to_owned);
            (text, !value.trim().is_empty())
        };
        let ((id, has_id), (secret, has_secret)) = (read(self.id), read(self.secret));
        let (token, has_token) = read(self.token);
        if !has_id && !has_secret && !has_token {
            return Some(None);
        }
        if !has_id || !has_secret {
            self.refuse_half(check, has_id);
        }
        Some(Some(AwsCredentials::Keys {
            giver: self.giver,
            access_key_id: id?,
            secret_access_key: Secret::new(secret?),
            session_token: if has_token {
                Some(Secret::new(token?))
            } else {
                None
            },
        }))
    }

    fn refuse_half(&self, check: &mut Check, has_id: bool) {
        if self.giver == Giver::Connection {
            incomplete(
                check,
                "holds only a part of its keys: it needs the access key's ID and its secret",
            );
        } else if has_id {
            let message = format!("is required beside `{}`", self.id.0);
            check.refuse(Code::InputMissing, self.secret.0, message);
        } else {
            let message = format!(
                "is required beside `{}` or `{}`",
                self.secret.0, self.token.0
            );
            check.refuse(Code::InputMissing, self.id.0, message);
        }
    }
}

/// The region that was typed.
pub(super) fn region(check: &mut Check, inputs: &Inputs) -> Option<Option<String>> {
    read_region(check, "awsRegion", &inputs.aws_region)
}

/// The region of the toolkit's variable, which comes after what the images' own references say.
pub(super) fn region_variable(check: &mut Check, inputs: &Inputs) -> Option<Option<String>> {
    read_region(check, "AWS.Region", &inputs.aws_context.variables.region)
}

fn read_region(check: &mut Check, name: &str, value: &str) -> Option<Option<String>> {
    if value.trim().is_empty() {
        return Some(None);
    }
    let region = check.text(name, value)?;
    let is_word = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    };
    if region.split('-').count() >= 3 && region.split('-').all(is_word) {
        return Some(Some(region.to_owned()));
    }
    let message = format!("`{region}` is no AWS region; write it as in `eu-west-1`");
    check.refuse(Code::InputMalformed, name, message);
    None
}

pub(super) fn account(check: &mut Check, inputs: &Inputs) -> Option<Option<String>> {
    let Some(account) = check.text("awsAccount", &inputs.aws_account) else {
        return Some(None);
    };
    if account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit()) {
        return Some(Some(account.to_owned()));
    }
    check.refuse(
        Code::InputMalformed,
        "awsAccount",
        format!("`{account}` is no AWS account; it has to be 12 digits"),
    );
    None
}

#[cfg(test)]
mod tests;
