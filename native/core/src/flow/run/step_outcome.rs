use crate::domain::graft::obstacle::Obstacle;
use crate::domain::reference::digest::Digest;
use crate::flow::facts::staged::Staged;

/// What a step found out.
pub(super) enum StepOutcome {
    /// The engine holds an image.
    InEngine(Digest),
    /// The mirror holds the sensor.
    SensorCopied,
    /// An emulator has been installed.
    EmulatorInstalled,
    /// The images are staged.
    Staged(Staged),
    /// The builder for later steps is there.
    BuilderMade,
    /// Whether ARM64 programs run.
    Arm64Runs(bool),
    /// Whether a falconutil knows `--platform`.
    KnowsPlatform { arm64: bool, knows: bool },
    /// Whether there is a graft to be pushed, or what forbids it.
    Grafted(Result<(), Obstacle>),
    /// Nothing that a plan depends on.
    Nothing,
}
