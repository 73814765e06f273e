/// A task definition as ECS has it now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revision {
    /// Its ARN, which ends with the family and the number.
    pub arn: String,
    /// The number within its family.
    pub number: i32,
}
