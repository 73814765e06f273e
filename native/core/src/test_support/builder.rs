//! A builder of a job, and an environment for buildx.

use std::ffi::OsString;
use std::path::Path;

use super::agent::agent;
use crate::domain::agent::Agent;
use crate::domain::builder::Builder;

pub fn builder(temp: &Path, name: &str) -> Builder {
    let agent = Agent {
        temp_folder: temp.to_owned(),
        ..agent(temp)
    };
    Builder::of_job(name.parse().expect("a name"), &agent)
}

/// An environment of one variable.
pub fn only<'a>(name: &'a str, value: &'a Path) -> impl Fn(&str) -> Option<OsString> + 'a {
    move |asked| (asked == name).then(|| value.as_os_str().to_owned())
}
