use std::sync::Arc;

use super::assemble::pushed_image::PushedImage;
use super::assemble::ready_image::ReadyImage;
use super::written_task_definition::WrittenTaskDefinition;
use crate::domain::emulation::Registration;
use crate::domain::falcon::program::ProgramObstacle;
use crate::domain::graft::obstacle::Obstacle;
use crate::domain::image::registry_image::RegistryImage;
use crate::domain::reference::digest::Digest;
use crate::flow::facts::staged::Staged;
use crate::report::problem::Problem;

/// The finding or the product of a step.
pub(super) enum StepOutcome {
    /// The engine holds an image.
    Pulled(Digest),
    /// The engine has pulled the source without its content.
    SourceIncomplete(Problem),
    /// The mirror holds the sensor.
    SensorCopied,
    /// An emulator has been installed, and the kernel registers this handler.
    EmulatorInstalled(Registration),
    /// The images are staged.
    Staged(Staged),
    /// The builder for later steps is there.
    BuilderCreated,
    /// ARM64 programs run, or do not.
    Arm64Runs(bool),
    /// The native falconutil can run without its image, or cannot.
    Program(Result<(), ProgramObstacle>),
    /// A falconutil knows `--platform`, or does not.
    KnowsPlatform { arm64: bool, knows: bool },
    /// There is an image to push.
    Assembled(Box<ReadyImage>),
    /// There is one, by a graft.
    Grafted(Box<ReadyImage>),
    /// Grafting is not possible.
    NotGrafted(Obstacle),
    /// The registry has the image.
    Pushed(PushedImage),
    /// The image in the registry is the right one.
    ReadBack(Arc<RegistryImage>),
    /// The registry keeps a record of the image; the name of the key that has signed it, if one has.
    Recorded(Option<String>),
    /// The task definition is written, and perhaps registered.
    TaskDefinition(WrittenTaskDefinition),
    /// Nothing that a later step or the plan depends on.
    Nothing,
}
