//! The inputs of `action: verify`. All others are ignored.

use super::check::Check;
use super::input_fault::InputFault;
use super::signing::SigningConfig;
use super::{aws, image, signing};
use crate::domain::aws::settings::AwsSettings;
use crate::domain::falcon::version::SensorVersion;
use crate::domain::reference::image_name::ImageName;
use crate::flow::inputs::Inputs;

/// A verification. It needs no engine, and no secret but the sign-in.
#[derive(Clone, Debug)]
pub struct VerifyConfig {
    /// The image, by tag or digest.
    pub target: ImageName,
    /// The source to compare it with, if one is named.
    pub source: Option<ImageName>,
    /// The oldest sensor that is accepted.
    pub minimum_sensor_version: Option<SensorVersion>,
    /// The keys of signed records, of which only the trusted ones count here.
    pub signing: SigningConfig,
    /// The sign-in to AWS.
    pub aws: AwsSettings,
    /// The account whose registry holds images named without one; none means the caller's.
    pub account: Option<String>,
}

pub(super) fn read(check: &mut Check, inputs: &Inputs) -> Option<VerifyConfig> {
    // Nothing is pushed, so the image may be in any registry, and a digest is as good as a tag.
    let target = image::registry_image(check, "targetImage", &inputs.target_image);
    let source = source(check, inputs);
    let minimum = minimum(check, &inputs.minimum_sensor_version);
    let signing = SigningConfig {
        signing_key: None,
        ..signing::read(check, inputs)
    };
    let aws = aws::read::read(check, inputs);
    let target = target?;
    let named: Vec<&ImageName> = std::iter::once(&target).chain(&source).collect();
    let (aws, account) = aws.complete(&named, None);
    Some(VerifyConfig {
        target,
        source,
        minimum_sensor_version: minimum,
        signing,
        aws,
        account,
    })
}

/// The source to compare with; it must be in a registry, since no engine is used.
fn source(check: &mut Check, inputs: &Inputs) -> Option<ImageName> {
    if inputs.source_image.trim().is_empty() {
        return None;
    }
    if inputs.source_location.trim() == "engine" {
        check.refuse(
            InputFault::WithoutEffect,
            "sourceLocation",
            "`engine` has no effect with `action: verify` and `deploy`, which use no engine; name the source in its registry, or leave `sourceImage` empty",
        );
        return None;
    }
    image::registry_image(check, "sourceImage", &inputs.source_image)
}

fn minimum(check: &mut Check, value: &str) -> Option<SensorVersion> {
    let value = check.text("minimumSensorVersion", value)?;
    let version = SensorVersion::parse(value);
    if version.is_none() {
        check.refuse(
            InputFault::Malformed,
            "minimumSensorVersion",
            format!("`{value}` is not a sensor version (examples: `7.39`, `7.39.0-7802`)"),
        );
    }
    version
}

#[cfg(test)]
mod tests {
    use super::VerifyConfig;
    use crate::flow::config::read::Config;
    use crate::flow::inputs::Inputs;
    use crate::report::code::Code;
    use crate::report::problem::Problem;
    use crate::test_support::config::HOST;

    fn read(change: impl FnOnce(&mut Inputs)) -> Result<VerifyConfig, Problem> {
        let mut inputs = Inputs {
            action: "verify".to_owned(),
            target_image: format!("{HOST}/app/web:1-falcon"),
            ..Inputs::default()
        };
        change(&mut inputs);
        match Config::from_inputs(&inputs)? {
            Config::Verify(config) => Ok(*config),
            other => panic!("verifying was asked for: {other:?}"),
        }
    }

    #[test]
    fn the_target_is_enough_and_says_region_and_account() {
        let config = read(|_| ()).unwrap();
        assert_eq!(config.account.as_deref(), Some("123456789012"));
        assert_eq!(config.aws.region.as_deref(), Some("eu-west-1"));
        assert_eq!((config.source, config.minimum_sensor_version), (None, None));
    }

    #[test]
    fn a_digest_and_any_registry_will_do() {
        let digest = format!("ghcr.io/app/web@sha256:{}", "a".repeat(64));
        let config = read(|i| i.target_image.clone_from(&digest)).unwrap();
        assert_eq!(config.target.to_string(), digest);
    }

    #[test]
    fn inputs_of_a_patch_are_not_looked_at() {
        let given = read(|i| {
            i.falcon_cid = "$(FALCON_CID)".into();
            i.sensor_image = "Not/an/image".into();
            i.falcon_client_id = "id".into();
            i.additional_tags = "-".into();
        });
        assert!(given.is_ok());
    }

    #[test]
    fn every_problem_has_its_code() {
        type Change = fn(&mut Inputs);
        let cases: &[(Code, Change)] = &[
            (Code::InputMissing, |i| i.target_image.clear()),
            (Code::InputTagMissing, |i| i.target_image = "app/web".into()),
            (Code::InputReferenceInvalid, |i| {
                i.target_image = "App/web:1".into();
            }),
            (Code::InputTagMissing, |i| i.source_image = "app/web".into()),
            (Code::InputWithoutEffect, |i| {
                i.source_image = "web:1".into();
                i.source_location = "engine".into();
            }),
            (Code::InputMalformed, |i| {
                i.minimum_sensor_version = "n-1".into();
            }),
            (Code::InputMalformed, |i| i.aws_region = "Ireland".into()),
        ];
        for (code, change) in cases {
            let problem = read(change).expect_err(code.as_str());
            assert_eq!(problem.code, *code, "{}", problem.what);
        }
    }
}
