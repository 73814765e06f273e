//! The customer ID (CID) of a `CrowdStrike` tenant.

use std::str::FromStr;

use crate::report::secret::Secret;

/// A customer ID with its checksum: 32 hex digits, `-`, 2 hex digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomerId(Secret);

/// Reason that a text is not a customer ID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CustomerIdError {
    /// The 32 digits are there, the checksum is not; falconutil demands it.
    WithoutChecksum,
    /// It is something else.
    Malformed,
}

impl CustomerId {
    /// The text, for falconutil.
    #[must_use]
    pub fn reveal(&self) -> &str {
        self.0.reveal()
    }

    /// The user of CrowdStrike's registry: the digits in lower case, without the checksum.
    #[must_use]
    pub fn registry_user(&self) -> String {
        format!("fc-{}", self.digits().to_ascii_lowercase())
    }

    /// The forms in which it can come up, each to be masked.
    pub(crate) fn forms(&self) -> Vec<Secret> {
        let whole = self.reveal();
        let forms = [whole, self.digits()].into_iter().flat_map(|text| {
            [
                text.to_owned(),
                text.to_ascii_lowercase(),
                text.to_ascii_uppercase(),
            ]
        });
        forms.map(Secret::new).collect()
    }

    fn digits(&self) -> &str {
        let whole = self.reveal();
        whole.split_once('-').map_or(whole, |(digits, _)| digits)
    }
}

impl FromStr for CustomerId {
    type Err = CustomerIdError;

    fn from_str(text: &str) -> Result<Self, CustomerIdError> {
        let is_hex = |text: &str, length: usize| {
            text.len() == length && text.bytes().all(|b| b.is_ascii_hexdigit())
        };
        match text.split_once('-') {
            Some((id, checksum)) if is_hex(id, 32) && is_hex(checksum, 2) => {
                Ok(Self(Secret::new(text)))
            }
            None if is_hex(text, 32) => Err(CustomerIdError::WithoutChecksum),
            _ => Err(CustomerIdError::Malformed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{CustomerId, CustomerIdError};

    #[test]
    fn a_customer_id_needs_its_checksum() {
        let digits = "0123456789abcdef0123456789ABCDEF";
        assert!(format!("{digits}-12").parse::<CustomerId>().is_ok());
        for (text, error) in [
            (digits.to_owned(), CustomerIdError::WithoutChecksum),
            (format!("{digits}-1"), CustomerIdError::Malformed),
            (format!("{digits}-1g"), CustomerIdError::Malformed),
            (format!("0{digits}-12"), CustomerIdError::Malformed),
            (String::new(), CustomerIdError::Malformed),
        ] {
            assert_eq!(text.parse::<CustomerId>(), Err(error), "{text}");
        }
    }
}
