/// Identity that AWS takes us for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallerIdentity {
    /// The twelve digits of the account.
    pub account: String,
    /// The user or role.
    pub arn: String,
}
