//! What is known about AWS before anything is asked.

use crate::secret::Secret;

/// How to sign in to AWS, and where.
#[derive(Clone, Debug)]
pub struct AwsSettings {
    /// Who we are.
    pub credentials: AwsCredentials,
    /// The region for calls that concern no registry; the chain's when it is not given.
    pub region: Option<String>,
}

/// Where the credentials come from.
#[derive(Clone)]
pub enum AwsCredentials {
    /// Keys that were given to the task.
    Keys {
        /// The access key's ID.
        access_key_id: String,
        /// The key itself.
        secret_access_key: Secret,
        /// The token of temporary keys.
        session_token: Option<Secret>,
    },
    /// The SDK's default chain: environment, shared files, web identity, container, instance.
    DefaultChain,
}

impl AwsCredentials {
    /// What was chosen, in a phrase for the log.
    #[must_use]
    pub fn origin(&self) -> &'static str {
        match self {
            Self::Keys { .. } => "the inputs",
            Self::DefaultChain => "the SDK's default chain",
        }
    }
}

// The key's ID is no secret to AWS, but some organizations treat it as one.
impl std::fmt::Debug for AwsCredentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Keys { .. } => f.write_str("Keys(***)"),
            Self::DefaultChain => f.write_str("DefaultChain"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{AwsCredentials, AwsSettings};
    use crate::secret::Secret;

    #[test]
    fn settings_print_no_key() {
        let settings = AwsSettings {
            credentials: AwsCredentials::Keys {
                access_key_id: "AKIAEXAMPLE".to_owned(),
                secret_access_key: Secret::new("shh"),
                session_token: None,
            },
            region: None,
        };
        let printed = format!("{settings:?}");
        assert!(
            !printed.contains("AKIA") && !printed.contains("shh"),
            "{printed}"
        );
    }
}
