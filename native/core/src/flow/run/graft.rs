pub mod delta;
pub mod grafted;
pub mod make;
pub mod memory;

#[cfg(test)]
mod tests;
