use crate::domain::falcon::program::ProgramObstacle;
use crate::domain::graft::obstacle::Obstacle;
use crate::report::problem::Problem;

/// The results of probes: facts that only an attempt shows.
#[derive(Clone, Debug, Default)]
pub struct Probes {
    /// True if ARM64 programs run in the engine's containers.
    pub arm64_runs: Option<bool>,
    /// True if this run has installed an emulator.
    pub emulator_installed: bool,
    /// A native falconutil that is there without its image, or the obstacle to running it so.
    pub program: Option<Result<(), ProgramObstacle>>,
    /// True if the falconutil of the engine's own platform knows `--platform`.
    pub native_knows_platform: Option<bool>,
    /// True if the falconutil for ARM64 knows `--platform`.
    pub arm64_knows_platform: Option<bool>,
    /// The problem of a source that the engine has pulled without its content.
    pub source_incomplete: Option<Problem>,
    /// A graft that can be pushed, or the obstacle to it.
    pub graft: Option<Result<(), Obstacle>>,
}
