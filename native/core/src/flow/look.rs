pub mod builder;
pub mod ecs;
pub mod gather;
pub mod images;
pub mod sensor;
pub mod target;
pub mod verify;
