//! The pure part of grafting: the stub, the obstacles, and the cache of what falconutil has answered.
//!
//! falconutil's answer to the same question is the same, so one registry keeps it for all agents: an [`entry`] holds the
//! [`question`] and the answer, with placeholders where a secret stands ([`secret_texts`]), and [`cached`] puts it on the
//! source and proves the result.

pub mod cached;
pub mod entry;
pub mod entry_document;
pub mod entry_fault;
pub mod entry_signature;
pub mod obstacle;
pub mod question;
pub mod secret_texts;
pub mod stub;
