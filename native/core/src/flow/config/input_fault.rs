//! The kinds of problems that inputs have.

use crate::report::code::Code;

/// A kind of problem with an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum InputFault {
    AwsConnectionIncomplete,
    AwsConnectionMissing,
    AwsEndpointRefused,
    AwsOidcUnavailable,
    CidWithoutChecksum,
    EmulatorWithoutDigest,
    FalconConnectionIncomplete,
    FalconConnectionMissing,
    Malformed,
    Missing,
    ReferenceInvalid,
    RegistryNotEcr,
    StagingWithoutDigest,
    TagMissing,
    TargetIsSource,
    UnknownValue,
    UnresolvedOutput,
    UnresolvedVariable,
    WithoutEffect,
}

impl InputFault {
    /// The code of the kind.
    pub(super) fn code(self) -> Code {
        self.parts().0
    }

    /// The advice for the kind.
    pub(super) fn hint(self) -> &'static str {
        self.parts().1
    }

    #[rustfmt::skip]
    fn parts(self) -> (Code, &'static str) {
        match self {
            Self::CidWithoutChecksum => (Code::InputCidWithoutChecksum, "Copy the customer ID with its checksum (`…-NN`) from the Falcon console, Host setup and management > Deploy > Sensor downloads"),
            Self::UnresolvedVariable => (Code::InputUnresolvedVariable, "Define the variable, or link the variable group that holds it; secret variables of a pipeline are not given to pull requests from forks"),
            Self::UnresolvedOutput => (Code::InputUnresolvedVariable, "Give the step that sets it a `name:`, the part before the dot. In another job, map it under `variables:` as `$[ dependencies.JOB.outputs['STEP.VARIABLE'] ]`; in another stage, as `$[ stageDependencies.STAGE.JOB.outputs['STEP.VARIABLE'] ]`. If it is not the output of a step, define the variable"),
            Self::TagMissing => (Code::InputTagMissing, "Add a tag, such as `:1.4.2`"),
            Self::EmulatorWithoutDigest => (Code::InputEmulatorWithoutDigest, "Add the digest: the image runs privileged, so a tag that can move is not enough"),
            Self::StagingWithoutDigest => (Code::InputStagingWithoutDigest, "Add the digest: only images by digest are run"),
            Self::TargetIsSource => (Code::InputTargetIsSource, "Set a tag that differs from the source's, such as the source's with `-falcon` behind it"),
            Self::AwsConnectionMissing => (Code::AwsConnectionMissing, "Set the ID or name of a service connection of the type AWS, and permit this pipeline to use it: Project settings > Service connections"),
            Self::AwsConnectionIncomplete => (Code::AwsConnectionIncomplete, "Edit the service connection: it needs an access key with its secret, or a role to assume, or OIDC with a role to assume"),
            Self::AwsOidcUnavailable => (Code::AwsOidcUnavailable, "Run the job on Azure DevOps Services, which issues OIDC tokens, or add keys to the service connection"),
            Self::AwsEndpointRefused => (Code::AwsEndpointRefused, "Remove the variable `System.OidcRequestUri` or `SYSTEM_OIDCREQUESTURI` from the pipeline: the agent sets it by itself"),
            Self::FalconConnectionMissing => (Code::FalconConnectionMissing, "Set the ID or name of a service connection of the type that this extension adds, and permit this pipeline to use it: Project settings > Service connections"),
            Self::FalconConnectionIncomplete => (Code::FalconConnectionIncomplete, "Edit the service connection: it needs the API client's ID with its secret, or the customer ID where `sensorSource: image` needs no client"),
            Self::Missing => (Code::InputMissing, "Set the input in the step"),
            Self::WithoutEffect => (Code::InputWithoutEffect, "Remove the input from the step, or set what the message names"),
            Self::Malformed => (Code::InputMalformed, "Write the value as the message says"),
            Self::UnknownValue => (Code::InputUnknownValue, "Use one of the values listed"),
            Self::ReferenceInvalid => (Code::InputReferenceInvalid, "Write it as `repository:tag` or `registry/repository:tag`"),
            Self::RegistryNotEcr => (Code::InputRegistryNotEcr, "Name a repository of yours in ECR"),
        }
    }
}
