//! The pure part of grafting: the stub, the layer written anew, the assembled image.

pub mod assemble;
pub mod layer;
pub mod obstacle;
pub mod packed_layer;
pub mod stub;
