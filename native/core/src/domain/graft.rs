pub mod assemble;
pub mod layer;
pub mod obstacle;
pub mod packed_layer;
pub mod stub;
