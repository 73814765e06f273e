use super::patch::{Emulation, Source};
use crate::flow::inputs::Inputs;
use crate::report::code::Code;
use crate::test_support::config::{inputs, read};

/// The code, the sentence and the reasons that a change of good inputs leads to.
pub(super) fn refusal(change: impl FnOnce(&mut Inputs)) -> (Code, String, Vec<String>) {
    let mut inputs = inputs();
    change(&mut inputs);
    let problem = read(&inputs).expect_err("these inputs must be refused");
    (problem.code, problem.what, problem.why)
}

#[test]
fn four_inputs_are_enough() {
    let config = read(&inputs()).unwrap();
    assert!(!config.only_plan);
    assert_eq!(config.emulation, Emulation::Auto);
    assert_eq!(config.account.as_deref(), Some("123456789012"));
    assert_eq!(config.aws.region.as_deref(), Some("eu-west-1"));
    assert_eq!(config.falcon.cloud_service.as_deref(), Some("ECS_FARGATE"));
    assert_eq!(config.target_tag.as_str(), "1-falcon");
    assert!(
        config
            .emulator_image
            .repository
            .to_string()
            .starts_with("docker.io/tonistiigi/")
    );
}

#[test]
fn planning_is_a_patch_that_ends_with_its_plan() {
    let config = read(&Inputs {
        action: "plan".into(),
        ..inputs()
    });
    assert!(config.expect("a configuration").only_plan);
}

#[test]
fn an_image_of_the_engine_goes_by_any_name_that_the_engine_knows() {
    for name in [
        "web",
        "web:dev",
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "e3b0c44298fc",
    ] {
        let config = read(&Inputs {
            source_location: "engine".into(),
            source_image: name.into(),
            ..inputs()
        })
        .unwrap();
        assert_eq!(config.source, Source::Engine(name.to_owned()));
    }
}

#[test]
fn every_problem_has_its_code() {
    type Change = fn(&mut Inputs);
    let cases: &[(Code, Change)] = &[
        (Code::InputMissing, |i| i.source_image.clear()),
        (Code::InputMissing, |i| {
            i.aws_access_key_id = "AKIA".into();
        }),
        (Code::InputMissing, |i| {
            i.aws_session_token = "token".into();
        }),
        (Code::InputUnknownValue, |i| {
            i.action = "pach".into();
        }),
        (Code::InputUnknownValue, |i| {
            i.keep_local_images = "yes".into();
        }),
        (Code::InputUnknownValue, |i| {
            i.cloud_service = "fargate".into();
        }),
        (Code::InputUnresolvedVariable, |i| {
            i.falcon_cid = "$(FALCON_CID)".into();
        }),
        (Code::InputUnresolvedVariable, |i| {
            i.falconctl_options = "--provisioning-token=$(TOKEN)".into();
        }),
        (Code::InputCidWithoutChecksum, |i| i.falcon_cid.truncate(32)),
        (Code::InputMalformed, |i| {
            i.falcon_cid = "my-cid".into();
        }),
        (Code::InputMalformed, |i| {
            i.container_name = "a b".into();
        }),
        (Code::InputMalformed, |i| {
            i.falconctl_options = "tags=a".into();
        }),
        (Code::InputMalformed, |i| {
            i.aws_region = "Ireland".into();
        }),
        (Code::InputMalformed, |i| {
            i.aws_account = "1234".into();
        }),
        (Code::InputMalformed, |i| {
            i.sensor_image = "a:1\nb:2".into();
        }),
        (Code::InputReferenceInvalid, |i| {
            i.source_image = "App/web:1".into();
        }),
        (Code::InputReferenceInvalid, |i| {
            i.additional_tags = "good\n-bad".into();
        }),
        (Code::InputTagMissing, |i| {
            i.source_image = "app/web".into();
        }),
        (Code::InputTagMissing, |i| {
            i.target_image = "app/web".into();
        }),
        (Code::InputTargetIsSource, |i| {
            i.target_image = i.source_image.clone();
        }),
        (Code::InputEmulatorWithoutDigest, |i| {
            i.emulator_image = "tonistiigi/binfmt:latest".into();
        }),
        (Code::InputStagingWithoutDigest, |i| {
            i.staging_registry = "local".into();
            i.staging_registry_image = "registry:2".into();
        }),
        (Code::InputWithoutEffect, |i| {
            i.staging_registry_image = "registry:2".into();
        }),
        (Code::InputUnknownValue, |i| {
            i.staging_registry = "remote".into();
        }),
        (Code::InputMalformed, |i| {
            i.builder_name = "my builder".into();
        }),
        (Code::InputMalformed, |i| {
            i.builder_name = "default".into();
        }),
        (Code::InputRegistryNotEcr, |i| {
            i.target_image = "ghcr.io/app/web:1".into();
        }),
        (Code::InputUnknownValue, |i| {
            i.engine_access = "full".into();
        }),
        (Code::InputWithoutEffect, |i| {
            i.minimum_sensor_version = "7.39".into();
        }),
        (Code::InputUnknownValue, |i| {
            i.create_repository = "if missing".into();
        }),
        (Code::AwsConnectionMissing, |i| {
            i.aws_connection = "5d0c".into();
        }),
    ];
    for (code, change) in cases {
        let (seen, what, _) = refusal(change);
        assert_eq!(seen, *code, "{what}");
    }
}

