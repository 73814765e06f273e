//! The provenance of the image, recorded beside it.

use std::time::SystemTime;

use super::context::Run;
use super::step_outcome::StepOutcome;
use crate::adapters::registry::referrers::Artifact;
use crate::domain::image::registry_image::RegistryImage;
use crate::domain::provenance::option_fields::OptionFields;
use crate::domain::provenance::record::{Provenance, Recipe, STATEMENT_TYPE};
use crate::domain::provenance::statement::StatementInput;
use crate::domain::reference::repository::Repository;
use crate::flow::effect::Effect;
use crate::flow::facts::source::SourcePlace;
use crate::flow::look::target;
use crate::flow::plan::ready::Ready;
use crate::report::code::Code;
use crate::report::event::StepEvents;
use crate::report::problem::Problem;

impl Run {
    /// Records the provenance. The image is good without it, so a registry that takes none causes only a warning.
    pub(super) async fn record_provenance(
        &self,
        image: &RegistryImage,
        ready: &Ready<'_>,
        events: &StepEvents,
    ) -> Result<StepOutcome, Problem> {
        if let Err(problem) = self.attach_provenance(image, ready).await {
            let why = problem.why.first().map_or("", String::as_str);
            events.warning(
                Code::RegistryProvenanceRefused,
                format!("The provenance of the image could not be recorded: {} ({why})", problem.what),
                Some("The image is good. Without the record the next run patches again, and `action: verify` does not know the sensor's version".to_owned()),
            );
        }
        Ok(StepOutcome::Nothing)
    }

    async fn attach_provenance(
        &self,
        image: &RegistryImage,
        ready: &Ready<'_>,
    ) -> Result<(), Problem> {
        let (source, sensor, target) = (ready.source, ready.sensor, ready.target);
        let options = &ready.options;
        let recipe = Recipe::new(source.digest(), &sensor.arm64, options);
        let registry = self.services.registry().await?;
        // The same recipe can result in the same image again, which then has its record already. Records that cannot be
        // read are no reason to leave out this one, and a registry in trouble answers the same to what comes next.
        let known = target::provenance(registry, &target.repository, &image.digest).await;
        if known.is_ok_and(|known| known.iter().any(|known| known.recipe == recipe)) {
            return Ok(());
        }
        let finished = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
        let version = sensor.version.as_deref();
        let input = StatementInput {
            target: &target.repository,
            target_tag: &self.config.target_tag,
            image: &image.digest,
            source: (&source.name, repository(&source.place)),
            sensor: (&sensor.name, &sensor.repository),
            sensor_version: version,
            recipe: &recipe,
            options,
            origin: &self.services.agent().origin,
            finished: &finished,
        };
        let statement = input.statement().to_string();
        let artifact = Artifact {
            media_type: STATEMENT_TYPE,
            content: statement.as_bytes(),
            annotations: Provenance::annotations(&recipe, &OptionFields::of(options), version),
        };
        let begun = Effect::RecordBegun {
            repository: target.repository.clone(),
        };
        self.effects.begin(&begun);
        let attached = registry
            .attach(&target.repository, &image.manifest, &artifact)
            .await?;
        let recorded = Effect::ProvenanceRecorded {
            repository: target.repository.clone(),
            digest: attached.digest,
            list: attached.list,
        };
        self.effects.complete(&begun, recorded);
        Ok(())
    }
}

fn repository(place: &SourcePlace) -> Option<&Repository> {
    match place {
        SourcePlace::Registry { repository, .. } => Some(repository),
        SourcePlace::Engine { .. } => None,
    }
}
