//! The inputs that name images.

use super::check::Check;
use super::input_fault::InputFault;
use super::patch::{PinnedImage, Source};
use crate::domain::reference::digest::Digest;
use crate::domain::reference::ecr_host::EcrHost;
use crate::domain::reference::image_name::ImageName;
use crate::domain::reference::repository::Repository;
use crate::domain::reference::tag::Tag;
use crate::flow::inputs::Inputs;

/// The host of Amazon's registry for public images
/// (<https://docs.aws.amazon.com/AmazonECR/latest/public/what-is-ecr.html>).
const PUBLIC_ECR: &str = "public.ecr.aws";

/// The release that many public projects pin; QEMU 10.2.3.
pub(super) const DEFAULT_EMULATOR_IMAGE: &str = "tonistiigi/binfmt:qemu-v10.2.3@sha256:400a4873b838d1b89194d982c45e5fb3cda4593fbfd7e08a02e76b03b21166f0";

pub(super) fn source(check: &mut Check, inputs: &Inputs) -> Option<Source> {
    let in_engine = check.choice(
        "sourceLocation",
        &inputs.source_location,
        &[("registry", false), ("engine", true)],
    )?;
    if !in_engine {
        return registry_image(check, "sourceImage", &inputs.source_image).map(Source::Registry);
    }
    let name = check.required("sourceImage", &inputs.source_image)?;
    let is_id = name.parse::<Digest>().is_ok()
        || (name.len() >= 12 && name.bytes().all(|b| b.is_ascii_hexdigit()));
    if is_id {
        return Some(Source::Engine(name.to_owned()));
    }
    check
        .image("sourceImage", name)
        .map(|_| Source::Engine(name.to_owned()))
}

/// An image in any registry, by tag or digest.
pub(super) fn registry_image(check: &mut Check, input: &str, value: &str) -> Option<ImageName> {
    let name = check.image(input, value)?;
    if name.tag.is_none() && name.digest.is_none() {
        check.refuse(
            InputFault::TagMissing,
            input,
            format!("`{name}` has neither tag nor digest"),
        );
        return None;
    }
    Some(name)
}

pub(super) fn ecr_image(check: &mut Check, input: &str, value: &str) -> Option<ImageName> {
    let name = check.image(input, value)?;
    match &name.registry {
        Some(registry) if EcrHost::parse(registry).is_none() => {
            let message = match registry.as_str() {
                PUBLIC_ECR => format!(
                    "`{registry}` is Amazon ECR Public, from which anyone can pull; the task pushes to private ECR only (example: `123456789012.dkr.ecr.eu-west-1.amazonaws.com`)"
                ),
                _ => {
                    format!("`{registry}` is not an ECR registry, and the task pushes to ECR only")
                }
            };
            let repository = &name.repository;
            let hint = format!(
                "Set `{input}` to a repository of yours in ECR, such as `123456789012.dkr.ecr.eu-west-1.amazonaws.com/{repository}`"
            );
            check.refuse_with(InputFault::RegistryNotEcr, input, message, hint);
            None
        }
        _ => Some(name),
    }
}

pub(super) fn target(check: &mut Check, inputs: &Inputs) -> Option<(ImageName, Tag)> {
    let name = ecr_image(check, "targetImage", &inputs.target_image)?;
    if name.digest.is_some() {
        check.refuse(
            InputFault::Malformed,
            "targetImage",
            "cannot have a digest, which only patching determines; name a tag",
        );
        return None;
    }
    let Some(tag) = name.tag.clone() else {
        check.refuse_with(
            InputFault::TagMissing,
            "targetImage",
            format!("`{name}` has no tag"),
            format!("Add a tag in `targetImage`, such as `{name}:1.4.2-falcon`"),
        );
        return None;
    };
    Some((name, tag))
}

pub(super) fn refuse_target_that_is_source(check: &mut Check, source: &Source, target: &ImageName) {
    let Source::Registry(source) = source else {
        return;
    };
    if source.registry == target.registry
        && source.repository == target.repository
        && source.tag == target.tag
    {
        check.refuse_with(
            InputFault::TargetIsSource,
            "targetImage",
            format!("`{target}` is the source itself, which would be overwritten"),
            format!("Set `targetImage` to another tag, such as `{target}-falcon`"),
        );
    }
}

