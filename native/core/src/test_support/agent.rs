//! An agent whose folders a test owns.

use std::path::Path;

use crate::domain::agent::{Agent, Origin};

/// An agent with a job, a temporary folder and a work folder below `place`; neither folder exists yet.
pub fn agent(place: &Path) -> Agent {
    Agent {
        identity: "agent".to_owned(),
        job: "job".to_owned(),
        temp_folder: place.join("temp"),
        work_folder: place.join("work"),
        sources_folder: None,
        in_container_job: false,
        docker_host: None,
        docker_certificates: None,
        origin: Origin::default(),
    }
}
