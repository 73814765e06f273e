//! Real messages and what is made of them.
