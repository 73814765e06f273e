pub mod decide;
pub mod forward;
pub mod grant;
pub mod listen;

#[cfg(test)]
mod tests;
