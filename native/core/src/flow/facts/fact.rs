use crate::report::problem::Problem;

/// The result of a look-up. A look-up that failed is a fact too, and the plan decides whether it matters.
pub type Fact<T> = Result<T, Problem>;
