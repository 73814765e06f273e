//! A registry with an issuer of tokens, and clients for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{quick, serve_image};
use crate::adapters::registry::client::Registry;
use crate::adapters::registry::credentials::cache::{Credentials, LoginFuture, LoginSource};
use crate::domain::reference::repository::Repository;
use crate::domain::registry_login::RegistryLogin;
use crate::report::event::Events;
use crate::report::secret::Secret;
use crate::test_support::loopback_server::{LoopbackServer, Received, Reply};

/// Has the same sign-in for every registry on this machine.
pub(super) struct Holding(pub(super) Option<RegistryLogin>);

impl LoginSource for Holding {
    fn fetch<'a>(&'a self, repository: &'a Repository) -> LoginFuture<'a> {
        Box::pin(async move {
            Ok(self
                .0
                .clone()
                .filter(|_| repository.registry.starts_with("127.")))
        })
    }
}

pub(super) fn password() -> RegistryLogin {
    RegistryLogin::password("ci", Secret::new("hunter2"))
}

pub(super) const BASIC: &str = "Basic Y2k6aHVudGVyMg==";

pub(super) fn client(sign_in: Option<RegistryLogin>, events: Events) -> Registry {
    let credentials = Credentials::new(Holding(sign_in), events);
    Registry::with_policy(credentials, quick()).expect("a client")
}

pub(super) fn repository(host: String) -> Repository {
    Repository {
        registry: host,
        name: "app/web".to_owned(),
    }
}

/// A registry that lets in requests with the token that its own issuer gave last.
pub(super) async fn with_tokens(life: &'static str) -> LoopbackServer {
    let issued = Arc::new(AtomicUsize::new(0));
    LoopbackServer::start(move |received, _| {
        let host = received.header("host").unwrap_or_default().to_owned();
        if received.line.contains(" /token") {
            let nth = issued.fetch_add(1, Ordering::SeqCst) + 1;
            let body = format!(r#"{{"token":"token-{nth}"{life}}}"#);
            return Reply::new(200, &[], body);
        }
        let good = format!("Bearer token-{}", issued.load(Ordering::SeqCst));
        if received.header("authorization") == Some(good.as_str()) {
            return serve_image(received);
        }
        let realm = format!(r#"Bearer realm="http://{host}/token?a=b",service="reg.example",scope="repository:app/web:pull,push""#);
        Reply::new(401, &[("www-authenticate", &realm)], "")
    })
    .await
}

pub(super) fn tokens_bought(server: &LoopbackServer) -> Vec<Received> {
    let all = server.received().into_iter();
    all.filter(|received| received.line.contains(" /token"))
        .collect()
}
