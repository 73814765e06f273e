use super::context::Run;
use super::step_outcome::StepOutcome;
use crate::adapters::aws::delivery::Delivery;
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
        let begun = Effect::RepositoryBegun {
            repository: repository.clone(),
        };
        self.effects.begin(&begun);
        let delivery = Delivery::default();
        let answer = aws.create_repository(repository, &delivery).await;
        let is_refused = delivery.carried_out_at_most() == 0;
        if is_refused {
            self.effects.withdraw(&begun);
        }
        let Some(created) = answer? else {
            events.note(if is_refused {
                "it has been created by someone else meanwhile"
            } else {
                "it is there, created by an earlier try of this step or by someone else meanwhile"
            });
            return Ok(StepOutcome::Nothing);
        };
        let done = Effect::RepositoryCreated {
            repository: repository.clone(),
        };
        self.effects.complete(&begun, done);
        events.note(format!("created by the account's defaults: {created}"));
        Ok(StepOutcome::Nothing)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Run;
    use crate::adapters::aws::tests::trying;
    use crate::domain::reference::repository::Repository;
    use crate::flow::effect::Effect;
    use crate::flow::run::session::Session;
    use crate::report::event::Events;
    use crate::test_support::agent::agent;
    use crate::test_support::config::{HOST, config};
    use crate::test_support::loopback_server::{LoopbackServer, Reply};

    /// Status and body of an answer; status 0 closes the connection, and none answers never.
    type Answers = &'static [(u16, &'static str)];

    const TAKEN: (u16, &str) = (400, r#"{"__type": "RepositoryAlreadyExistsException"}"#);

    async fn effects(answers: Answers) -> Vec<Effect> {
        let server = LoopbackServer::start(move |_, nth| match answers.get(nth) {
            Some((0, _)) => Reply::none(),
            Some((status, body)) => Reply::new(*status, &[], body),
            None => Reply::never(),
        })
        .await;
        let place = tempfile::tempdir().expect("a folder");
        let session = Session::new(config(|_| ()), agent(place.path()), Events::silent());
        let mut run = Run::open(session).expect("a run");
        run.services = run.services.with(None, Some(trying(&server, 2)));
        let repository = Repository::new(HOST, "app/web");
        let step = Events::silent().of_step(1);
        let creation = run.create_repository(&repository, &step);
        // A run that is cancelled drops its work in the same way.
        let _ = tokio::time::timeout(Duration::from_secs(2), creation).await;
        run.effects.into_inner()
    }

    #[tokio::test]
    async fn a_creation_is_reported_as_far_as_its_answers_tell() {
        let repository = Repository::new(HOST, "app/web");
        let begun = Effect::RepositoryBegun {
            repository: repository.clone(),
        };
        let created = Effect::RepositoryCreated { repository };
        let cases: [(Answers, Vec<Effect>); 7] = [
            (&[(200, r#"{"repository": {}}"#)], vec![created]),
            (&[TAKEN], Vec::new()),
            (
                &[(400, r#"{"__type": "InvalidParameterException"}"#)],
                Vec::new(),
            ),
            (&[(0, ""), TAKEN], vec![begun.clone()]),
            (&[(500, "{}"), (500, "{}")], vec![begun.clone()]),
            (&[(200, "{}")], vec![begun.clone()]),
            (&[], vec![begun]),
        ];
        for (answers, expected) in cases {
            assert_eq!(effects(answers).await, expected, "{answers:?}");
        }
    }
}
