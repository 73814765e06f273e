//! The inputs of `action: deploy`. All others are ignored, but for those that a user would expect to have an effect.

use std::path::PathBuf;
use std::time::Duration;

use super::check::Check;
use super::input_fault::InputFault;
use super::verify::{self, VerifyConfig};
use crate::domain::ecs::name::EcsName;
use crate::flow::inputs::Inputs;

/// The longest time that a deployment may take, in minutes: as long as a pause hook waits by default
/// (<https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeploymentLifecycleHook.html>).
const LONGEST: u32 = 1440;

const DEFAULT_TIMEOUT: u32 = 30;

/// A deployment to an ECS service, or the plan of one. It needs no engine.
#[derive(Clone, Debug)]
pub struct DeployConfig {
    /// True if the run ends with its plan and changes nothing.
    pub only_plan: bool,
    /// The verification of the image, which comes first. It also has the sign-in to AWS.
    pub verify: VerifyConfig,
    /// The cluster.
    pub cluster: EcsName,
    /// The service.
    pub service: EcsName,
    /// The region that an ARN of the inputs names.
    pub region: Option<String>,
    /// The task definition's file; none for the service's current revision.
    pub task_definition: Option<PathBuf>,
    /// The file that the finished definition is written to; none for one in the agent's temporary folder.
    pub output: Option<PathBuf>,
    /// The container that gets the image; it may be left out where there is only one.
    pub container: Option<String>,
    /// True if the run ends with the deployment, and not with its start.
    pub waits: bool,
    /// The time that the deployment may take.
    pub limit: Duration,
    /// True if a deployment is started also where nothing differs.
    pub force: bool,
}

/// Reads the inputs of a deployment.
pub(super) fn read(check: &mut Check, inputs: &Inputs, only_plan: bool) -> Option<DeployConfig> {
    check.without_effect(
        &[(
            "registerTaskDefinition",
            &inputs.register_task_definition,
            "false",
        )],
        "a deployment, which always registers what it deploys",
    );
    let cluster = name(check, "ecsCluster", &inputs.ecs_cluster, "cluster");
    let service = name(check, "ecsService", &inputs.ecs_service, "service");
    let region = region(check, inputs, &[&cluster, &service]);
    check_cluster(check, cluster.as_ref(), service.as_ref());
    let task_definition = check.text("taskDefinition", &inputs.task_definition);
    let output = check.text("taskDefinitionOutput", &inputs.task_definition_output);
    let container = check.text("containerName", &inputs.container_name);
    let waits = check.boolean("waitForService", &inputs.wait_for_service, true);
    let minutes = check.number(
        "deployTimeoutMinutes",
        &inputs.deploy_timeout_minutes,
        DEFAULT_TIMEOUT,
        1..=LONGEST,
    );
    let force = check.boolean("forceNewDeployment", &inputs.force_new_deployment, false);
    let verify = verify::read(check, inputs);
    Some(DeployConfig {
        only_plan,
        verify: verify?,
        cluster: cluster?,
        service: service?,
        region,
        task_definition: task_definition.map(Into::into),
        output: output.map(Into::into),
        container: container.map(str::to_owned),
        waits: waits?,
        limit: Duration::from_secs(60 * u64::from(minutes?)),
        force: force?,
    })
}

/// Refuses the inputs of a deployment where nothing is deployed.
pub(super) fn refuse_without_service(check: &mut Check, inputs: &Inputs, beside: &str) {
    let timeout = DEFAULT_TIMEOUT.to_string();
    check.without_effect(
        &[
            ("ecsCluster", &inputs.ecs_cluster, ""),
            ("ecsService", &inputs.ecs_service, ""),
            ("waitForService", &inputs.wait_for_service, "true"),
            (
                "deployTimeoutMinutes",
                &inputs.deploy_timeout_minutes,
                &timeout,
            ),
            ("forceNewDeployment", &inputs.force_new_deployment, "false"),
        ],
        beside,
    );
}

fn name(check: &mut Check, input: &str, value: &str, kind: &str) -> Option<EcsName> {
    let text = check.required(input, value)?;
    let name = EcsName::parse(text, kind);
    if name.is_none() {
        let message = format!("`{text}` is neither the name nor the ARN of an ECS {kind}");
        check.refuse(InputFault::Malformed, input, message);
    }
    name
}

/// The region that ARNs name; `awsRegion` must be the same.
fn region(check: &mut Check, inputs: &Inputs, names: &[&Option<EcsName>]) -> Option<String> {
    let regions = names.iter().filter_map(|name| name.as_ref());
    let mut regions = regions.filter_map(|name| name.region.clone());
    let region = regions.next()?;
    let wanted = inputs.aws_region.trim();
    if regions.any(|other| other != region) {
        let message = "is in another region than `ecsCluster`";
        check.refuse(InputFault::Malformed, "ecsService", message);
    }
    if !wanted.is_empty() && wanted != region {
        let message =
            format!("is `{wanted}`, and the ARN of the ECS service or cluster names {region}");
        check.refuse(InputFault::Malformed, "awsRegion", message);
    }
    Some(region)
}

