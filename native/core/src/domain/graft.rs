pub mod assemble;
pub mod layer;
pub mod obstacle;
pub mod stub;
