use super::delta::DeltaError;
use crate::adapters::engine::error::failure::EngineError;
use crate::domain::graft::obstacle::Obstacle;
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

impl From<DeltaError> for Ungrafted {
    fn from(error: DeltaError) -> Self {
        match error {
            DeltaError::Obstacle(obstacle) => Self::Obstacle(obstacle),
            error @ DeltaError::Spool { .. } => Self::Problem(error.into()),
        }
    }
}
