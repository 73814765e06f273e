//! Finds the public keys of signed records, and if the signing key may be used.

use tokio::sync::OnceCell;

use crate::domain::provenance::key::{Trust, TrustedKey};
use crate::flow::config::signing::{KeySource, SigningConfig};
use crate::flow::facts::fact::Fact;
use crate::flow::facts::keys::{KeyFacts, SigningKey};
use crate::flow::services::Services;
use crate::report::problem::Problem;

/// Looks the keys up once, for all look-ups that need them.
pub(super) struct KeyLookup<'a> {
    config: &'a SigningConfig,
    services: &'a Services,
    found: OnceCell<Fact<KeyFacts>>,
}

impl<'a> KeyLookup<'a> {
    pub(super) fn new(config: &'a SigningConfig, services: &'a Services) -> Self {
        Self {
            config,
            services,
            found: OnceCell::new(),
        }
    }

    /// The keys; KMS is asked once for each that it has.
    pub(super) async fn find(&self) -> Fact<KeyFacts> {
        let found = self.found.get_or_init(|| Box::pin(self.ask()));
        found.await.clone()
    }

    async fn ask(&self) -> Fact<KeyFacts> {
        let trusted = self.config.trusted.iter().map(|source| async move {
            Ok::<_, Problem>(match source {
                KeySource::Pem(key) => TrustedKey {
                    name: key.to_string(),
                    key: key.clone(),
                },
                KeySource::Kms(name) => TrustedKey {
                    name: name.to_string(),
                    key: self.services.aws().await?.public_key(name).await?,
                },
            })
        });
        let trusted = futures_util::future::try_join_all(trusted).await?;
        Ok(KeyFacts {
            trust: if trusted.is_empty() {
                Trust::Anyone
            } else {
                Trust::Keys(trusted)
            },
        })
    }
}

/// Finds the signing key and asks if it may be used, without a signature; none where nothing is signed.
pub(super) async fn signing_key(
    config: &SigningConfig,
    keys: &Fact<KeyFacts>,
    services: &Services,
) -> Option<Fact<SigningKey>> {
    let name = config.signing_key.as_ref()?;
    let find = async {
        let aws = services.aws().await?;
        let trusted = match keys.as_ref().map(|keys| &keys.trust) {
            Ok(Trust::Keys(keys)) => keys.iter().find(|key| key.name == name.as_str()),
            Ok(Trust::Anyone) | Err(_) => None,
        };
        let public = match trusted {
            Some(known) => known.key.clone(),
            None => aws.public_key(name).await?,
        };
        aws.may_sign(name).await?;
        Ok(SigningKey {
            name: name.clone(),
            public,
        })
    };
    Some(find.await)
}
