//! The name of a key in AWS KMS.

use std::fmt;
use std::str::FromStr;

use super::partition::Partition;

/// The start of a key's name as cosign writes it: three slashes, since no endpoint is named.
const COSIGN: &str = "awskms:///";

/// The name of a key: its ID, its alias, or the ARN of either
/// (<https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#key-id>).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KmsKeyName {
    name: String,
    region: Option<String>,
}

/// The reason why a text is not the name of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KmsKeyNameError {
    /// The text names an endpoint, as cosign allows.
    #[error(
        "names an endpoint of KMS, which the task does not use; write `awskms:///` with three slashes, or only the key"
    )]
    Endpoint,
    /// The text has another form.
    #[error("is not the name of a KMS key")]
    Form,
}

impl KmsKeyName {
    /// The name as KMS takes it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.name
    }

    /// The region of an ARN; none for a key of the task's own region.
    #[must_use]
    pub fn region(&self) -> Option<&str> {
        self.region.as_deref()
    }
}

impl fmt::Display for KmsKeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl FromStr for KmsKeyName {
    type Err = KmsKeyNameError;

    fn from_str(text: &str) -> Result<Self, KmsKeyNameError> {
        let name = text.strip_prefix(COSIGN).unwrap_or(text);
        if name.starts_with("awskms:") {
            return Err(KmsKeyNameError::Endpoint);
        }
        let region = if is_resource(name) || is_id(name) {
            None
        } else {
            Some(region_of(name).ok_or(KmsKeyNameError::Form)?.to_owned())
        };
        Ok(Self {
            name: name.to_owned(),
            region,
        })
    }
}

/// The region in `arn:PARTITION:kms:REGION:ACCOUNT:key/ID` or `…:alias/NAME`.
fn region_of(arn: &str) -> Option<&str> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let ["arn", partition, "kms", region, account, resource] = parts.as_slice() else {
        return None;
    };
    let is_account = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
    let is_region = !region.is_empty()
        && region
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && Partition::of_region(region).name == *partition;
    let is_key = resource.strip_prefix("key/").is_some_and(is_id);
    (is_account && is_region && (is_key || is_resource(resource))).then_some(*region)
}

/// `alias/NAME` (<https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateAlias.html>).
fn is_resource(text: &str) -> bool {
    let is_part = |b: u8| b.is_ascii_alphanumeric() || b"/_-".contains(&b);
    text.strip_prefix("alias/")
        .is_some_and(|name| (1..=250).contains(&name.len()) && name.bytes().all(is_part))
}

/// A UUID, or the ID of a key in several regions: `mrk-` and 32 digits.
fn is_id(text: &str) -> bool {
    let is_hex = |text: &str| text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    if let Some(digits) = text.strip_prefix("mrk-") {
        return digits.len() == 32 && is_hex(digits);
    }
    let lengths: Vec<usize> = text.split('-').map(str::len).collect();
    lengths == [8, 4, 4, 4, 12] && is_hex(&text.replace('-', ""))
}

#[cfg(test)]
mod tests {
    use super::{KmsKeyName, KmsKeyNameError};

    const ID: &str = "1234abcd-12ab-34cd-56ef-1234567890ab";

    fn parse(text: &str) -> Result<(String, Option<String>), KmsKeyNameError> {
        let key: KmsKeyName = text.parse()?;
        Ok((key.to_string(), key.region().map(str::to_owned)))
    }

    #[test]
    fn each_form_of_a_name_is_read_with_its_region() {
        let arn = format!("arn:aws:kms:eu-west-1:123456789012:key/{ID}");
        let alias = "arn:aws-cn:kms:cn-north-1:123456789012:alias/team/falcon";
        let multi = format!("mrk-{}", "1a".repeat(16));
        for (text, region) in [
            ("alias/falcon-records", None),
            (ID, None),
            (&multi, None),
            (&arn, Some("eu-west-1")),
            (alias, Some("cn-north-1")),
        ] {
            let expected = (text.to_owned(), region.map(str::to_owned));
            assert_eq!(parse(text), Ok(expected.clone()));
            assert_eq!(parse(&format!("awskms:///{text}")), Ok(expected));
        }
    }

    #[test]
    fn other_texts_are_refused() {
        let endpoint = parse("awskms://localhost:4566/alias/x");
        assert_eq!(endpoint, Err(KmsKeyNameError::Endpoint));
        let upper = ID.to_uppercase();
        let other_service = format!("arn:aws:s3:eu-west-1:123456789012:key/{ID}");
        let other_partition = format!("arn:aws:kms:cn-north-1:123456789012:key/{ID}");
        for text in [
            "",
            "alias/",
            "alias/a b",
            "falcon-records",
            &upper,
            &other_service,
            &other_partition,
            "arn:aws:kms:eu-west-1:1234:alias/x",
            "arn:aws:kms::123456789012:alias/x",
            "arn:aws:kms:eu-west-1:123456789012:role/x",
            "https://kms.eu-west-1.amazonaws.com",
        ] {
            assert_eq!(parse(text), Err(KmsKeyNameError::Form), "{text}");
        }
    }
}
