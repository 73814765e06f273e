//! The fields of `RegisterTaskDefinition` with their types.
//!
//! From the ECS model of the AWS SDKs, version 2014-11-13
//! (<https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RegisterTaskDefinition.html>). A field that is not
//! listed here, because ECS learned it later, is left as it is.

use Kind::{AnyText, Boolean, Integer, Integers, Object, Objects, Text, TextMap, Texts};

/// A field of an object.
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    /// True if the object is of no use without the field.
    pub(super) is_required: bool,
}

/// The type of a field.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    /// A text in which nothing stands for no value.
    Text,
    /// A text that may be empty.
    AnyText,
    Integer,
    Boolean,
    Texts,
    Integers,
    /// An object of texts, under names that its user chooses.
    TextMap,
    Object(&'static [Field]),
    Objects(&'static [Field]),
}

const fn may(name: &'static str, kind: Kind) -> Field {
    Field {
        name,
        kind,
        is_required: false,
    }
}

const fn must(name: &'static str, kind: Kind) -> Field {
    Field {
        name,
        kind,
        is_required: true,
    }
}

/// The whole input. Fields with a message of their own, such as `family`, are not marked as required.
#[rustfmt::skip]
pub(super) const TASK_DEFINITION: &[Field] = &[
    may("family", Text), may("taskRoleArn", Text), may("executionRoleArn", Text), may("networkMode", Text),
    may("containerDefinitions", Objects(CONTAINER)), may("volumes", Objects(VOLUME)),
    may("placementConstraints", Objects(&[may("type", Text), may("expression", Text)])),
    may("requiresCompatibilities", Texts), may("cpu", Text), may("memory", Text),
    may("tags", Objects(&[must("key", Text), may("value", AnyText)])),
    may("pidMode", Text), may("ipcMode", Text),
    may("proxyConfiguration", Object(&[
        may("type", Text), must("containerName", Text), may("properties", Objects(VARIABLE)),
    ])),
    may("inferenceAccelerators", Objects(&[must("deviceName", Text), must("deviceType", Text)])),
    may("ephemeralStorage", Object(&[must("sizeInGiB", Integer)])),
    may("runtimePlatform", Object(&[may("cpuArchitecture", Text), may("operatingSystemFamily", Text)])),
    may("enableFaultInjection", Boolean),
];

/// A name with a value. ECS drops a variable without a value silently
/// (<https://github.com/aws-actions/amazon-ecs-deploy-task-definition/pull/224>), so the value is required too.
const VARIABLE: &[Field] = &[must("name", Text), must("value", AnyText)];

const SECRET: &[Field] = &[must("name", Text), must("valueFrom", Text)];

#[rustfmt::skip]
const CONTAINER: &[Field] = &[
    may("name", Text), may("image", Text),
    may("repositoryCredentials", Object(&[must("credentialsParameter", Text)])),
    may("cpu", Integer), may("memory", Integer), may("memoryReservation", Integer), may("links", Texts),
    may("portMappings", Objects(&[
        may("containerPort", Integer), may("hostPort", Integer), may("protocol", Text), may("name", Text),
        may("appProtocol", Text), may("containerPortRange", Text),
    ])),
    may("essential", Boolean),
    may("restartPolicy", Object(&[
        must("enabled", Boolean), may("ignoredExitCodes", Integers), may("restartAttemptPeriod", Integer),
    ])),
    may("entryPoint", Texts), may("command", Texts), may("environment", Objects(VARIABLE)),
    may("environmentFiles", Objects(&[must("value", Text), must("type", Text)])),
    may("mountPoints", Objects(&[
        must("sourceVolume", Text), must("containerPath", Text), may("readOnly", Boolean),
    ])),
    may("volumesFrom", Objects(&[must("sourceContainer", Text), may("readOnly", Boolean)])),
    may("linuxParameters", Object(LINUX)), may("secrets", Objects(SECRET)),
    may("dependsOn", Objects(&[must("containerName", Text), must("condition", Text)])),
    may("startTimeout", Integer), may("stopTimeout", Integer), may("versionConsistency", Text),
    may("hostname", Text), may("user", Text), may("workingDirectory", Text), may("disableNetworking", Boolean),
    may("privileged", Boolean), may("readonlyRootFilesystem", Boolean), may("dnsServers", Texts),
    may("dnsSearchDomains", Texts),
    may("extraHosts", Objects(&[must("hostname", Text), must("ipAddress", Text)])),
    may("dockerSecurityOptions", Texts), may("interactive", Boolean), may("pseudoTerminal", Boolean),
    may("dockerLabels", TextMap),
    may("ulimits", Objects(&[must("name", Text), must("softLimit", Integer), must("hardLimit", Integer)])),
    may("logConfiguration", Object(&[
        must("logDriver", Text), may("options", TextMap), may("secretOptions", Objects(SECRET)),
    ])),
    may("healthCheck", Object(&[
        must("command", Texts), may("interval", Integer), may("timeout", Integer), may("retries", Integer),
        may("startPeriod", Integer),
    ])),
    may("systemControls", Objects(&[may("namespace", Text), may("value", AnyText)])),
    may("resourceRequirements", Objects(&[may("value", Text), must("type", Text)])),
    may("firelensConfiguration", Object(&[must("type", Text), may("options", TextMap)])),
    may("credentialSpecs", Texts),
];

#[rustfmt::skip]
const LINUX: &[Field] = &[
    may("capabilities", Object(&[may("add", Texts), may("drop", Texts)])),
    may("devices", Objects(&[must("hostPath", Text), may("containerPath", Text), may("permissions", Texts)])),
    may("initProcessEnabled", Boolean), may("sharedMemorySize", Integer),
    may("tmpfs", Objects(&[must("containerPath", Text), must("size", Integer), may("mountOptions", Texts)])),
    may("maxSwap", Integer), may("swappiness", Integer),
];

#[rustfmt::skip]
const VOLUME: &[Field] = &[
    may("name", Text), may("host", Object(&[may("sourcePath", Text)])),
    may("dockerVolumeConfiguration", Object(&[
        may("scope", Text), may("autoprovision", Boolean), may("driver", Text), may("driverOpts", TextMap),
        may("labels", TextMap),
    ])),
    may("efsVolumeConfiguration", Object(&[
        must("fileSystemId", Text), may("rootDirectory", Text), may("transitEncryption", Text),
        may("transitEncryptionPort", Integer),
        may("authorizationConfig", Object(&[may("accessPointId", Text), may("iam", Text)])),
    ])),
    may("s3filesVolumeConfiguration", Object(&[
        must("fileSystemArn", Text), may("rootDirectory", Text), may("transitEncryptionPort", Integer),
        may("accessPointArn", Text),
    ])),
    may("configuredAtLaunch", Boolean),
];
