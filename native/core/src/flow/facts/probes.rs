use crate::domain::graft::obstacle::Obstacle;

/// What only trying could tell.
#[derive(Clone, Debug, Default)]
pub struct Probes {
    /// Whether ARM64 programs run in the engine's containers.
    pub arm64_runs: Option<bool>,
    /// Whether an emulator has been installed by this run.
    pub emulator_installed: bool,
    /// Whether the falconutil of the engine's own platform knows `--platform`.
    pub native_knows_platform: Option<bool>,
    /// Whether the falconutil for ARM64 knows `--platform`.
    pub arm64_knows_platform: Option<bool>,
    /// Whether there is a graft to be pushed, or what forbids it.
    pub graft: Option<Result<(), Obstacle>>,
}
