//! Gathers the facts for a verification.

use super::images::{FoundImage, Images};
use super::keys::KeyLookup;
use super::records::RecordLookup;
use crate::domain::provenance::known_records::KnownRecords;
use crate::domain::provenance::signed_record::Record;
use crate::domain::reference::image_name::ImageName;
use crate::flow::config::verify::VerifyConfig;
use crate::flow::facts::fact::Fact;
use crate::flow::facts::verify::{ImageFacts, VerifyFacts};
use crate::flow::services::Services;

/// Gathers the facts from the registries.
pub async fn gather(config: &VerifyConfig, services: &Services) -> VerifyFacts {
    let images = Images::new(config.account.as_deref(), services);
    let keys = KeyLookup::new(&config.signing, services);
    let caller = async {
        // A user of another registry may have no credentials for AWS, and looking for some takes seconds.
        let is_aws = |name: &ImageName| name.registry.is_none() || name.ecr().is_some();
        let mut names = std::iter::once(&config.target).chain(&config.source);
        if names.any(is_aws) {
            Some(services.caller().await)
        } else {
            None
        }
    };
    let source = async {
        match &config.source {
            Some(name) => Some(images.find("source", name).await.map(ImageFacts::from)),
            None => None,
        }
    };
    let target = async {
        let found = images.find("target", &config.target).await;
        let records = match &found {
            Ok(found) => records(services, found, &keys).await,
            Err(problem) => Err(problem.clone()),
        };
        (found.map(ImageFacts::from), records)
    };
    let (caller, (target, records), source, keys) =
        tokio::join!(caller, target, source, keys.find());
    VerifyFacts {
        caller,
        target,
        records,
        keys,
        source,
    }
}

async fn records(
    services: &Services,
    found: &FoundImage,
    keys: &KeyLookup<'_>,
) -> Fact<KnownRecords<Record>> {
    let lookup = RecordLookup {
        registry: services.registry().await?,
        repository: &found.repository,
        image: &found.image.digest,
        trust: &keys.find().await?.trust,
    };
    lookup.records().await
}
