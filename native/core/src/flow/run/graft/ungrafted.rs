use crate::adapters::engine::error::failure::EngineError;
use crate::domain::graft::obstacle::Obstacle;
use crate::flow::run::assemble::failure::NotAssembled;
use crate::report::problem::Problem;

/// The end of an attempt to graft: an obstacle leaves `strategy: full`, a problem leaves nothing.
pub(in crate::flow::run) enum Ungrafted {
    Obstacle(Obstacle),
    Problem(Problem),
}

impl From<Obstacle> for Ungrafted {
    fn from(obstacle: Obstacle) -> Self {
        Self::Obstacle(obstacle)
    }
}

impl From<Problem> for Ungrafted {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<EngineError> for Ungrafted {
    /// Takes a refusal for an obstacle: the engine may well do with the source what it refuses to do with a stub.
    fn from(error: EngineError) -> Self {
        match &error {
            EngineError::Request { what, source } => {
                Self::Obstacle(Obstacle::Engine(format!("{what}: {source}")))
            }
            _ => Self::Problem(error.into()),
        }
    }
}

impl From<NotAssembled> for Ungrafted {
    /// Takes a wrong result for an obstacle: falconutil may do with the source what it does not do with a stub.
    fn from(error: NotAssembled) -> Self {
        match error {
            NotAssembled::Result(problem) => {
                let why = problem.why.into_iter().next();
                Self::Obstacle(Obstacle::Unproven(why.unwrap_or(problem.what)))
            }
            NotAssembled::Engine(error) => error.into(),
            NotAssembled::Other(problem) => Self::Problem(problem),
        }
    }
}
