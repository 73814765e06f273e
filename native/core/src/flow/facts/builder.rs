/// What a buildx builder needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuilderFacts {
    /// The plugin's version.
    pub buildx: String,
    /// Whether the builder is there, made by this step or an earlier one of the job.
    pub is_made: bool,
}
