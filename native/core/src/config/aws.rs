//! The inputs that say how to sign in to AWS, and where.

use super::check::Check;
use crate::aws::{AwsCredentials, AwsSettings};
use crate::error::Code;
use crate::inputs::Inputs;
use crate::reference::ImageName;
use crate::secret::Secret;

/// What the inputs say of AWS.
pub(super) struct AwsInputs {
    credentials: AwsCredentials,
    region: Option<String>,
    account: Option<String>,
}

pub(super) fn read(check: &mut Check, inputs: &Inputs) -> AwsInputs {
    AwsInputs {
        credentials: credentials(check, inputs),
        region: region(check, inputs),
        account: account(check, inputs),
    }
}

impl AwsInputs {
    /// The sign-in and the account. Where no input says the account or the region, the first image
    /// in full does; the sensor may well be in the registry of another account.
    pub(super) fn complete(
        self,
        images: &[&ImageName],
        sensor: Option<&ImageName>,
    ) -> (AwsSettings, Option<String>) {
        let mut full = images.iter().filter_map(|name| name.ecr());
        let first = full.next();
        let account = first.as_ref().map(|host| host.account.clone());
        let region = first.or_else(|| sensor?.ecr()).map(|host| host.region);
        let settings = AwsSettings {
            credentials: self.credentials,
            region: self.region.or(region),
        };
        (settings, self.account.or(account))
    }
}

fn credentials(check: &mut Check, inputs: &Inputs) -> AwsCredentials {
    let key = check.text("awsAccessKeyId", &inputs.aws_access_key_id);
    let secret = check.text("awsSecretAccessKey", &inputs.aws_secret_access_key);
    let token = check.text("awsSessionToken", &inputs.aws_session_token);
    let typed = |value: &str| !value.trim().is_empty();
    let (has_key, has_secret) = (
        typed(&inputs.aws_access_key_id),
        typed(&inputs.aws_secret_access_key),
    );
    if !has_key && (has_secret || typed(&inputs.aws_session_token)) {
        check.refuse(
            Code::InputMissing,
            "awsAccessKeyId",
            "is required beside `awsSecretAccessKey` or `awsSessionToken`",
        );
    } else if has_key && !has_secret {
        check.refuse(
            Code::InputMissing,
            "awsSecretAccessKey",
            "is required beside `awsAccessKeyId`",
        );
    }
    match (key, secret) {
        (Some(key), Some(secret)) => AwsCredentials::Keys {
            access_key_id: key.to_owned(),
            secret_access_key: Secret::new(secret),
            session_token: token.map(Secret::new),
        },
        _ => AwsCredentials::DefaultChain,
    }
}

fn region(check: &mut Check, inputs: &Inputs) -> Option<String> {
    let region = check.text("awsRegion", &inputs.aws_region)?;
    let is_word = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    };
    if region.split('-').count() >= 3 && region.split('-').all(is_word) {
        return Some(region.to_owned());
    }
    check.refuse(
        Code::InputMalformed,
        "awsRegion",
        format!("`{region}` is no AWS region; write it as in `eu-west-1`"),
    );
    None
}

fn account(check: &mut Check, inputs: &Inputs) -> Option<String> {
    let account = check.text("awsAccount", &inputs.aws_account)?;
    if account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit()) {
        return Some(account.to_owned());
    }
    check.refuse(
        Code::InputMalformed,
        "awsAccount",
        format!("`{account}` is no AWS account; it has to be 12 digits"),
    );
    None
}
