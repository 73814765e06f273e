//! The facts that the plan has checked, as the steps receive them.

use std::path::Path;

use super::engine_access::engine_socket;
use crate::domain::ecs::task_definition::TaskDefinition;
use crate::domain::falcon::options::FalconOptions;
use crate::domain::provenance::key::Trust;
use crate::domain::reference::repository::Repository;
use crate::flow::config::patch::PatchConfig;
use crate::flow::facts::graft_cache::GraftCacheFacts;
use crate::flow::facts::keys::SigningKey;
use crate::flow::facts::patch::Facts;
use crate::flow::facts::sensor::SensorFacts;
use crate::flow::facts::source::{SourceFacts, SourceOrigin};
use crate::flow::facts::target::TargetFacts;
use crate::report::problem::Problem;

/// The facts that the steps of a plan need, none of them missing.
#[derive(Clone, Debug)]
pub struct Ready<'a> {
    facts: &'a Facts,
    /// The image to patch.
    pub source: &'a SourceFacts,
    /// The sensor image.
    pub sensor: &'a SensorFacts,
    /// The destination of the patched image.
    pub target: &'a TargetFacts,
    /// The options of falconutil, with the customer in them.
    pub options: FalconOptions,
    /// The key that signs the record; none where records are not signed.
    pub signing: Option<&'a SigningKey>,
    /// The records and entries that count.
    pub trust: &'a Trust,
    /// The ECS task definition; none where none was given.
    pub task_definition: Option<&'a TaskDefinition>,
}

impl<'a> Ready<'a> {
    /// Collects the facts.
    ///
    /// # Errors
    /// The first one that could not be found.
    pub fn of(config: &PatchConfig, facts: &'a Facts) -> Result<Self, Problem> {
        let task_definition = facts.task_definition.as_ref().map(Result::as_ref);
        let keys = facts.keys.as_ref().map_err(Clone::clone)?;
        let signing = facts.signing.as_ref().map(Result::as_ref);
        Ok(Self {
            facts,
            signing: signing.transpose().map_err(Clone::clone)?,
            trust: &keys.trust,
            task_definition: task_definition.transpose().map_err(Clone::clone)?,
            source: facts.source.as_ref().map_err(Clone::clone)?,
            sensor: facts.sensor.as_ref().map_err(Clone::clone)?,
            options: facts.falcon_options(config)?,
            target: facts.target.as_ref().map_err(Clone::clone)?,
        })
    }

    /// The graft cache's answer; none where the cache was not asked.
    #[must_use]
    pub fn graft_cache(&self) -> Option<&'a GraftCacheFacts> {
        self.facts.graft_cache.as_ref()
    }

    /// The place from which the engine takes the source.
    #[must_use]
    pub fn source_origin(&self) -> SourceOrigin<'a> {
        self.facts.source_origin(self.source)
    }

    /// The repository from which the engine takes the sensor.
    #[must_use]
    pub fn sensor_origin(&self) -> &'a Repository {
        self.facts.sensor_origin(self.sensor)
    }

    /// The engine's own socket, where the engine cannot mount one of the task's; none where it can.
    #[must_use]
    pub fn engine_socket(&self) -> Option<&'a Path> {
        engine_socket(self.facts)
    }

    /// Checks that a repository is in the local registry.
    #[must_use]
    pub fn is_staged(&self, repository: &Repository) -> bool {
        let staged = self.facts.staged.as_ref();
        staged.is_some_and(|staged| staged.sensor.registry == repository.registry)
    }
}

#[cfg(test)]
mod tests {
    use super::Ready;
    use crate::domain::reference::digest::Digest;
    use crate::domain::reference::repository::Repository;
    use crate::flow::facts::patch::Facts;
    use crate::flow::facts::source::{SourceOrigin, SourcePlace};
    use crate::flow::facts::staged::Staged;
    use crate::report::code::Code;
    use crate::report::problem::Problem;
    use crate::test_support::config::{HOST, config};
    use crate::test_support::facts::{facts, with_task_definition};

    fn problem(code: Code) -> Problem {
        Problem {
            code,
            what: String::new(),
            why: Vec::new(),
            hint: None,
        }
    }

    #[test]
    fn checked_facts_hold_what_the_steps_need() {
        let config = config(|i| {
            i.container_name = "web".into();
            i.task_definition = "ecs.json".into();
        });
        let facts = with_task_definition(facts());
        let ready = Ready::of(&config, &facts).expect("nothing is missing");
        assert_eq!(ready.source.name, format!("{HOST}/app/web:1"));
        assert_eq!(ready.sensor.arm64, Digest::of(b"arm64"));
        assert_eq!(ready.target.repository.name, "app/web");
        assert_eq!(ready.options.container_name.as_deref(), Some("web"));
        assert_eq!(ready.task_definition.expect("a definition").family, "web");
    }

    #[test]
    fn each_missing_fact_is_the_problem() {
        type Change = fn(&mut Facts, Problem);
        let cases: &[(Code, Change)] = &[
            (Code::RegistryImageNotFound, |f, p| f.source = Err(p)),
            (Code::FalconSensorVersionNotFound, |f, p| f.sensor = Err(p)),
            (Code::FalconClientRefused, |f, p| f.customer_id = Err(p)),
            (Code::EcrRepositoryNotFound, |f, p| f.target = Err(p)),
            (Code::EcsTaskDefinitionUnreadable, |f, p| {
                f.task_definition = Some(Err(p));
            }),
        ];
        for (code, change) in cases {
            let mut facts = facts();
            change(&mut facts, problem(*code));
            let seen = Ready::of(&config(|_| {}), &facts).expect_err(code.as_str());
            assert_eq!(seen.code, *code);
        }
    }

    #[test]
    fn staged_images_are_taken_from_the_local_registry() {
        let config = config(|_| {});
        let mut facts = facts();
        let source_at = |ready: &Ready<'_>| match ready.source_origin() {
            SourceOrigin::Registry(repository, _) => repository.registry.clone(),
            SourceOrigin::Engine(id) => id.to_owned(),
        };
        let ready = Ready::of(&config, &facts).expect("nothing is missing");
        assert_eq!(source_at(&ready), HOST);
        assert!(!ready.is_staged(ready.sensor_origin()));
        let local = "127.0.0.1:32768";
        facts.staged = Some(Staged {
            source: Repository::new(local, "app/web"),
            source_digest: Digest::of(b"source"),
            sensor: Repository::new(local, "sensor"),
        });
        let ready = Ready::of(&config, &facts).expect("nothing is missing");
        assert_eq!(source_at(&ready), local);
        assert!(ready.is_staged(ready.sensor_origin()));
        assert!(!ready.is_staged(&ready.sensor.repository));
    }

    #[test]
    fn an_image_of_the_engine_has_its_id_as_its_origin() {
        let mut facts = facts();
        if let Ok(source) = &mut facts.source {
            source.place = SourcePlace::Engine {
                id: "sha256:1".to_owned(),
            };
        }
        let ready = Ready::of(&config(|_| {}), &facts).expect("nothing is missing");
        assert_eq!(ready.source_origin(), SourceOrigin::Engine("sha256:1"));
    }
}
