//! Engines that cannot be reached.

use std::io;

use crate::adapters::engine::error::failure::EngineError;
use crate::report::code::Code;
use crate::report::problem::Explain as _;

#[test]
fn connections_that_fail() {
    for (kind, in_container_job, code, hint) in [
        (
            io::ErrorKind::NotFound,
            false,
            Code::EngineNotReachable,
            "systemctl",
        ),
        (
            io::ErrorKind::NotFound,
            true,
            Code::EngineInContainerJob,
            "mapDockerSocket: true",
        ),
        (
            io::ErrorKind::ConnectionRefused,
            true,
            Code::EngineNotReachable,
            "systemctl",
        ),
        (
            io::ErrorKind::PermissionDenied,
            false,
            Code::EngineNotPermitted,
            "sudo usermod -aG docker",
        ),
    ] {
        let address = "unix:///var/run/docker.sock".to_owned();
        let error = EngineError::not_connected(address, kind.into(), in_container_job);
        assert_eq!(error.code(), code, "{kind}");
        assert!(
            error.hint().is_some_and(|text| text.contains(hint)),
            "{kind}"
        );
    }
}
