//! Containers that serve until they are removed.

use std::collections::HashMap;

use bollard::models::{HostConfigLogConfig, PortBinding};
use bollard::query_parameters::LogsOptionsBuilder;
use futures_util::StreamExt as _;

use super::spec::{ContainerEnd, ContainerSpec, body};
use crate::adapters::engine::client::Engine;
use crate::adapters::engine::error::failure::EngineError;

/// The lines of a container that failed that are looked at.
const LINES: &str = "10";

/// Bytes of them that are looked at.
const LINES_BYTES: usize = 64 * 1024;

/// Only this machine reaches what a container of ours serves.
const LOOPBACK: &str = "127.0.0.1";

impl Engine {
    /// Starts a container whose `port` is then served on a port of this machine's loopback interface that the engine
    /// chooses among the free ones. As with [`Engine::run`], the caller sees to its removal.
    pub async fn serve(&self, spec: &ContainerSpec, port: u16) -> Result<(), EngineError> {
        let inside = inside(port);
        let mut body = body(spec);
        body.exposed_ports = Some(vec![inside.clone()]);
        body.attach_stdout = Some(false);
        body.attach_stderr = Some(false);
        if let Some(host) = &mut body.host_config {
            let free = PortBinding {
                host_ip: Some(LOOPBACK.to_owned()),
                host_port: None,
            };
            host.port_bindings = Some(HashMap::from([(inside.clone(), Some(vec![free]))]));
            // Nobody listens to it, so its lines are kept for the case that it fails.
            host.log_config = Some(HostConfigLogConfig {
                typ: Some("json-file".to_owned()),
                config: None,
            });
        }
        self.create(spec, body).await?;
        let what = || format!("Cannot run a container of `{}`", spec.image);
        let started = self.docker.start_container(&spec.name, None).await;
        started.map_err(|error| self.failed(what(), error))?;
        Ok(())
    }

    /// The port of this machine under which `port` of a container is served; none once it has ended.
    pub async fn published(
        &self,
        spec: &ContainerSpec,
        port: u16,
    ) -> Result<Option<u16>, EngineError> {
        let what = || format!("Cannot look at the container of `{}`", spec.image);
        let answer = self.inspect_container(&spec.name, what).await?;
        let published = &answer["NetworkSettings"]["Ports"][inside(port)][0]["HostPort"];
        Ok(published.as_str().and_then(|port| port.parse().ok()))
    }

    /// End of a container that should serve; none if it still runs.
    pub async fn ended(&self, spec: &ContainerSpec) -> Result<Option<ContainerEnd>, EngineError> {
        let what = || format!("Cannot look at the container of `{}`", spec.image);
        let answer = self.inspect_container(&spec.name, what).await?;
        let state = &answer["State"];
        if state["Running"] == true {
            return Ok(None);
        }
        let options = LogsOptionsBuilder::default()
            .stdout(true)
            .stderr(true)
            .tail(LINES)
            .build();
        let mut logs = self.docker.logs(&spec.name, Some(options));
        let mut last_lines = Vec::new();
        // Its lines only explain; what cannot be read is left out.
        while let Some(Ok(piece)) = logs.next().await {
            last_lines.push(piece.to_string().trim_end().to_owned());
            if last_lines.iter().map(String::len).sum::<usize>() > LINES_BYTES {
                break;
            }
        }
        Ok(Some(ContainerEnd {
            exit_code: state["ExitCode"].as_i64().unwrap_or(-1),
            oom_killed: state["OOMKilled"] == true,
            last_lines,
        }))
    }

    async fn inspect_container(
        &self,
        name: &str,
        what: impl Fn() -> String,
    ) -> Result<serde_json::Value, EngineError> {
        let answer = self.wire.get(&format!("/containers/{name}/json")).await;
        answer.map_err(|fault| self.failed(what(), fault))
    }
}

/// The engine's name for a port of a container.
fn inside(port: u16) -> String {
    format!("{port}/tcp")
}