#[test]
fn source_and_sensor_may_be_in_any_registry() {
    let config = read(&Inputs {
        source_image: "docker.io/nginx:1".into(),
        sensor_image: "ghcr.io/team/sensor:7.39.0-7802".into(),
        ..inputs()
    });
    assert!(config.is_ok(), "{config:?}");
}

#[test]
fn defaults_that_the_form_fills_in_are_accepted() {
    let filled = Inputs {
        action: "patch".into(),
        source_location: "registry".into(),
        sensor_source: "image".into(),
        sensor_version: "latest".into(),
        falcon_region: "auto".into(),
        cloud_service: "ECS_FARGATE".into(),
        emulation: "auto".into(),
        emulator_image: super::image::DEFAULT_EMULATOR_IMAGE.into(),
        strategy: "full".into(),
        skip_unchanged: "true".into(),
        create_repository: "false".into(),
        staging_registry: "none".into(),
        staging_registry_image: super::staging::DEFAULT_IMAGE.into(),
        engine_access: "auto".into(),
        keep_local_images: "false".into(),
        register_task_definition: "false".into(),
        ..inputs()
    };
    assert!(read(&filled).is_ok());
}

#[test]
fn all_problems_are_reported_at_once_by_the_names_of_the_inputs() {
    let (code, what, why) = refusal(|i| {
        i.source_image.clear();
        i.emulation = "nevr".into();
        i.falcon_cid = "$(FALCON_CID)".into();
    });
    assert_eq!(code, Code::InputInvalid);
    insta::assert_snapshot!(what, @"3 inputs are invalid: `sourceImage`, `falconCid`, `emulation`");
    insta::assert_snapshot!(why.join("\n"), @r"
    `sourceImage`: is required and empty [INPUT_MISSING]
    `falconCid`: still holds `$(FALCON_CID)`, so the pipeline has no variable of that name [INPUT_UNRESOLVED_VARIABLE]
    `emulation`: `nevr` is not one of `auto`, `never`; did you mean `never`? [INPUT_UNKNOWN_VALUE]
    ");
}

#[test]
fn one_problem_is_one_sentence() {
    let (_, what, why) = refusal(|i| {
        i.target_image = "app/web".into();
    });
    insta::assert_snapshot!(what, @"Invalid input `targetImage`: `app/web` has no tag");
    assert!(why.is_empty());
}

#[test]
fn no_secret_is_printed_with_the_configuration() {
    let config = read(&Inputs {
        aws_access_key_id: "AKIDEXAMPLE".into(),
        aws_secret_access_key: "secret-key".into(),
        falconctl_options: "--provisioning-token=prov".into(),
        ..inputs()
    })
    .unwrap();
    let printed = format!("{config:?}");
    for secret in ["secret-key", "prov", "0123456789abcdef"] {
        assert!(!printed.contains(secret), "{secret} in {printed}");
    }
}

#[test]
fn a_local_registry_has_an_image_of_its_own_and_no_place_beside_a_graft() {
    let local = Inputs {
        staging_registry: "local".into(),
        ..inputs()
    };
    let config = read(&local).expect("a configuration");
    let image = config.staging_image.expect("an image");
    assert_eq!(
        image.repository.at(&image.digest),
        "docker.io/library/registry@sha256:a3d8aaa63ed8681a604f1dea0aa03f100d5895b6a58ace528858a7b332415373"
    );
    let grafted = Inputs {
        strategy: "graft".into(),
        ..local
    };
    let problem = read(&grafted).expect_err("a refusal");
    let told = problem.why.join("\n") + &problem.what;
    assert!(
        told.contains("`stagingRegistry`: has no effect with `strategy: graft`"),
        "{told}"
    );
}

#[test]
fn a_secret_is_not_shown_by_the_failure_that_refuses_it() {
    type Change = fn(&mut Inputs, &str);
    let secrets: [(&str, Change); 5] = [
        ("falconCid", |i, text| i.falcon_cid.push_str(text)),
        ("falconctlOptions", |i, text| {
            i.falconctl_options.push_str(text);
        }),
        ("falconClientSecret", |i, text| {
            i.falcon_client_id = "id".into();
            i.falcon_client_secret = text.into();
        }),
        ("awsSecretAccessKey", |i, text| {
            i.aws_access_key_id = "AKIA".into();
            i.aws_secret_access_key = text.into();
        }),
        ("awsSessionToken", |i, text| {
            i.aws_access_key_id = "AKIA".into();
            i.aws_secret_access_key = "key".into();
            i.aws_session_token = text.into();
        }),
    ];
    for (name, change) in secrets {
        for text in [
            "hunter$(2",
            "$(hunter)2",
            "$(hun)$(ter)",
            "$(hun ter!)",
            "--a $(hunter)",
        ] {
            let mut inputs = inputs();
            change(&mut inputs, text);
            let problem = read(&inputs).expect_err("a problem");
            assert_eq!(
                problem.code,
                Code::InputUnresolvedVariable,
                "{name}: {problem:?}"
            );
            let shown = format!("{problem:?}");
            assert!(shown.contains(name) && !shown.contains("hun"), "{shown}");
        }
    }
}
