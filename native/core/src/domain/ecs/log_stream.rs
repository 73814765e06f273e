//! The places of the containers' logs in `CloudWatch`.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::field::container_names;
use super::field::containers;

/// The log group and the prefix of the streams of each container that uses the log driver `awslogs`
/// (<https://docs.aws.amazon.com/AmazonECS/latest/developerguide/specify-log-config.html>).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogStreams(HashMap<String, (String, Option<String>)>);

impl LogStreams {
    /// Reads them from a task definition.
    pub(super) fn read(input: &Map<String, Value>) -> Self {
        let containers = containers(input);
        let streams = container_names(input).filter_map(|(nth, name)| {
            let configuration = &containers[nth]["logConfiguration"];
            if configuration["logDriver"] != "awslogs" {
                return None;
            }
            let option = |name: &str| configuration["options"][name].as_str().map(str::to_owned);
            let place = (option("awslogs-group")?, option("awslogs-stream-prefix"));
            Some((name.to_owned(), place))
        });
        Self(streams.collect())
    }

    /// Returns the line that says where a container of a task logs.
    pub(super) fn of(&self, container: &str, task: &str) -> Option<String> {
        let (group, prefix) = self.0.get(container)?;
        Some(match prefix {
            Some(prefix) => {
                format!("its log: group `{group}`, stream `{prefix}/{container}/{task}`")
            }
            None => format!("its log: group `{group}`"),
        })
    }
}