pub(super) fn additional_tags(check: &mut Check, value: &str) -> Option<Vec<Tag>> {
    let mut tags = Vec::new();
    let mut good = true;
    for line in value.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let Some(line) = check.text("additionalTags", line) else {
            good = false;
            continue;
        };
        match line.parse::<Tag>() {
            Ok(tag) if !tags.contains(&tag) => tags.push(tag),
            Ok(_) => {}
            Err(error) => {
                check.refuse(
                    InputFault::ReferenceInvalid,
                    "additionalTags",
                    error.to_string(),
                );
                good = false;
            }
        }
    }
    good.then_some(tags)
}

/// An image that is named by digest; an empty input means `default`.
pub(super) fn pinned(
    check: &mut Check,
    input: &str,
    value: &str,
    default: &str,
    without_digest: InputFault,
) -> Option<PinnedImage> {
    let value = if value.trim().is_empty() {
        default
    } else {
        value
    };
    let name = check.image(input, value)?;
    let Some(digest) = name.digest.clone() else {
        check.refuse_with(
            without_digest,
            input,
            format!("`{name}` carries no digest"),
            format!("{}; `crane digest {name}` prints it", without_digest.hint()),
        );
        return None;
    };
    // A reference without a host means Docker Hub here, as everywhere but in the images that ECR holds.
    let registry = name.registry.as_deref().unwrap_or("docker.io");
    Some(PinnedImage {
        repository: Repository::new(registry, &name.repository),
        tag: name.tag.clone(),
        digest,
    })
}

/// The image that registers the emulator; it runs privileged, so a tag that can move is refused.
pub(super) fn emulator_image(check: &mut Check, value: &str) -> Option<PinnedImage> {
    pinned(
        check,
        "emulatorImage",
        value,
        DEFAULT_EMULATOR_IMAGE,
        InputFault::EmulatorWithoutDigest,
    )
}

#[cfg(test)]
mod tests {
    use crate::flow::config::tests::refusal;
    use crate::flow::inputs::Inputs;
    use crate::report::code::Code;
    use crate::test_support::config::{inputs, read};

    #[test]
    fn ecr_public_as_a_target_is_called_by_its_name() {
        for change in [
            |i: &mut Inputs| i.target_image = "public.ecr.aws/team/web:1-falcon".into(),
            |i: &mut Inputs| {
                i.target_image = "public.ecr.aws/x/y:1".into();
                i.sensor_image = "public.ecr.aws/x/sensor:1".into();
            },
        ] {
            let (code, what, _) = refusal(change);
            assert_eq!(code, Code::InputRegistryNotEcr);
            assert!(what.contains("Amazon ECR Public"), "{what}");
        }
        let (_, other, _) = refusal(|i| i.target_image = "ghcr.io/team/web:1-falcon".into());
        assert!(!other.contains("Public"), "{other}");
    }

    #[test]
    fn the_advice_on_one_input_names_it_and_has_its_value() {
        type Change = fn(&mut Inputs);
        let cases: &[(&str, Change)] = &[
            ("Set `sourceImage` in the step", |i| i.source_image.clear()),
            (
                "Add a tag in `targetImage`, such as `app/web:1.4.2-falcon`",
                |i| i.target_image = "app/web".into(),
            ),
            (
                "Set `targetImage` to another tag, such as `app/web:1-falcon`",
                |i| {
                    i.source_image = "app/web:1".into();
                    i.target_image = "app/web:1".into();
                },
            ),
            (
                "Add the digest: the image runs privileged, so a tag that can move is not enough; `crane digest tonistiigi/binfmt:latest` prints it",
                |i| i.emulator_image = "tonistiigi/binfmt:latest".into(),
            ),
            (
                "Set `targetImage` to a repository of yours in ECR, such as `123456789012.dkr.ecr.eu-west-1.amazonaws.com/app/web`",
                |i| i.target_image = "ghcr.io/app/web:1".into(),
            ),
        ];
        for (expected, change) in cases {
            let mut inputs = inputs();
            change(&mut inputs);
            let problem = read(&inputs).expect_err("a problem");
            assert_eq!(problem.hint.as_deref(), Some(*expected));
        }
    }
}
