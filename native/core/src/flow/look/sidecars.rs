//! Checks that the containers beside the patched one have images for ARM64, as far as public registries show it.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::timeout;

use crate::adapters::http::retry::RetryPolicy;
use crate::adapters::registry::client::Registry;
use crate::adapters::registry::credentials::cache::{Credentials, LoginFuture, LoginSource};
use crate::domain::ecs::sidecar::Sidecar;
use crate::domain::ecs::warning::Warning;
use crate::domain::platform::Platform;
use crate::domain::reference::repository::Repository;
use crate::report::code::Code;
use crate::report::event::Events;

/// Longest time that all images together may take. They are looked up side by side.
const LIMIT: Duration = Duration::from_secs(5);

/// No logins: these registries are read anonymously.
struct Anonymous;

impl LoginSource for Anonymous {
    fn fetch<'a>(&'a self, _repository: &'a Repository) -> LoginFuture<'a> {
        Box::pin(async { Ok(None) })
    }
}

/// Returns a warning for each image that is known not to be for ARM64. An image that cannot be looked up has none.
pub(super) async fn check(sidecars: &[Sidecar]) -> Vec<Warning> {
    if sidecars.is_empty() {
        return Vec::new();
    }
    let once = RetryPolicy {
        tries: 1,
        request: LIMIT,
        budget: LIMIT,
        ..RetryPolicy::default()
    };
    let credentials = Credentials::new(Anonymous, Events::silent());
    match Registry::with_policy(credentials, once) {
        Ok(registry) => look(&registry, sidecars, LIMIT).await,
        // Without certificate authorities the look at the source fails too, and reports it.
        Err(_) => Vec::new(),
    }
}

async fn look(registry: &Registry, sidecars: &[Sidecar], limit: Duration) -> Vec<Warning> {
    let looks = sidecars.iter().map(|sidecar| async move {
        let arm64 = Platform::linux_arm64();
        let resolved = registry.resolve(&sidecar.repository, &sidecar.reference, &arm64);
        // Nothing is decided by these images, so one that is not found out about is left to ECS.
        let resolved = timeout(limit, resolved).await.ok()?.ok()?;
        if resolved.platforms.is_empty() || resolved.manifest_for(&arm64).is_some() {
            return None;
        }
        let platforms = resolved.platforms.iter();
        let platforms: Vec<String> = platforms.map(|each| each.platform.to_string()).collect();
        Some(warning(sidecar, &platforms.join(", ")))
    });
    join_all(looks).await.into_iter().flatten().collect()
}

fn warning(sidecar: &Sidecar, platforms: &str) -> Warning {
    let containers: Vec<String> = sidecar
        .containers
        .iter()
        .map(|name| format!("`{name}`"))
        .collect();
    Warning {
        code: Code::EcsSidecarPlatformMissing,
        message: format!(
            "{}: the image `{}` is for {platforms}, and all containers of the task run on linux/arm64",
            containers.join(", "),
            sidecar.image
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::{Value, json};

    use super::{Sidecar, look};
    use crate::domain::image::manifest::{ManifestReference, OCI_INDEX};
    use crate::test_support::loopback_registry::{LoopbackRegistry, refused};
    use crate::test_support::loopback_server::{Received, Reply};

    fn index(architectures: &[&str]) -> Reply {
        let manifests: Vec<Value> = architectures
            .iter()
            .map(|architecture| {
                json!({"mediaType": "application/vnd.oci.image.manifest.v1+json", "size": 1,
                    "digest": format!("sha256:{}", "0".repeat(64)),
                    "platform": {"os": "linux", "architecture": architecture}})
            })
            .collect();
        let body = json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests});
        Reply::new(200, &[("content-type", OCI_INDEX)], body.to_string())
    }

    async fn warnings(
        answer: impl Fn(&Received) -> Reply + Send + Sync + 'static,
        limit: Duration,
    ) -> Vec<String> {
        let registry = LoopbackRegistry::start(answer).await;
        let sidecars = ["a", "b"].map(|tag| Sidecar {
            image: format!("public.ecr.aws/x/agent:{tag}"),
            repository: registry.repository.clone(),
            reference: ManifestReference::Tag(tag.parse().expect("a tag")),
            containers: vec![format!("{tag}1"), format!("{tag}2")],
        });
        let warnings = look(&registry.client, &sidecars, limit).await;
        warnings.into_iter().map(|each| each.message).collect()
    }

    #[tokio::test]
    async fn only_an_image_that_is_known_to_lack_arm64_is_warned_of() {
        let limit = Duration::from_secs(30);
        let said = warnings(
            |asked| {
                if asked.line.ends_with("/manifests/a") {
                    index(&["amd64", "s390x"])
                } else {
                    index(&["amd64", "arm64"])
                }
            },
            limit,
        );
        assert_eq!(
            said.await,
            [
                "`a1`, `a2`: the image `public.ecr.aws/x/agent:a` is for linux/amd64, linux/s390x, and all containers of the task run on linux/arm64"
            ]
        );
        for status in [401, 404] {
            let said = warnings(move |_| refused(status), limit).await;
            assert_eq!(said, Vec::<String>::new(), "{status}");
        }
    }

    #[tokio::test]
    async fn a_registry_that_does_not_answer_costs_no_more_than_the_limit() {
        let said = warnings(|_| Reply::never(), Duration::from_millis(50));
        assert_eq!(said.await, Vec::<String>::new());
    }
}
