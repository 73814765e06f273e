pub mod failure;
pub mod fault;
pub mod reason;

#[cfg(test)]
mod tests;
