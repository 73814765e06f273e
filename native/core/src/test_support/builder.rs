//! A builder of a job, and an environment for buildx.

use std::ffi::OsString;
use std::path::Path;

use crate::domain::agent::{Agent, Origin};
use crate::domain::builder::Builder;

pub fn builder(temp: &Path, name: &str) -> Builder {
    let agent = Agent {
        identity: "agent".to_owned(),
        job: "job".to_owned(),
        temp_folder: temp.to_owned(),
        work_folder: temp.to_owned(),
        in_container_job: false,
        docker_host: None,
        origin: Origin::default(),
    };
    Builder::of_job(name.parse().expect("a name"), &agent)
}

/// An environment of one variable.
pub fn only<'a>(name: &'a str, value: &'a Path) -> impl Fn(&str) -> Option<OsString> + 'a {
    move |asked| (asked == name).then(|| value.as_os_str().to_owned())
}
