pub mod attestation;
pub mod bundle;
pub mod key;
mod key_kind;
pub mod known_records;
pub mod option_fields;
mod predicate;
pub mod record;
pub mod signed_record;
pub mod statement;

#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod tests;
