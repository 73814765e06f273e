//! The agent's Docker Engine: what it is, its images, its containers.
//!
//! bollard speaks for us wherever its types hold what is needed. Three things go over [`wire`] instead: facts and
//! image inspection, because a typed answer drops fields it does not know (and the API of a newer engine has some);
//! pull and push, because bollard 0.21's types hold neither the layer's id, nor `aux`, nor `error`, and because its
//! line decoder turns some successful streams into errors (<https://github.com/fussybeaver/bollard/issues/560>).

use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;

use tokio::sync::RwLock;

use super::address::Address;
use super::error::failure::EngineError;
use super::error::fault::Fault;
use super::limits::ANSWER_LIMIT;
use super::wire;
use super::wire::Wire;

/// Settings to reach the agent's engine.
#[derive(Clone, Debug, Default)]
pub struct EngineSettings {
    /// `DOCKER_HOST` as the agent passes it; none or empty means the default socket.
    pub docker_host: Option<String>,
    /// Folder of `ca.pem`, `cert.pem` and `key.pem`; none where the environment asks for no TLS.
    pub docker_certificates: Option<PathBuf>,
    /// True if the job itself runs in a container, where the default socket is usually absent.
    pub in_container_job: bool,
}

/// The agent's Docker Engine; cheap to clone.
#[derive(Clone)]
pub struct Engine {
    pub(super) wire: Wire,
    pub(super) docker: bollard::Docker,
    in_container_job: bool,
    /// Held for reading while a container is being created, for writing before one is removed: see [`super::container::lifecycle`].
    pub(super) creating: Arc<RwLock<()>>,
}

impl Engine {
    /// Takes the engine's address; nothing is sent yet.
    pub fn connect(settings: &EngineSettings) -> Result<Self, EngineError> {
        let address = Address::parse(
            settings.docker_host.as_deref(),
            settings.docker_certificates.as_deref(),
        )?;
        let wire = Wire::new(address);
        let transport = wire.clone();
        let send = move |mut request: bollard::BollardRequest| -> Pin<
            Box<dyn Future<Output = Result<wire::EngineResponse, bollard::errors::Error>> + Send>,
        > {
            let wire = transport.clone();
            unversioned(request.uri_mut());
            Box::pin(async move { wire.send(request).await.map_err(Into::into) })
        };
        let docker = bollard::Docker::connect_with_custom_transport(
            send,
            Some("http://localhost"),
            ANSWER_LIMIT.as_secs(),
            bollard::API_DEFAULT_VERSION,
        )
        .map_err(|error| EngineError::Request {
            what: "Cannot prepare the connection to the Docker Engine".to_owned(),
            source: Fault::from(error).into_refusal(),
        })?;
        Ok(Self {
            wire,
            docker,
            in_container_job: settings.in_container_job,
            creating: Arc::default(),
        })
    }

    /// The engine's socket, if it is reached by one.
    #[must_use]
    pub fn socket(&self) -> Option<&Path> {
        self.wire.address().socket()
    }

    /// Address where the engine listens, as `DOCKER_HOST` says it.
    #[must_use]
    pub fn address(&self) -> String {
        self.wire.address().to_string()
    }

    /// True if the engine is reached by TLS.
    #[must_use]
    pub fn is_by_tls(&self) -> bool {
        self.wire.address().is_by_tls()
    }

    /// A fault of some request as the error that a user sees; `what` says what could not be done.
    pub(super) fn failed(&self, what: impl Into<String>, fault: impl Into<Fault>) -> EngineError {
        let address = self.wire.address().to_string();
        match fault.into() {
            Fault::Connect(error) => {
                EngineError::not_connected(address, error, self.in_container_job)
            }
            Fault::Tls(source) => EngineError::Tls { address, source },
            other => EngineError::Request {
                what: what.into(),
                source: other.into_refusal(),
            },
        }
    }
}

/// Removes the version of the API from a request's path. An engine answers a request without one with its own version,
/// so neither an older nor a newer engine refuses it.
fn unversioned(uri: &mut hyper::Uri) {
    let rest = uri.path_and_query().and_then(|path| {
        let (version, rest) = path.as_str().strip_prefix("/v1.")?.split_once('/')?;
        let is_version = !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit());
        is_version.then(|| format!("/{rest}"))
    });
    if let Some(Ok(rest)) = rest.map(|rest| rest.parse()) {
        *uri = rest;
    }
}

#[cfg(test)]
mod tests {
    use super::{Engine, EngineSettings, unversioned};
    use crate::adapters::engine::registry_auth::RegistryAuth;
    use crate::report::secret::Secret;

    #[test]
    fn connecting_sends_nothing_so_an_absent_socket_is_no_error_yet() {
        let settings = EngineSettings {
            docker_host: Some("unix:///does/not/exist.sock".to_owned()),
            ..EngineSettings::default()
        };
        let engine = Engine::connect(&settings).expect("an address is enough");
        assert_eq!(
            engine.socket().and_then(|path| path.to_str()),
            Some("/does/not/exist.sock")
        );
    }

    #[test]
    fn no_request_names_a_version_of_the_api() {
        for (sent, expected) in [
            (
                "http://localhost/v1.53/containers/create?name=a",
                "/containers/create?name=a",
            ),
            ("/v1.53/images/v1.2/app/json", "/images/v1.2/app/json"),
            ("/volumes/v1.2", "/volumes/v1.2"),
            ("/v1.x/info", "/v1.x/info"),
        ] {
            let mut uri = sent.parse().expect("a URI");
            unversioned(&mut uri);
            assert_eq!(uri, expected);
        }
    }

    #[test]
    fn the_sign_in_is_hidden_in_debug_and_url_safe_in_the_header() {
        let auth = RegistryAuth {
            username: Some("AWS".to_owned()),
            password: Secret::new("??>>~~"),
            registry: "localhost".to_owned(),
        };
        assert!(!format!("{auth:?}").contains("??>>"));
        assert!(!auth.header().contains(['+', '/']));
    }
}
