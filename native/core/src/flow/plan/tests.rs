//! Plans by subject.

mod caching;
mod drawing;
mod emulation;
mod falconutil;
mod grafting;
mod later_steps;
mod native_program;
mod pulls;
mod refusals;
mod signing;
