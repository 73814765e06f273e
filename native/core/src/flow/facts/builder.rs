/// The state of buildx and of the builder for later steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuilderFacts {
    /// The plugin's version.
    pub buildx: String,
    /// True if this step or an earlier one of the job has created the builder.
    pub is_made: bool,
}
