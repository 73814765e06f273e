//! The buildx builder for the later steps of the job.

use super::cleanup::Undo;
use super::context::Run;
use super::step_outcome::StepOutcome;
use crate::adapters::buildx::plugin::Buildx;
use crate::adapters::journal::JournalItem;
use crate::domain::builder::{Builder, BuilderName};
use crate::flow::effect::Effect;
use crate::report::event::StepEvents;
use crate::report::problem::Problem;

impl Run {
    /// Creates the builder and inspects it. The step that first uses it starts `BuildKit`, and pulls its image.
    pub(super) async fn create_builder(
        &self,
        name: &BuilderName,
        events: &StepEvents,
    ) -> Result<StepOutcome, Problem> {
        let builder = Builder::of_job(name.clone(), self.services.agent());
        let buildx = Buildx::find(|name| std::env::var_os(name))?;
        for item in items(&builder, &self.id) {
            self.record(item)?;
        }
        self.cleanup.push(Undo::Folder(builder.folder.clone()));
        let endpoint = self.services.engine()?.address();
        buildx
            .create(&builder, &Builder::node(&self.id), &endpoint)
            .await?;
        for line in buildx.inspect(&builder).await? {
            events.output(&line);
        }
        Ok(StepOutcome::BuilderCreated)
    }

    /// Lets the builder stay until the end of the job, since the run has succeeded.
    pub(super) fn keep_builder(&self) {
        let Some(name) = self.config.builder.clone() else {
            return;
        };
        let Builder { name, folder } = Builder::of_job(name, self.services.agent());
        if self.cleanup.keep(&Undo::Folder(folder)) {
            self.effects.add(Effect::BuilderCreated { name });
        }
    }
}

/// Everything that exists once the builder was used, by the names that buildx gives (`buildx_buildkit_NODE`,
/// `…_state`). The sweep removes the last item first.
fn items(builder: &Builder, run: &str) -> [JournalItem; 3] {
    let container = format!("buildx_buildkit_{}", Builder::node(run));
    [
        JournalItem::Folder {
            path: builder.folder.clone(),
        },
        JournalItem::Volume {
            name: format!("{container}_state"),
        },
        JournalItem::Container { name: container },
    ]
}

#[cfg(test)]
mod tests {
    use super::items;
    use crate::domain::builder::Builder;

    #[test]
    fn everything_that_buildx_creates_is_named_after_the_run() {
        let builder = Builder {
            name: "arm64".parse().expect("a name"),
            folder: "/temp/falcon-patch-builder-job-arm64".into(),
        };
        let named = items(&builder, "0123").map(|item| serde_json::to_string(&item).expect("JSON"));
        assert_eq!(
            named,
            [
                r#"{"kind":"folder","path":"/temp/falcon-patch-builder-job-arm64"}"#,
                r#"{"kind":"volume","name":"buildx_buildkit_falcon-patch-0123_state"}"#,
                r#"{"kind":"container","name":"buildx_buildkit_falcon-patch-0123"}"#,
            ]
        );
    }
}
