use std::time::Duration;

/// Time until an engine must have begun its answer to a request that bollard sends.
pub(super) const ANSWER_LIMIT: Duration = Duration::from_mins(2);
