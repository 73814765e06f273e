//! The inputs of the local registry.

use super::check::Check;
use super::image;
use super::input_fault::InputFault;
use super::patch::PinnedImage;
use crate::flow::inputs::Inputs;

/// Distribution's registry 2.8.3, which `registry:2` names too; many public projects pin this digest.
pub(super) const DEFAULT_IMAGE: &str =
    "registry:2.8.3@sha256:a3d8aaa63ed8681a604f1dea0aa03f100d5895b6a58ace528858a7b332415373";

/// The image of the local registry; none where the images are not staged.
pub(super) fn read(check: &mut Check, inputs: &Inputs) -> Option<PinnedImage> {
    let is_local = check.choice(
        "stagingRegistry",
        &inputs.staging_registry,
        &[("none", false), ("local", true)],
    )?;
    if !is_local {
        check.without_effect(
            &[(
                "stagingRegistryImage",
                &inputs.staging_registry_image,
                DEFAULT_IMAGE,
            )],
            "`stagingRegistry: none`; set `stagingRegistry: local` to stage the images",
        );
        return None;
    }
    if inputs.strategy.trim().eq_ignore_ascii_case("graft") {
        check.refuse(
            InputFault::WithoutEffect,
            "stagingRegistry",
            "has no effect with `strategy: graft`, which leaves the source's layers in the registry; leave it at `none`",
        );
        return None;
    }
    image::pinned(
        check,
        "stagingRegistryImage",
        &inputs.staging_registry_image,
        DEFAULT_IMAGE,
        InputFault::StagingWithoutDigest,
    )
}
