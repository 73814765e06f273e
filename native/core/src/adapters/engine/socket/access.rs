/// Access of the sensor's container to the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// The requests that patching needs, each made anew; all others are refused.
    Filtered,
    /// Every request.
    Direct,
}
