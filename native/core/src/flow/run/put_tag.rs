use super::context::Run;
use crate::domain::image::former_image::FormerImage;
use crate::domain::image::manifest::RawManifest;
use crate::domain::reference::repository::Repository;
use crate::domain::reference::tag::Tag;
use crate::flow::effect::Effect;
use crate::report::problem::Problem;

impl Run {
    /// Puts a tag on an image whose manifest the repository has, and checks that it names it.
    ///
    /// # Errors
    /// The registry refuses, does not answer, or names another image by the tag afterwards.
    pub(super) async fn put_tag(
        &self,
        repository: &Repository,
        tag: &Tag,
        manifest: &RawManifest,
        replaced: Option<&FormerImage>,
    ) -> Result<(), Problem> {
        let registry = self.services.registry().await?;
        let digest = manifest.digest();
        let begun = Effect::TagBegun {
            repository: repository.clone(),
            tag: tag.clone(),
            digest: digest.clone(),
        };
        self.effects.begin(&begun);
        if let Err(error) = registry.put_manifest(repository, tag, manifest).await {
            if error.is_refusal() {
                self.effects.withdraw(&begun);
            }
            return Err(error.into());
        }
        let pushed = Effect::TagPushed {
            repository: repository.clone(),
            tag: tag.clone(),
            digest,
            replaced: replaced.cloned(),
        };
        self.effects.complete(&begun, pushed);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::Run;
    use crate::domain::image::manifest::{OCI_MANIFEST, RawManifest};
    use crate::domain::reference::repository::Repository;
    use crate::domain::reference::tag::Tag;
    use crate::flow::effect::Effect;
    use crate::flow::run::session::Session;
    use crate::report::event::Events;
    use crate::test_support::agent::agent;
    use crate::test_support::config::config;
    use crate::test_support::loopback_registry::{LoopbackRegistry, refused};
    use crate::test_support::loopback_server::Reply;

    /// The answer to a PUT, by the number of those before it.
    type Put = fn(usize) -> Reply;

    /// The answer to everything else.
    type Read = fn() -> Reply;

    fn manifest() -> RawManifest {
        RawManifest {
            media_type: OCI_MANIFEST.to_owned(),
            bytes: b"{}".to_vec(),
        }
    }

    fn tag() -> Tag {
        "1-falcon".parse().expect("a tag")
    }

    fn begun(repository: &Repository) -> Effect {
        Effect::TagBegun {
            repository: repository.clone(),
            tag: tag(),
            digest: manifest().digest(),
        }
    }

    fn pushed(repository: &Repository) -> Effect {
        Effect::TagPushed {
            repository: repository.clone(),
            tag: tag(),
            digest: manifest().digest(),
            replaced: None,
        }
    }

    /// A tag that names an image: the one of the test, or another.
    fn named(ours: bool) -> Reply {
        let bytes: &[u8] = if ours { b"{}" } else { b"{ }" };
        let digest = crate::domain::reference::digest::Digest::of(bytes);
        let headers = [
            ("docker-content-digest", digest.as_str()),
            ("content-type", OCI_MANIFEST),
        ];
        Reply::new(200, &headers, bytes)
    }

    /// Puts a tag, until `limit`, where `put` answers the PUT of each try and `read` all that reads.
    async fn effects(
        put: Put,
        read: Read,
        limit: Duration,
        expected: fn(&Repository) -> Vec<Effect>,
    ) {
        let puts = Arc::new(AtomicUsize::new(0));
        let registry = LoopbackRegistry::start(move |received| {
            if received.line.starts_with("PUT ") {
                put(puts.fetch_add(1, Ordering::SeqCst))
            } else {
                read()
            }
        })
        .await;
        let place = tempfile::tempdir().expect("a folder");
        let session = Session::new(config(|_| ()), agent(place.path()), Events::silent());
        let mut run = Run::open(session).expect("a run");
        run.services = run.services.with(Some(registry.client.clone()), None);
        let (tag, manifest) = (tag(), manifest());
        let put = run.put_tag(&registry.repository, &tag, &manifest, None);
        // A run that is cancelled drops its work in the same way.
        let ended = tokio::time::timeout(limit, put).await;
        let expected = expected(&registry.repository);
        assert_eq!(run.effects.into_inner(), expected, "{ended:?}");
    }

    const LONG: Duration = Duration::from_secs(30);

    #[tokio::test]
    async fn a_tag_that_was_put_is_told_as_such() {
        let good = |_| refused(201);
        effects(good, || named(true), LONG, |to| vec![pushed(to)]).await;
        // The first answer is lost, so the registry refuses to put the tag again.
        let lost = |tries| {
            if tries == 0 {
                return Reply::none();
            }
            let body = r#"{"errors":[{"code":"TAG_INVALID","message":"tag is immutable"}]}"#;
            Reply::new(400, &[], body)
        };
        effects(lost, || named(true), LONG, |to| vec![pushed(to)]).await;
    }

    #[tokio::test]
    async fn a_tag_whose_put_has_no_answer_may_be_there() {
        let answers: [Put; 2] = [|_| Reply::none(), |_| refused(500)];
        for put in answers {
            effects(put, || named(false), LONG, |to| vec![begun(to)]).await;
        }
        let silent = |_| Reply::never();
        let soon = Duration::from_millis(300);
        effects(silent, || named(false), soon, |to| vec![begun(to)]).await;
    }

    #[tokio::test]
    async fn a_tag_that_was_put_and_cannot_be_seen_may_be_there() {
        let answers: [Read; 3] = [|| named(false), || refused(403), || refused(404)];
        for read in answers {
            effects(|_| refused(201), read, LONG, |to| vec![begun(to)]).await;
        }
    }

    #[tokio::test]
    async fn a_tag_that_was_refused_is_not_there() {
        let answers: [Put; 2] = [|_| refused(403), |_| refused(404)];
        for put in answers {
            effects(put, || named(false), LONG, |_| Vec::new()).await;
        }
    }
}