fn check_cluster(check: &mut Check, cluster: Option<&EcsName>, service: Option<&EcsName>) {
    let (Some(cluster), Some(service)) = (cluster, service) else {
        return;
    };
    if let Some(named) = service
        .cluster
        .as_deref()
        .filter(|named| *named != cluster.name())
    {
        let message = format!(
            "is in the cluster `{named}`, and `ecsCluster` is `{}`",
            cluster.name()
        );
        check.refuse(InputFault::Malformed, "ecsService", message);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::DeployConfig;
    use crate::flow::config::read::Config;
    use crate::flow::inputs::Inputs;
    use crate::report::code::Code;
    use crate::report::problem::Problem;
    use crate::test_support::config::{HOST, deploy_inputs, inputs as patch_inputs};

    fn read(change: impl FnOnce(&mut Inputs)) -> Result<DeployConfig, Problem> {
        let mut inputs = deploy_inputs();
        change(&mut inputs);
        match Config::from_inputs(&inputs)? {
            Config::Deploy(config) => Ok(*config),
            other => panic!("a deployment was expected: {other:?}"),
        }
    }

    #[test]
    fn image_cluster_and_service_are_enough() {
        let config = read(|_| ()).expect("good inputs");
        assert_eq!(config.cluster.text, "prod");
        assert_eq!(config.service.text, "web");
        assert_eq!(config.limit, Duration::from_mins(30));
        assert!(config.waits && !config.force && !config.only_plan);
        assert_eq!(config.verify.aws.region.as_deref(), Some("eu-west-1"));
        assert!(config.task_definition.is_none() && config.container.is_none());
    }

    #[test]
    fn a_plan_with_a_service_plans_its_deployment_and_needs_no_source() {
        let config = read(|i| i.action = "plan".into()).expect("good inputs");
        assert!(config.only_plan && config.verify.source.is_none());
        let mut without = patch_inputs();
        without.action = "plan".to_owned();
        assert!(matches!(
            Config::from_inputs(&without),
            Ok(Config::Patch(_))
        ));
    }

    #[test]
    fn every_problem_has_its_code() {
        type Change = fn(&mut Inputs);
        let cases: &[(Code, Change)] = &[
            (Code::InputMissing, |i| i.ecs_cluster.clear()),
            (Code::InputMissing, |i| i.ecs_service.clear()),
            (Code::InputMissing, |i| i.target_image.clear()),
            (Code::InputMalformed, |i| {
                i.ecs_cluster = "my cluster".into();
            }),
            (Code::InputMalformed, |i| i.ecs_service = "prod/web".into()),
            (Code::InputMalformed, |i| {
                i.deploy_timeout_minutes = "0".into();
            }),
            (Code::InputMalformed, |i| {
                i.deploy_timeout_minutes = "1441".into();
            }),
            (Code::InputMalformed, |i| {
                i.deploy_timeout_minutes = "30m".into();
            }),
            (Code::InputUnknownValue, |i| {
                i.wait_for_service = "yes".into();
            }),
            (Code::InputWithoutEffect, |i| {
                i.register_task_definition = "true".into();
            }),
            (Code::InputUnresolvedVariable, |i| {
                i.ecs_service = "$(SERVICE)".into();
            }),
            (Code::InputMalformed, |i| {
                i.minimum_sensor_version = "n-1".into();
            }),
            (Code::InputMalformed, |i| {
                i.ecs_service = "arn:aws:ecs:eu-west-1:123456789012:service/other/web".into();
            }),
            (Code::InputMalformed, |i| {
                i.ecs_cluster = "arn:aws:ecs:eu-west-1:123456789012:cluster/prod".into();
                i.aws_region = "eu-central-1".into();
            }),
        ];
        for (code, change) in cases {
            let problem = read(change).expect_err(code.as_str());
            assert_eq!(problem.code, *code, "{}", problem.what);
        }
        let problem = read(|i| {
            i.ecs_cluster.clear();
            i.ecs_service.clear();
            i.target_image = format!("{HOST}/app/web");
        });
        let why = problem.expect_err("three problems").why;
        assert_eq!(why.len(), 3, "{why:?}");
    }

    #[test]
    fn inputs_of_a_deployment_are_refused_where_nothing_is_deployed() {
        type Change = fn(&mut Inputs);
        let cases: &[Change] = &[
            |i| i.ecs_service = "web".into(),
            |i| i.ecs_cluster = "prod".into(),
            |i| i.wait_for_service = "false".into(),
            |i| i.deploy_timeout_minutes = "5".into(),
            |i| i.force_new_deployment = "true".into(),
        ];
        for change in cases {
            let mut inputs = patch_inputs();
            change(&mut inputs);
            let problem = Config::from_inputs(&inputs).expect_err("a problem");
            assert_eq!(problem.code, Code::InputWithoutEffect, "{}", problem.what);
        }
        let mut defaults = patch_inputs();
        defaults.wait_for_service = "true".into();
        defaults.deploy_timeout_minutes = "30".into();
        defaults.force_new_deployment = "False".into();
        assert!(Config::from_inputs(&defaults).is_ok());
    }
}
