//! A server for tests that says whatever a test has it say, byte for byte.
