use std::sync::Arc;

use super::assemble::pushed_image::PushedImage;
use super::assemble::ready_image::ReadyImage;
use super::written_task_definition::WrittenTaskDefinition;
use crate::domain::image::registry_image::RegistryImage;
use crate::flow::outcome::RecordSigner;
use crate::report::code::Code;
use crate::report::problem::{Explain, Problem};

/// The products of finished steps on which later steps build.
#[derive(Default)]
pub(super) struct Results {
    /// An image that is assembled and not pushed yet.
    pub(super) ready: Option<ReadyImage>,
    /// The pushed image.
    pub(super) pushed: Option<PushedImage>,
    /// The patched image as the registry has it.
    pub(super) image: Option<Arc<RegistryImage>>,
    /// The record beside it; none where there is none.
    pub(super) record: Option<RecordSigner>,
    /// The ECS task definition that names it.
    pub(super) task_definition: Option<WrittenTaskDefinition>,
}

/// A plan whose steps are in the wrong order.
#[derive(Debug, thiserror::Error)]
#[error("A step of the plan needs {0}, and no earlier step has produced it")]
struct OutOfOrder(&'static str);

impl Explain for OutOfOrder {
    fn code(&self) -> Code {
        Code::TaskInternal
    }

    fn hint(&self) -> Option<String> {
        Some("Report it with the log of the run".to_owned())
    }
}

impl Results {
    pub(super) fn ready(&self) -> Result<&ReadyImage, Problem> {
        produced(self.ready.as_ref(), "an assembled image")
    }

    pub(super) fn pushed(&self) -> Result<&PushedImage, Problem> {
        produced(self.pushed.as_ref(), "a pushed image")
    }

    pub(super) fn image(&self) -> Result<&RegistryImage, Problem> {
        produced(self.image.as_deref(), "the image in the registry")
    }

    pub(super) fn task_definition(&self) -> Result<&WrittenTaskDefinition, Problem> {
        produced(self.task_definition.as_ref(), "a written task definition")
    }
}

/// Unwraps the product of an earlier step.
pub(super) fn produced<T>(product: Option<T>, name: &'static str) -> Result<T, Problem> {
    Ok(product.ok_or(OutOfOrder(name))?)
}
