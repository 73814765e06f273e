use super::revision::Revision;

/// A task definition as ECS describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisteredDefinition {
    /// Its revision.
    pub revision: Revision,
    /// True if a service can still be set to it.
    pub is_active: bool,
    /// The answer's body, byte for byte.
    pub answer: Vec<u8>,
}
