//! The actions of AWS that we call.

/// An action, by which IAM allows a call and a failure names it. Each has its cells in the table of faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(strum::VariantArray))]
pub(super) enum Action {
    GetCallerIdentity,
    AssumeRole,
    AssumeRoleWithWebIdentity,
    GetAuthorizationToken,
    DescribeRepositories,
    CreateRepository,
    GetPublicKey,
    /// Asks for a signature without one.
    DryRunOfSign,
    Sign,
    DescribeTaskDefinition,
    RegisterTaskDefinition,
    DescribeServices,
    UpdateService,
    DescribeServiceDeployments,
    ListTasks,
    DescribeTasks,
}

impl Action {
    /// The name in a policy.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::GetCallerIdentity => "sts:GetCallerIdentity",
            Self::AssumeRole => "sts:AssumeRole",
            Self::AssumeRoleWithWebIdentity => "sts:AssumeRoleWithWebIdentity",
            Self::GetAuthorizationToken => "ecr:GetAuthorizationToken",
            Self::DescribeRepositories => "ecr:DescribeRepositories",
            Self::CreateRepository => "ecr:CreateRepository",
            Self::GetPublicKey => "kms:GetPublicKey",
            Self::DryRunOfSign | Self::Sign => "kms:Sign",
            Self::DescribeTaskDefinition => "ecs:DescribeTaskDefinition",
            Self::RegisterTaskDefinition => "ecs:RegisterTaskDefinition",
            Self::DescribeServices => "ecs:DescribeServices",
            Self::UpdateService => "ecs:UpdateService",
            Self::DescribeServiceDeployments => "ecs:DescribeServiceDeployments",
            Self::ListTasks => "ecs:ListTasks",
            Self::DescribeTasks => "ecs:DescribeTasks",
        }
    }
}
