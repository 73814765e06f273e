//! The access that the sensor's container gets to the engine.

use std::path::Path;

use crate::domain::engine::{Mountable, PATHS_NOT_SHARED};
use crate::flow::config::patch::{EngineAccess, PatchConfig};
use crate::flow::facts::patch::Facts;
use crate::report::code::Code;
use crate::report::problem::Problem;

/// The path at which falconutil looks for the engine, and at which most engines listen.
pub const ENGINE_SOCKET: &str = "/var/run/docker.sock";

/// The engine's own socket on the engine's side, where the engine cannot mount one of the task's; none where it can.
///
/// An engine that did not answer is asked again by the mount itself: a doubt gives the container no more access.
#[must_use]
pub fn engine_socket(facts: &Facts) -> Option<&Path> {
    let mounts = facts.mounts.as_ref()?;
    let socket = mounts.engine_socket.as_deref();
    (mounts.agent_folder == Mountable::No).then(|| socket.unwrap_or(Path::new(ENGINE_SOCKET)))
}

/// The problem that requests cannot be filtered although they are to be; none where they can.
#[must_use]
pub fn unfiltered(config: &PatchConfig, facts: &Facts) -> Option<Problem> {
    if config.engine_access == EngineAccess::Direct {
        return None;
    }
    engine_socket(facts)?;
    Some(Problem {
        code: Code::EngineAccessUnfiltered,
        what: "The sensor container's requests to the engine cannot be filtered".to_owned(),
        why: vec!["the engine cannot mount the agent's folders, so the container can get no socket but the engine's own".to_owned()],
        hint: Some(format!("{PATHS_NOT_SHARED}. If you trust the sensor image with the whole engine, set `engineAccess: direct`")),
    })
}

#[cfg(test)]
mod tests {
    use super::{engine_socket, unfiltered};
    use crate::domain::engine::{EngineMounts, Mountable};
    use crate::flow::facts::patch::Facts;
    use crate::report::code::Code;
    use crate::test_support::config::config;
    use crate::test_support::facts::facts;

    fn with(agent_folder: Mountable, socket: Option<&str>) -> Facts {
        let mut facts = facts();
        facts.mounts = Some(EngineMounts {
            agent_folder,
            engine_socket: socket.map(Into::into),
        });
        facts
    }

    #[test]
    fn the_engines_own_socket_is_used_only_where_no_other_can_be_mounted() {
        let no = Mountable::No;
        for (agent_folder, socket, expected) in [
            (Mountable::Yes, Some("/run/docker.sock"), None),
            (
                Mountable::Unknown(String::new()),
                Some("/run/docker.sock"),
                None,
            ),
            (
                no.clone(),
                Some("/run/docker.sock"),
                Some("/run/docker.sock"),
            ),
            (no, None, Some("/var/run/docker.sock")),
        ] {
            let facts = with(agent_folder, socket);
            let seen = engine_socket(&facts).and_then(|path| path.to_str());
            assert_eq!(seen, expected);
            for (access, has_problem) in [
                ("auto", expected.is_some()),
                ("filtered", expected.is_some()),
                ("direct", false),
            ] {
                let config = config(|i| i.engine_access = access.into());
                let problem = unfiltered(&config, &facts);
                assert_eq!(problem.is_some(), has_problem, "{access}");
                assert!(problem.is_none_or(|p| p.code == Code::EngineAccessUnfiltered));
            }
        }
    }
}
