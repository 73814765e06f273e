//! Gathers facts in two passes, and changes nothing.

use std::collections::HashSet;

use super::images::Images;
use super::keys::{KeyLookup, signing_key};
use super::sensor::SensorLookup;
use super::target::TargetLookup;
use super::{builder, ecs, source, target};
use crate::adapters::binfmt;
use crate::domain::emulation::Registration;
use crate::domain::engine::{EngineFacts, EngineMounts};
use crate::domain::falcon::customer_id::CustomerId;
use crate::domain::reference::digest::Digest;
use crate::domain::reference::repository::Repository;
use crate::flow::config::patch::PatchConfig;
use crate::flow::facts::fact::Fact;
use crate::flow::facts::patch::Facts;
use crate::flow::facts::probes::Probes;
use crate::flow::facts::source::SourcePlace;
use crate::flow::services::Services;

/// Gathers the facts that show whether anything is to be changed; a look-up that fails is a fact too.
pub async fn first(config: &PatchConfig, services: &Services) -> Facts {
    let images = Images::new(config.account.as_deref(), services);
    let sensor = SensorLookup {
        services,
        images: &images,
    };
    let keys = KeyLookup::new(&config.signing, services);
    let target = TargetLookup {
        config,
        services,
        keys: &keys,
    };
    let task_definition = async {
        let file = config.task_definition.as_ref()?;
        let container = config.falcon.container_name.as_deref();
        Some(ecs::look(file, container, &services.agent().roots()).await)
    };
    let builder = async {
        let name = config.builder.as_ref()?;
        Some(builder::look(name, services).await)
    };
    let (source, sensor, target, customer_id, task_definition, builder, keys) = tokio::join!(
        source::look(&config.source, &images, services),
        sensor.look(&config.sensor),
        target.look(&images),
        customer_id(config, services),
        task_definition,
        builder,
        keys.find(),
    );
    Facts {
        caller: None,
        keys,
        signing: None,
        handler: Registration::Unknown,
        engine: None,
        mounts: None,
        source,
        sensor,
        customer_id,
        target,
        task_definition,
        builder,
        graft_cache: None,
        staged: None,
        in_engine: HashSet::new(),
        probes: Probes::default(),
    }
}

/// Adds the engine's facts, with those that depend on them.
pub async fn engine(services: &Services, facts: &mut Facts) {
    let engine = services.engine_facts().await;
    if let (Ok(engine), Ok(sensor)) = (&engine, &mut facts.sensor) {
        let mut platforms = sensor.platforms.iter();
        let native = platforms.find(|manifest| manifest.platform == engine.platform);
        let native = native.map(|manifest| manifest.digest.clone());
        sensor.native = native.filter(|native| *native != sensor.arm64);
    }
    facts.handler = handler(engine.as_ref().ok(), services);
    facts.engine = Some(engine);
}

/// Adds the facts that only matter where something is to be changed. The engine is asked for more where it patches.
pub async fn rest(config: &PatchConfig, services: &Services, facts: &mut Facts) {
    let found_target = async {
        let found = facts.target.clone()?;
        target::at_aws(found, config, services).await
    };
    // The futures are large, so they live on the heap.
    let (caller, signing, target, in_engine, mounts) = tokio::join!(
        Box::pin(services.caller()),
        Box::pin(signing_key(&config.signing, &facts.keys, services)),
        Box::pin(found_target),
        Box::pin(in_engine(services, facts)),
        Box::pin(mounts(services, facts)),
    );
    facts.mounts = mounts;
    facts.caller = Some(caller);
    facts.signing = signing;
    facts.in_engine = in_engine;
    facts.target = target;
}

async fn customer_id(config: &PatchConfig, services: &Services) -> Fact<CustomerId> {
    match &config.falcon.customer_id {
        Some(id) => Ok(id.clone()),
        None => services.tenant().customer_id().await,
    }
}

/// The paths that the engine can mount; none if it was not asked, or does not answer.
async fn mounts(services: &Services, facts: &Facts) -> Option<EngineMounts> {
    let answers = matches!(facts.engine, Some(Ok(_)));
    let engine = services.engine().ok().filter(|_| answers)?;
    Some(engine.mounts(&services.agent().temp_folder).await)
}

/// The handler that the kernel has for ARM64 programs; unknown where the engine runs under another kernel.
pub fn handler(engine: Option<&EngineFacts>, services: &Services) -> Registration {
    match engine {
        Some(engine) if engine.is_local && !services.agent().in_container_job => {
            binfmt::registered(binfmt::BINFMT_MISC.as_ref())
        }
        _ => Registration::Unknown,
    }
}

/// The digests of the images that the engine holds already, so that they are neither pulled nor removed.
async fn in_engine(services: &Services, facts: &Facts) -> HashSet<Digest> {
    let (Some(_), Ok(engine)) = (&facts.engine, services.engine()) else {
        return HashSet::new();
    };
    let source = facts.source.as_ref().ok();
    let mut wanted: Vec<(&Repository, &Digest)> = Vec::new();
    if let Some(SourcePlace::Registry {
        repository, image, ..
    }) = source.map(|source| &source.place)
    {
        wanted.push((repository, &image.digest));
    }
    if let Ok(sensor) = &facts.sensor {
        wanted.extend(
            [Some(&sensor.arm64), sensor.native.as_ref()]
                .into_iter()
                .flatten()
                .map(|digest| (&sensor.repository, digest)),
        );
    }
    let looked = wanted.into_iter().map(|(repository, digest)| async move {
        // A look that fails costs a pull, which then fails with the reason.
        let holds = engine.holds(&repository.at(digest)).await;
        matches!(holds, Ok(true)).then(|| digest.clone())
    });
    futures_util::future::join_all(looked)
        .await
        .into_iter()
        .flatten()
        .collect()
}
