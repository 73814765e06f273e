//! The provenance of the image, recorded beside it.

use std::time::SystemTime;

use super::context::Run;
use super::step_outcome::StepOutcome;
use crate::adapters::registry::referrers::Artifact;
use crate::domain::image::registry_image::RegistryImage;
use crate::domain::provenance::attestation::PREDICATE_TYPE;
use crate::domain::provenance::bundle::{self, BUNDLE_TYPE};
use crate::domain::provenance::key::Trust;
use crate::domain::provenance::option_fields::OptionFields;
use crate::domain::provenance::record::{Provenance, Recipe, STATEMENT_TYPE};
use crate::domain::provenance::statement::StatementInput;
use crate::domain::reference::repository::Repository;
use crate::flow::effect::Effect;
use crate::flow::facts::keys::SigningKey;
use crate::flow::facts::source::SourcePlace;
use crate::flow::look::records::RecordLookup;
use crate::flow::plan::ready::Ready;
use crate::report::code::Code;
use crate::report::event::StepEvents;
use crate::report::problem::Problem;

impl Run {
    /// Records the provenance. The image is good without an unsigned record, so a registry that takes none causes only
    /// a warning. Without a signed one nothing would believe it, so that is a failure. A new image has no record yet.
    pub(super) async fn record_provenance(
        &self,
        image: &RegistryImage,
        is_new: bool,
        ready: &Ready<'_>,
        events: &StepEvents,
    ) -> Result<StepOutcome, Problem> {
        let signer = ready.signing.map(|key| key.name.to_string());
        let by = signer.as_ref();
        let by = by.map_or_else(|| "not signed".to_owned(), |key| format!("signed by {key}"));
        if !is_new && self.is_recorded(image, ready).await? {
            events.note(format!("recorded already, {by}"));
            return Ok(StepOutcome::Recorded(signer));
        }
        let statement = self.statement(image, ready);
        let bundle = match ready.signing {
            Some(key) => Some(self.sign(key, statement.as_bytes()).await?),
            None => None,
        };
        let content = bundle.as_deref().unwrap_or(statement.as_bytes());
        match self.attach_record(image, ready, content).await {
            Ok(()) => {
                events.note(format!("recorded, {by}"));
                Ok(StepOutcome::Recorded(signer))
            }
            Err(problem) if signer.is_some() => Err(not_written(problem)),
            Err(problem) => {
                warn_of_missing_record(&problem, events);
                Ok(StepOutcome::Nothing)
            }
        }
    }

    /// Looks if the image has this record already, since the same recipe can result in the same image. A registry in
    /// trouble answers the same to what comes next, and unreadable records do not make this one needless.
    async fn is_recorded(&self, image: &RegistryImage, ready: &Ready<'_>) -> Result<bool, Problem> {
        let recipe = recipe(ready);
        let own = match ready.signing {
            Some(key) => Trust::Keys(vec![key.trusted()]),
            None => Trust::Anyone,
        };
        let lookup = RecordLookup {
            registry: self.services.registry().await?,
            repository: &ready.target.repository,
            image: &image.digest,
            trust: &own,
        };
        let is_same = |known: &Provenance| known.recipe == recipe;
        let known = lookup.provenance().await;
        Ok(known.is_ok_and(|known| known.believed.iter().any(is_same)))
    }

    /// The statement about the image; it holds no secret.
    fn statement(&self, image: &RegistryImage, ready: &Ready<'_>) -> String {
        let (source, sensor, target) = (ready.source, ready.sensor, ready.target);
        let finished = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
        let input = StatementInput {
            target: &target.repository,
            target_tag: &self.config.target_tag,
            image: &image.digest,
            source: (&source.name, repository(&source.place)),
            sensor: (&sensor.name, &sensor.repository),
            sensor_version: sensor.version.as_deref(),
            recipe: &recipe(ready),
            options: &ready.options,
            graft_entry: ready
                .graft_cache()
                .and_then(|cache| Some(&cache.hit()?.entry)),
            origin: &self.services.agent().origin,
            finished: &finished,
        };
        input.statement().to_string()
    }

    /// Signs a statement, and returns the bundle of both.
    pub(in crate::flow::run) async fn sign(
        &self,
        key: &SigningKey,
        statement: &[u8],
    ) -> Result<Vec<u8>, Problem> {
        let message = bundle::signed_bytes(statement);
        let aws = self.services.aws().await?;
        let signature = aws.sign(&key.name, &key.public, &message).await?;
        Ok(bundle::compose(statement, &signature, &key.public))
    }

    async fn attach_record(
        &self,
        image: &RegistryImage,
        ready: &Ready<'_>,
        content: &[u8],
    ) -> Result<(), Problem> {
        let target = ready.target;
        let version = ready.sensor.version.as_deref();
        let options = OptionFields::of(&ready.options);
        let mut annotations = Provenance::annotations(&recipe(ready), &options, version);
        let media_type = if ready.signing.is_some() {
            annotations.extend(bundle::annotations(PREDICATE_TYPE));
            BUNDLE_TYPE
        } else {
            STATEMENT_TYPE
        };
        let artifact = Artifact {
            media_type,
            content,
            annotations,
        };
        let begun = Effect::RecordBegun {
            repository: target.repository.clone(),
        };
        self.effects.begin(&begun);
        let registry = self.services.registry().await?;
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

fn recipe(ready: &Ready<'_>) -> Recipe {
    Recipe::new(ready.source.digest(), &ready.sensor.arm64, &ready.options)
}

fn repository(place: &SourcePlace) -> Option<&Repository> {
    match place {
        SourcePlace::Registry { repository, .. } => Some(repository),
        SourcePlace::Engine { .. } => None,
    }
}

/// The failure of a signed record, without which no tag may name the image.
fn not_written(problem: Problem) -> Problem {
    Problem {
        code: Code::FalconRecordNotWritten,
        what: "The signed record could not be put beside the image, so the step has put no tag on the image"
            .to_owned(),
        why: std::iter::once(problem.what).chain(problem.why).collect(),
        hint: problem.hint.or_else(|| {
            Some("Run the step again. A registry that takes no artifacts which refer to an image cannot keep signed records: leave `signingKey` out there".to_owned())
        }),
    }
}

fn warn_of_missing_record(problem: &Problem, events: &StepEvents) {
    let why = problem.why.first().map_or("", String::as_str);
    events.warning(
        Code::RegistryProvenanceRefused,
        format!("The provenance of the image could not be recorded: {} ({why})", problem.what),
        Some("The image is good. Without the record the next run patches again, and `action: verify` does not know the sensor's version".to_owned()),
    );
}
