pub mod read;
pub mod role;
pub mod sign_in;

#[cfg(test)]
mod tests;
