use crate::report::problem::Problem;

/// Something that was looked up; a look-up that failed is a fact too, and the plan decides whether it matters.
pub type Fact<T> = Result<T, Problem>;
