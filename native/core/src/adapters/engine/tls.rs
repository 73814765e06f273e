//! TLS to an engine: the files that `DOCKER_CERT_PATH` names, and the faults of a connection.

pub mod fault;
pub mod files;
