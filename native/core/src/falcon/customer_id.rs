//! The customer ID (CID) of a `CrowdStrike` tenant.

use std::str::FromStr;

use crate::secret::Secret;

/// A customer ID with its checksum: 32 hex digits, `-`, 2 hex digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomerId(Secret);

/// Why a text is no customer ID.
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
