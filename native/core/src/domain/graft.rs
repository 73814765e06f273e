//! The pure part of grafting: the stub, and the obstacles.

pub mod obstacle;
pub mod stub;
