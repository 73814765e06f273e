//! A registry on the loopback server, and a client that tries again without long waits.

use std::time::Duration;

use super::loopback_server::{LoopbackServer, Received, Reply};
use crate::adapters::http::retry::RetryPolicy;
use crate::adapters::registry::client::Registry;
use crate::adapters::registry::credentials::cache::{Credentials, LoginFuture, LoginSource};
use crate::domain::reference::repository::Repository;
use crate::report::event::Events;

/// A registry, and a client without a login.
pub struct LoopbackRegistry {
    pub(crate) client: Registry,
    pub(crate) repository: Repository,
    /// It answers until it is dropped.
    _server: LoopbackServer,
}

impl LoopbackRegistry {
    /// Starts a registry that gives these answers.
    pub(crate) async fn start(answer: impl Fn(&Received) -> Reply + Send + Sync + 'static) -> Self {
        let server = LoopbackServer::start(move |received, _| answer(received)).await;
        let policy = RetryPolicy {
            first_wait: Duration::from_millis(1),
            longest_wait: Duration::from_millis(4),
            ..RetryPolicy::default()
        };
        let credentials = Credentials::new(NoLogins, Events::silent());
        Self {
            client: Registry::with_policy(credentials, policy).expect("a client"),
            repository: Repository {
                registry: server.host(),
                name: "app/web".to_owned(),
            },
            _server: server,
        }
    }
}

/// A refusal with an empty body.
pub fn refused(status: u16) -> Reply {
    Reply::new(status, &[], "")
}

struct NoLogins;

impl LoginSource for NoLogins {
    fn fetch<'a>(&'a self, _repository: &'a Repository) -> LoginFuture<'a> {
        Box::pin(async { Ok(None) })
    }
}
