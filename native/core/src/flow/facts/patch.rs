//! The facts that a patch depends on.

use std::collections::HashSet;

use super::builder::BuilderFacts;
use super::fact::Fact;
use super::graft_cache::{CacheHit, GraftCacheFacts};
use super::keys::{KeyFacts, SigningKey};
use super::probes::Probes;
use super::sensor::SensorFacts;
use super::source::{SourceFacts, SourceOrigin, SourcePlace};
use super::staged::Staged;
use super::target::TargetFacts;
use crate::domain::aws::identity::CallerIdentity;
use crate::domain::ecs::task_definition::TaskDefinition;
use crate::domain::emulation::Registration;
use crate::domain::engine::{EngineFacts, EngineMounts};
use crate::domain::falcon::customer_id::CustomerId;
use crate::domain::falcon::options::FalconOptions;
use crate::domain::reference::digest::Digest;
use crate::domain::reference::repository::Repository;
use crate::flow::config::patch::PatchConfig;
use crate::report::code::Code;
use crate::report::problem::{Explain, Problem};

/// Everything that was looked up; it grows by the results of probes.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The caller's identity at AWS; not requested where nothing is to be changed.
    pub caller: Option<Fact<CallerIdentity>>,
    /// The keys by which records are believed.
    pub keys: Fact<KeyFacts>,
    /// The key that signs the record; none where records are not signed, and not looked up where none is written.
    pub signing: Option<Fact<SigningKey>>,
    /// The engine; not asked where nothing is done with it.
    pub engine: Option<Fact<EngineFacts>>,
    /// The paths that the engine can mount; not asked for where nothing is to be changed or no engine answers.
    pub mounts: Option<EngineMounts>,
    /// The kernel's handler for ARM64 programs.
    pub handler: Registration,
    /// The image to patch.
    pub source: Fact<SourceFacts>,
    /// The sensor image.
    pub sensor: Fact<SensorFacts>,
    /// The customer ID, given or looked up.
    pub customer_id: Fact<CustomerId>,
    /// The destination of the patched image.
    pub target: Fact<TargetFacts>,
    /// The builder for later steps; none where no input names one.
    pub builder: Option<Fact<BuilderFacts>>,
    /// The places of the staged images; none where the engine pulls them from their own registries.
    pub staged: Option<Staged>,
    /// The graft cache's answer; none where the cache was not asked.
    pub graft_cache: Option<GraftCacheFacts>,
    /// The ECS task definition, corrected; none where none was given.
    pub task_definition: Option<Fact<TaskDefinition>>,
    /// The digests of images that the engine holds already.
    pub in_engine: HashSet<Digest>,
    /// The results of probes.
    pub probes: Probes,
}

impl Facts {
    /// The engine's facts.
    ///
    /// # Errors
    /// The engine's problem. Where an entry of the graft cache would have done without an engine, it says so.
    pub(crate) fn engine(&self) -> Result<&EngineFacts, Problem> {
        let engine = self.engine.as_ref().ok_or(NotAsked)?;
        engine.as_ref().map_err(|problem| match &self.graft_cache {
            Some(_) => neither_engine_nor_entry(problem),
            None => problem.clone(),
        })
    }

    /// The entry of the graft cache that is used; none if the cache has none.
    #[must_use]
    pub fn cache_hit(&self) -> Option<&CacheHit> {
        self.graft_cache.as_ref().and_then(GraftCacheFacts::hit)
    }

    /// The place from which the engine gets the source.
    #[must_use]
    pub fn source_origin<'a>(&'a self, source: &'a SourceFacts) -> SourceOrigin<'a> {
        match (&self.staged, &source.place) {
            (Some(staged), _) => SourceOrigin::Registry(&staged.source, &staged.source_digest),
            (
                None,
                SourcePlace::Registry {
                    repository, image, ..
                },
            ) => SourceOrigin::Registry(repository, &image.digest),
            (None, SourcePlace::Engine { id }) => SourceOrigin::Engine(id),
        }
    }

    /// The repository from which the engine pulls the sensor.
    #[must_use]
    pub fn sensor_origin<'a>(&'a self, sensor: &'a SensorFacts) -> &'a Repository {
        let staged = self.staged.as_ref();
        staged.map_or(&sensor.repository, |staged| &staged.sensor)
    }

    /// The options for falconutil. An ECS task definition decides the container's name, even where `containerName` is
    /// empty.
    pub(crate) fn falcon_options(&self, config: &PatchConfig) -> Result<FalconOptions, Problem> {
        let customer_id = self.customer_id.clone()?;
        let mut options = config.falcon.for_customer(customer_id);
        if let Some(definition) = &self.task_definition {
            let definition = definition.as_ref().map_err(Clone::clone)?;
            options.container_name = Some(definition.container.clone());
        }
        Ok(options)
    }
}

/// A plan that needs the engine, although the look did not ask it.
#[derive(Debug, thiserror::Error)]
#[error("The plan needs the engine, which was not asked")]
struct NotAsked;

impl Explain for NotAsked {
    fn code(&self) -> Code {
        Code::TaskInternal
    }

    fn hint(&self) -> Option<String> {
        Some("Report it with the log of the run".to_owned())
    }
}

/// The problem of an agent without an engine, for which the cache has nothing either.
fn neither_engine_nor_entry(engine: &Problem) -> Problem {
    let why = std::iter::once(&engine.what).chain(&engine.why);
    Problem {
        code: engine.code,
        what: "The graft cache has no usable entry for this image, and a new graft needs a Docker Engine, which this agent does not have".to_owned(),
        why: why.cloned().collect(),
        hint: Some("Patch once with the same inputs on an agent with a Docker Engine; its entry in the target's repository serves agents without one".to_owned()),
    }
}
