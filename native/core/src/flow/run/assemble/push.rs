use super::pushed_image::PushedImage;
use super::ready_image::ReadyImage;
use crate::adapters::registry::upload::Arrival;
use crate::domain::reference::repository::Repository;
use crate::flow::effect::Effect;
use crate::flow::run::context::Run;
use crate::flow::run::step_outcome::StepOutcome;
use crate::report::event::StepEvents;
use crate::report::problem::Problem;

impl Run {
    /// Pushes layers, configuration and manifest, in this order; no tag names the image yet.
    pub(in crate::flow::run) async fn push_image(
        &self,
        repository: &Repository,
        image: &ReadyImage,
        events: &StepEvents,
    ) -> Result<StepOutcome, Problem> {
        let assembled = &image.assembled;
        let digest = assembled.manifest.digest();
        let begun = Effect::ImageBegun {
            repository: repository.clone(),
            digest: digest.clone(),
        };
        self.effects.begin(&begun);
        self.upload_layers(repository, image, events).await?;
        let registry = self.services.registry().await?;
        let (_, config) = registry
            .put_bytes(
                repository,
                &assembled.config_descriptor.media_type,
                &assembled.config_bytes,
            )
            .await?;
        registry
            .put_by_digest(repository, &assembled.manifest)
            .await?;
        events.note(format!("pushed as {digest}, without a tag yet"));
        let pushed = Effect::ManifestPushed {
            repository: repository.clone(),
            digest: digest.clone(),
        };
        self.effects.complete(&begun, pushed);
        let is_new = config == Arrival::Sent;
        Ok(StepOutcome::Pushed(PushedImage { digest, is_new }))
    }

    async fn upload_layers(
        &self,
        repository: &Repository,
        image: &ReadyImage,
        events: &StepEvents,
    ) -> Result<(), Problem> {
        let (uploads, known) = image.uploads_to(repository);
        let registry = self.services.registry().await?;
        let progress = |current, total| events.progress(current, Some(total));
        let mut arrivals = registry.upload_all(repository, &uploads, &progress).await?;
        arrivals.resize(arrivals.len() + known, Arrival::Present);
        events.note(describe(&arrivals));
        Ok(())
    }
}

/// Counts the layers by their way into the repository.
fn describe(arrivals: &[Arrival]) -> String {
    let count = |wanted| {
        arrivals
            .iter()
            .filter(|arrival| **arrival == wanted)
            .count()
    };
    let parts = [
        (Arrival::Present, "there already"),
        (Arrival::Mounted, "mounted"),
        (Arrival::Sent, "uploaded"),
    ];
    let parts: Vec<String> = parts
        .into_iter()
        .filter(|(arrival, _)| count(*arrival) > 0)
        .map(|(arrival, how)| format!("{} {how}", count(arrival)))
        .collect();
    format!("{} layers: {}", arrivals.len(), parts.join(", "))
}
