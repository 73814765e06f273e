//! The stable codes of failures and warnings.

/// Party that must act on a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The inputs of the task: the author of the pipeline.
    Input,
    /// The agent, its engine, or rights in AWS: the people who run them.
    Environment,
    /// falconutil, a registry or another service.
    Upstream,
    /// This task.
    Bug,
}

macro_rules! codes {
    ($($variant:ident $text:literal $kind:ident $doc:literal;)+) => {
        /// Stable name of what happened; each has its heading in docs/troubleshooting.md.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code { $(#[doc = $doc] $variant,)+ }

        impl Code {
            /// Every code, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The name as users see it.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }

            /// Returns the party that must act.
            #[must_use]
            pub fn kind(self) -> Kind {
                match self { $(Self::$variant => Kind::$kind,)+ }
            }
        }
    };
}

codes! {
    InputInvalid "INPUT_INVALID" Input "Several inputs have problems of different kinds.";
    InputMissing "INPUT_MISSING" Input "A required input is empty.";
    InputMalformed "INPUT_MALFORMED" Input "An input has a form that it cannot have.";
    InputUnknownValue "INPUT_UNKNOWN_VALUE" Input "An input has a value that is not among the allowed ones.";
    InputUnresolvedVariable "INPUT_UNRESOLVED_VARIABLE" Input "An input still holds `$(NAME)`.";
    InputCidWithoutChecksum "INPUT_CID_WITHOUT_CHECKSUM" Input "The customer ID lacks its checksum.";
    InputReferenceInvalid "INPUT_REFERENCE_INVALID" Input "An image reference is malformed.";
    InputTagMissing "INPUT_TAG_MISSING" Input "An image reference needs a tag.";
    InputTargetIsSource "INPUT_TARGET_IS_SOURCE" Input "The target is the source itself.";
    InputEmulatorWithoutDigest "INPUT_EMULATOR_WITHOUT_DIGEST" Input "The emulator image is not pinned by digest.";
    InputStagingWithoutDigest "INPUT_STAGING_WITHOUT_DIGEST" Input "The image of the local registry is not pinned by digest.";
    InputRegistryNotEcr "INPUT_REGISTRY_NOT_ECR" Input "An image is not in an ECR registry.";
    InputWithoutEffect "INPUT_WITHOUT_EFFECT" Input "An input has no meaning beside the others.";
    InputKeyNotTrusted "INPUT_KEY_NOT_TRUSTED" Input "The signing key is not among the trusted keys.";
    InputUnknown "INPUT_UNKNOWN" Input "The step sets an input that the task does not have.";
    TaskAgentUnsupported "TASK_AGENT_UNSUPPORTED" Environment "The agent is not one that the task runs on.";
    TaskInternal "TASK_INTERNAL" Bug "The task has a bug.";
    TaskFolderNotWritable "TASK_FOLDER_NOT_WRITABLE" Environment "A folder of the agent cannot be written to.";
    TaskLeftovers "TASK_LEFTOVERS" Environment "Something could not be cleaned up.";
    EngineNotReachable "ENGINE_NOT_REACHABLE" Environment "No Docker Engine answers.";
    EngineNotPermitted "ENGINE_NOT_PERMITTED" Environment "The agent's user may not use the Docker Engine.";
    EngineRootless "ENGINE_ROOTLESS" Environment "The Docker Engine is rootless.";
    EngineWindowsContainers "ENGINE_WINDOWS_CONTAINERS" Environment "The Docker Engine runs Windows containers.";
    EnginePodman "ENGINE_PODMAN" Environment "The socket is podman's.";
    EngineTlsFailed "ENGINE_TLS_FAILED" Environment "The agent and the engine do not agree on TLS.";
    EngineRemote "ENGINE_REMOTE" Environment "The engine's address is on another machine without protection, or of a form that is not supported.";
    EngineInContainerJob "ENGINE_IN_CONTAINER_JOB" Environment "The job runs in a container without the engine's socket.";
    EnginePathsNotShared "ENGINE_PATHS_NOT_SHARED" Environment "The engine cannot mount the agent's folders.";
    EngineTooOld "ENGINE_TOO_OLD" Environment "The Docker Engine is too old for its image store.";
    EngineAccessUnfiltered "ENGINE_ACCESS_UNFILTERED" Environment "The requests of falconutil to the engine cannot be filtered.";
    EngineImageNotFound "ENGINE_IMAGE_NOT_FOUND" Input "The engine has no image of that name.";
    EngineImageIncomplete "ENGINE_IMAGE_INCOMPLETE" Environment "The engine has an image's name and not its content.";
    EngineTooManyLayers "ENGINE_TOO_MANY_LAYERS" Input "An image has more layers than the engine's store takes.";
    EngineImageAmbiguous "ENGINE_IMAGE_AMBIGUOUS" Input "The engine's image is for several platforms.";
    EnginePlatformMissing "ENGINE_PLATFORM_MISSING" Input "The engine's image is not for linux/arm64.";
    EnginePullFailed "ENGINE_PULL_FAILED" Upstream "The engine could not pull an image.";
    EngineNoSpace "ENGINE_NO_SPACE" Environment "The engine's disk is full.";
    EngineRequestFailed "ENGINE_REQUEST_FAILED" Upstream "The engine refused a request.";
    EngineBuildxMissing "ENGINE_BUILDX_MISSING" Environment "The buildx plugin is not installed or cannot be run.";
    EngineBuilderTaken "ENGINE_BUILDER_TAKEN" Input "The agent's user has a buildx builder of that name.";
    EngineBuilderFailed "ENGINE_BUILDER_FAILED" Environment "The buildx builder could not be created.";
    EngineStagingFailed "ENGINE_STAGING_FAILED" Environment "The local registry did not start or does not answer.";
    AwsCredentialsMissing "AWS_CREDENTIALS_MISSING" Input "No AWS credentials were found.";
    AwsCredentialsInvalid "AWS_CREDENTIALS_INVALID" Input "AWS does not know the credentials.";
    AwsCredentialsExpired "AWS_CREDENTIALS_EXPIRED" Input "The AWS credentials have expired.";
    AwsConnectionMissing "AWS_CONNECTION_MISSING" Input "The job was not given the service connection.";
    AwsConnectionIncomplete "AWS_CONNECTION_INCOMPLETE" Input "The service connection holds nothing, or too little, to sign in with.";
    AwsOidcUnavailable "AWS_OIDC_UNAVAILABLE" Environment "The service connection uses OIDC, and the job cannot ask for a token.";
    AwsOidcFailed "AWS_OIDC_FAILED" Upstream "No OIDC token could be had.";
    AwsOidcRefused "AWS_OIDC_REFUSED" Environment "AWS does not accept the OIDC token.";
    AwsRoleDenied "AWS_ROLE_DENIED" Environment "The credentials may not assume the role.";
    AwsRoleDurationRefused "AWS_ROLE_DURATION_REFUSED" Input "The role's sessions may not last so long.";
    AwsKmsKeyNotFound "AWS_KMS_KEY_NOT_FOUND" Input "KMS has no such key.";
    AwsKmsKeyUnusable "AWS_KMS_KEY_UNUSABLE" Environment "The key is disabled, or cannot be used for now.";
    AwsKmsKeyUnsuitable "AWS_KMS_KEY_UNSUITABLE" Input "The key is not one that signs records.";
    AwsKmsSignatureInvalid "AWS_KMS_SIGNATURE_INVALID" Upstream "The signature that KMS returned is not the key's.";
    AwsDenied "AWS_DENIED" Environment "An IAM permission is missing.";
    AwsEndpointRefused "AWS_ENDPOINT_REFUSED" Environment "An endpoint override points elsewhere than to AWS or this machine.";
    AwsNotReachable "AWS_NOT_REACHABLE" Upstream "AWS does not answer.";
    AwsRequestFailed "AWS_REQUEST_FAILED" Upstream "AWS refused a request.";
    EcrRepositoryNotFound "ECR_REPOSITORY_NOT_FOUND" Input "The ECR repository does not exist.";
    EcrTagImmutable "ECR_TAG_IMMUTABLE" Input "The tag exists and cannot be overwritten.";
    RegistryImageNotFound "REGISTRY_IMAGE_NOT_FOUND" Input "The registry has no such image.";
    RegistryPlatformMissing "REGISTRY_PLATFORM_MISSING" Input "The source image is not for linux/arm64.";
    RegistryDenied "REGISTRY_DENIED" Environment "The registry refuses the sign-in or the access.";
    RegistryDockerConfigInvalid "REGISTRY_DOCKER_CONFIG_INVALID" Environment "The agent's Docker configuration cannot be used.";
    RegistryCredentialHelperFailed "REGISTRY_CREDENTIAL_HELPER_FAILED" Environment "A credential helper failed.";
    RegistryNotReachable "REGISTRY_NOT_REACHABLE" Upstream "The registry does not answer.";
    RegistryAnswerInvalid "REGISTRY_ANSWER_INVALID" Upstream "The registry's answer cannot be used.";
    RegistryRequestFailed "REGISTRY_REQUEST_FAILED" Upstream "The registry refused a request.";
    RegistryProvenanceRefused "REGISTRY_PROVENANCE_REFUSED" Upstream "The registry does not keep what the image was made of.";
    GraftEntryRefused "GRAFT_ENTRY_REFUSED" Upstream "An entry of the graft cache is not used.";
    GraftEntryNotKept "GRAFT_ENTRY_NOT_KEPT" Upstream "The registry does not keep an entry of the graft cache.";
    EmulationMissing "EMULATION_MISSING" Environment "ARM64 programs cannot run and nothing may be installed.";
    EmulationInstallFailed "EMULATION_INSTALL_FAILED" Environment "The emulator could not be installed.";
    EmulationNoEffect "EMULATION_NO_EFFECT" Environment "ARM64 programs do not run although an emulator is registered.";
    FalconAlreadyPatched "FALCON_ALREADY_PATCHED" Input "The source image holds the Falcon sensor already.";
    FalconNotPatched "FALCON_NOT_PATCHED" Input "The image that was to be verified does not start the Falcon sensor.";
    FalconTargetAdopted "FALCON_TARGET_ADOPTED" Input "An image under a tag that cannot be overwritten was taken as it is.";
    FalconSourceDiffers "FALCON_SOURCE_DIFFERS" Input "The image that was to be verified is not the given source with the sensor.";
    FalconSensorTooOld "FALCON_SENSOR_TOO_OLD" Input "The sensor in the image is older than demanded.";
    FalconSensorVersionUnknown "FALCON_SENSOR_VERSION_UNKNOWN" Input "Nothing tells which sensor is in the image.";
    FalconRecordNotSigned "FALCON_RECORD_NOT_SIGNED" Input "No trusted key has signed a record of the image.";
    FalconRecordNotWritten "FALCON_RECORD_NOT_WRITTEN" Upstream "The signed record could not be put beside the image.";
    FalconRecordIgnored "FALCON_RECORD_IGNORED" Input "A record beside the image proves nothing.";
    FalconRecordLimit "FALCON_RECORD_LIMIT" Input "More records are beside the image than are read.";
    FalconSensorFilesMissing "FALCON_SENSOR_FILES_MISSING" Input "The image has the marks of the sensor, and its layers do not have the sensor.";
    FalconSensorFilesUnknown "FALCON_SENSOR_FILES_UNKNOWN" Input "The layers of the image do not show whether they have the sensor.";
    FalconSensorPlatformMissing "FALCON_SENSOR_PLATFORM_MISSING" Input "The sensor image is not for linux/arm64.";
    FalconSensorVersionNotFound "FALCON_SENSOR_VERSION_NOT_FOUND" Input "CrowdStrike has no such sensor.";
    FalconConnectionMissing "FALCON_CONNECTION_MISSING" Input "The job was not given the service connection for CrowdStrike.";
    FalconConnectionIncomplete "FALCON_CONNECTION_INCOMPLETE" Input "The service connection for CrowdStrike holds too little.";
    FalconClientRefused "FALCON_CLIENT_REFUSED" Input "CrowdStrike does not know the API client.";
    FalconScopeMissing "FALCON_SCOPE_MISSING" Environment "The API client lacks a scope.";
    FalconRegionMismatch "FALCON_REGION_MISMATCH" Input "The API client belongs to another cloud.";
    FalconLockedOut "FALCON_LOCKED_OUT" Environment "CrowdStrike accepts no more sign-ins for now.";
    FalconRegistryRefused "FALCON_REGISTRY_REFUSED" Environment "CrowdStrike's registry refuses the sign-in.";
    FalconNotReachable "FALCON_NOT_REACHABLE" Upstream "CrowdStrike's API does not answer.";
    FalconAnswerInvalid "FALCON_ANSWER_INVALID" Upstream "An answer of CrowdStrike's API cannot be used.";
    FalconRequestFailed "FALCON_REQUEST_FAILED" Upstream "CrowdStrike's API refused a request.";
    FalconCustomerIdDiffers "FALCON_CUSTOMER_ID_DIFFERS" Input "The customer ID is not the API client's.";
    FalconMirrorConflict "FALCON_MIRROR_CONFLICT" Input "The sensor mirror holds something else under the sensor's tag.";
    FalconutilFailed "FALCONUTIL_FAILED" Upstream "falconutil failed.";
    FalconutilRequestRefused "FALCONUTIL_REQUEST_REFUSED" Upstream "falconutil sent a request to the engine that is not allowed.";
    FalconutilNoEffect "FALCONUTIL_NO_EFFECT" Upstream "falconutil succeeded without patching the image.";
    FalconutilResultUnexpected "FALCONUTIL_RESULT_UNEXPECTED" Upstream "The patched image is not what it must be.";
    FalconutilForeignFiles "FALCONUTIL_FOREIGN_FILES" Upstream "falconutil added files that are not of the sensor alone.";
    FalconutilChangedMore "FALCONUTIL_CHANGED_MORE" Upstream "falconutil added more to the image than is documented.";
    EcsTaskDefinitionUnreadable "ECS_TASK_DEFINITION_UNREADABLE" Input "The file holds no ECS task definition, or cannot be read.";
    EcsTaskDefinitionInvalid "ECS_TASK_DEFINITION_INVALID" Input "The ECS task definition has something that must be corrected.";
    EcsPlaceholdersLeft "ECS_PLACEHOLDERS_LEFT" Input "The ECS task definition is a template that is not filled in.";
    EcsPlaceholdersKept "ECS_PLACEHOLDERS_KEPT" Input "Texts that may be placeholders stay in the ECS task definition.";
    EcsContainerUnclear "ECS_CONTAINER_UNCLEAR" Input "Nothing tells which container of the ECS task definition runs the image.";
    EcsSensorAtRisk "ECS_SENSOR_AT_RISK" Input "Something in the ECS task definition may keep the sensor from working.";
    EcsSizeUnknown "ECS_SIZE_UNKNOWN" Input "The task is larger than Fargate was known to allow.";
    EcsSidecarPlatformMissing "ECS_SIDECAR_PLATFORM_MISSING" Input "Another container of the task has an image that is not for linux/arm64.";
    EcsOutputNotWritable "ECS_OUTPUT_NOT_WRITABLE" Input "The finished ECS task definition cannot be written.";
    EcsRegistrationRefused "ECS_REGISTRATION_REFUSED" Input "ECS does not accept the task definition.";
    EcsClusterNotFound "ECS_CLUSTER_NOT_FOUND" Input "The ECS cluster does not exist.";
    EcsServiceNotFound "ECS_SERVICE_NOT_FOUND" Input "The ECS cluster has no such service.";
    EcsServiceUnsuitable "ECS_SERVICE_UNSUITABLE" Input "The ECS service cannot be deployed to.";
    EcsServiceUnguarded "ECS_SERVICE_UNGUARDED" Input "Nothing would end a deployment whose tasks do not start.";
    EcsDeploymentFailed "ECS_DEPLOYMENT_FAILED" Input "The deployment failed.";
    EcsDeploymentRolledBack "ECS_DEPLOYMENT_ROLLED_BACK" Input "The deployment failed, and ECS rolled it back.";
    EcsDeploymentSuperseded "ECS_DEPLOYMENT_SUPERSEDED" Environment "Another deployment replaced this one.";
    EcsDeploymentTimedOut "ECS_DEPLOYMENT_TIMED_OUT" Input "The deployment was not done in time.";
    EcsDeploymentUnknown "ECS_DEPLOYMENT_UNKNOWN" Upstream "ECS does not show if the deployment began.";
    EcsDeploymentEmpty "ECS_DEPLOYMENT_EMPTY" Input "The service runs no task, so nothing was tested.";
    EcsImageDiffers "ECS_IMAGE_DIFFERS" Upstream "The running tasks report another image.";
}
