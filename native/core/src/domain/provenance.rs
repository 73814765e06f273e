pub mod option_fields;
pub mod record;
pub mod statement;

#[cfg(test)]
mod tests;
