//! Finds the public keys of signed records, and if the signing key may be used.

use tokio::sync::OnceCell;

use crate::adapters::aws::kms_error::KmsError;
use crate::domain::aws::kms_key::KmsKeyName;
use crate::domain::provenance::key::{PublicKey, Trust, TrustedKey};
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

    /// The keys; KMS is asked once for each that is its own.
    pub(super) async fn find(&self) -> Fact<KeyFacts> {
        let found = self.found.get_or_init(|| Box::pin(self.ask()));
        found.await.clone()
    }

    async fn ask(&self) -> Fact<KeyFacts> {
        let names = self.config.kms_keys();
        let asked = names.iter().map(|name| async {
            let aws = self.services.aws().await?;
            let key = aws.public_key(name).await?;
            Ok::<_, Problem>((*name, key))
        });
        let public = futures_util::future::try_join_all(asked).await?;
        let of = |name: &KmsKeyName| -> Fact<PublicKey> {
            let found = public.iter().find(|(known, _)| *known == name);
            let key = found.map(|(_, key)| key.clone());
            key.ok_or_else(|| KmsError::NotAsked(name.clone()).into())
        };
        let trusted = self.config.trusted.iter().map(|source| {
            Ok(match source {
                KeySource::Pem(key) => TrustedKey {
                    name: key.to_string(),
                    key: key.clone(),
                },
                KeySource::Kms(name) => TrustedKey {
                    name: name.to_string(),
                    key: of(name)?,
                },
            })
        });
        let trusted: Vec<TrustedKey> = trusted.collect::<Fact<_>>()?;
        let signing = self.config.signing_key.as_ref().map(|name| {
            let public = of(name)?;
            let name = name.clone();
            Ok::<_, Problem>(SigningKey { name, public })
        });
        Ok(KeyFacts {
            trust: if trusted.is_empty() {
                Trust::Anyone
            } else {
                Trust::Keys(trusted)
            },
            signing: signing.transpose()?,
        })
    }
}

/// Asks if the signing key may be used, without a signature; none where nothing is signed.
pub(super) async fn may_sign(config: &SigningConfig, services: &Services) -> Option<Fact<()>> {
    let name = config.signing_key.as_ref()?;
    let ask = async { Ok(services.aws().await?.may_sign(name).await?) };
    Some(ask.await)
}
