//! The roles that are named, with the names and the duration of their sessions.

use std::time::Duration;

use crate::domain::aws::partition::Partition;
use crate::domain::aws::settings::{AwsCredentials, CredentialSource, Role};
use crate::flow::config::check::Check;
use crate::flow::config::input_fault::InputFault;

/// The AWS Toolkit's name for its sessions, which trust policies and alarms may expect.
const SESSION_NAME: &str = "aws-vsts-tools";

/// The toolkit's default; credentials are refreshed, so a short session does no harm.
const DEFAULT_DURATION: Duration = Duration::from_mins(15);

/// The durations that `AssumeRole` accepts
/// (<https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>).
const DURATIONS: std::ops::RangeInclusive<u64> = 900..=43200;

/// The longest session that AWS allows where one role assumes another
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html#iam-term-role-chaining>).
const LONGEST_CHAINED: Duration = Duration::from_hours(1);

/// The parts of a role, as set.
pub(super) struct RoleFields<'a> {
    pub(super) arn: &'a str,
    pub(super) session_name: &'a str,
    pub(super) external_id: &'a str,
    pub(super) duration: &'a str,
}

/// The names of the parts in messages.
pub(super) struct RoleNames {
    pub(super) arn: &'static str,
    pub(super) session_name: &'static str,
    pub(super) external_id: &'static str,
}

/// The role, if one is named; without one the other parts are ignored.
pub(super) fn read(
    check: &mut Check,
    given_by: CredentialSource,
    names: &RoleNames,
    fields: &RoleFields<'_>,
) -> Option<Role> {
    if fields.arn.trim().is_empty() {
        return None;
    }
    let arn = read_arn(check, names.arn, fields.arn);
    let session_name = read_session_name(check, names.session_name, fields.session_name);
    let duration = read_duration(check, fields.duration);
    let external_id = check.text(names.external_id, fields.external_id);
    Some(Role {
        given_by,
        arn: arn?,
        session_name: session_name?,
        external_id: external_id.map(str::to_owned),
        duration: duration?,
    })
}

fn read_arn(check: &mut Check, name: &str, value: &str) -> Option<String> {
    let arn = check.text(name, value)?;
    if is_role(arn) {
        return Some(arn.to_owned());
    }
    let message = format!(
        "`{arn}` is not a role's ARN (example: `arn:aws:iam::123456789012:role/falcon-patch`)"
    );
    check.refuse(InputFault::Malformed, name, message);
    None
}

/// `arn:PARTITION:iam::ACCOUNT:role/PATH`
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html>).
fn is_role(arn: &str) -> bool {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let [arn, partition, "iam", "", account, resource] = parts.as_slice() else {
        return false;
    };
    let is_account = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
    let is_name = |b: u8| b.is_ascii_alphanumeric() || b"_+=,.@-/".contains(&b);
    *arn == "arn"
        && Partition::named(partition).is_some()
        && is_account
        && resource
            .strip_prefix("role/")
            .is_some_and(|name| !name.is_empty() && name.bytes().all(is_name))
}

fn read_session_name(check: &mut Check, name: &str, value: &str) -> Option<String> {
    if value.trim().is_empty() {
        return Some(SESSION_NAME.to_owned());
    }
    let session = check.text(name, value)?;
    let is_allowed = |b: u8| b.is_ascii_alphanumeric() || b"_+=,.@-".contains(&b);
    if (2..=64).contains(&session.len()) && session.bytes().all(is_allowed) {
        return Some(session.to_owned());
    }
    let message = format!(
        "`{session}` cannot name a role's session; 2 to 64 letters, digits and `_+=,.@-` can"
    );
    check.refuse(InputFault::Malformed, name, message);
    None
}

fn read_duration(check: &mut Check, value: &str) -> Option<Duration> {
    const NAME: &str = "aws.rolecredential.maxduration";
    if value.trim().is_empty() {
        return Some(DEFAULT_DURATION);
    }
    let text = check.text(NAME, value)?;
    match text.parse() {
        Ok(seconds) if DURATIONS.contains(&seconds) => Some(Duration::from_secs(seconds)),
        _ => {
            let message = format!("`{text}` must be seconds, from 900 to 43200");
            check.refuse(InputFault::Malformed, NAME, message);
            None
        }
    }
}

/// Shortens the sessions of roles that another role assumes: AWS refuses longer ones.
pub(super) fn limit_chained(credentials: &AwsCredentials, roles: &mut [Role]) {
    let unchained = usize::from(!matches!(credentials, AwsCredentials::Oidc { .. }));
    for role in roles.iter_mut().skip(unchained) {
        role.duration = role.duration.min(LONGEST_CHAINED);
    }
}
