use crate::domain::ecs::task_definition::TaskDefinition;
use crate::domain::falcon::options::FalconOptions;
use crate::domain::reference::repository::Repository;
use crate::flow::config::patch::Config;
use crate::flow::facts::patch::Facts;
use crate::flow::facts::sensor::SensorFacts;
use crate::flow::facts::source::{SourceFacts, SourceOrigin};
use crate::flow::facts::target::TargetFacts;
use crate::report::problem::Problem;

/// The facts that the steps of a plan need, none of them missing.
#[derive(Clone, Debug)]
#[expect(dead_code, reason = "the steps receive it in the next change")]
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
    /// The ECS task definition; none where none was given.
    pub task_definition: Option<&'a TaskDefinition>,
}

#[expect(dead_code, reason = "the steps receive it in the next change")]
impl<'a> Ready<'a> {
    /// Collects the facts.
    ///
    /// # Errors
    /// The first one that could not be found.
    pub fn of(config: &Config, facts: &'a Facts) -> Result<Self, Problem> {
        let task_definition = facts.task_definition.as_ref().map(Result::as_ref);
        Ok(Self {
            facts,
            task_definition: task_definition.transpose().map_err(Clone::clone)?,
            source: facts.source.as_ref().map_err(Clone::clone)?,
            sensor: facts.sensor.as_ref().map_err(Clone::clone)?,
            options: facts.falcon_options(config)?,
            target: facts.target.as_ref().map_err(Clone::clone)?,
        })
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

    /// Tells a repository of the local registry from others.
    #[must_use]
    pub fn is_staged(&self, repository: &Repository) -> bool {
        let staged = self.facts.staged.as_ref();
        staged.is_some_and(|staged| staged.sensor.registry == repository.registry)
    }
}
