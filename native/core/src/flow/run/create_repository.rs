use super::context::Run;
use super::step_outcome::StepOutcome;
use crate::domain::reference::repository::Repository;
use crate::flow::effect::Effect;
use crate::report::event::StepEvents;
use crate::report::problem::Problem;

impl Run {
    pub(super) async fn create_repository(
        &self,
        repository: &Repository,
        events: &StepEvents,
    ) -> Result<StepOutcome, Problem> {
        let aws = self.services.aws().await?;
        let Some(created) = aws.create_repository(repository).await? else {
            events.note("it has been created by someone else meanwhile");
            return Ok(StepOutcome::Nothing);
        };
        self.effects.add(Effect::RepositoryCreated {
            repository: repository.clone(),
        });
        events.note(format!("created by the account's defaults: {created}"));
        Ok(StepOutcome::Nothing)
    }
}
