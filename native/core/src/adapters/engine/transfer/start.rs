//! Pull and push, which report their way and their failures as lines of JSON.

use http_body_util::BodyExt as _;
use url::form_urlencoded::Serializer;

use super::follow;
use super::follow::{Ending, Follower};
use super::message::Message;
use super::progress::Direction;
use crate::adapters::engine::client::Engine;
use crate::adapters::engine::error::failure::EngineError;
use crate::adapters::engine::error::fault::Fault;
use crate::adapters::engine::registry_auth::RegistryAuth;
use crate::adapters::engine::wire::EngineResponse;
use crate::domain::reference::digest::Digest;
use crate::domain::reference::repository::Repository;
use crate::domain::reference::tag::Tag;
use crate::report::event::StepEvents;

/// The one platform that is pushed, so that the containerd store never sends an index
/// (<https://github.com/moby/moby/issues/51532>). Engines before API 1.46 ignore it.
const PUSHED_PLATFORM: &str = r#"{"os":"linux","architecture":"arm64"}"#;

impl Engine {
    /// Pulls an image by its digest, which is the same image on either store, and looks at what is there then.
    pub async fn pull(
        &self,
        repository: &Repository,
        digest: &Digest,
        auth: Option<&RegistryAuth>,
        events: &StepEvents,
    ) -> Result<(), EngineError> {
        let image = repository.at(digest);
        let query = Serializer::new(String::new())
            .append_pair("fromImage", &repository.to_string())
            .append_pair("tag", digest.as_str())
            .finish();
        let path = format!("/images/create?{query}");
        let fail = |fault| match self.failed("", fault) {
            EngineError::Request { source, .. } => EngineError::Pull {
                image: image.clone(),
                source,
            },
            other => other,
        };
        let mut follower = Follower::new(Direction::Pull, events);
        match self.stream(&path, auth, &mut follower, |_| ()).await {
            Ending::Complete if self.holds(&image).await? => Ok(()),
            Ending::Complete => Err(EngineError::Incomplete { image }),
            Ending::Failed(fault) => Err(fail(fault)),
            // The engine goes on to the end in some of these cases, so what counts is whether the image is there.
            Ending::CutShort(fault) => match self.holds(&image).await {
                Ok(true) => Ok(()),
                _ => Err(fail(fault)),
            },
        }
    }

    /// Pushes an image under a tag that the engine has for it, and returns the digest that the engine reports.
    ///
    /// `None` does not mean that the push failed, since the stream may have been cut short afterwards. The caller must
    /// ask the registry in any case.
    pub async fn push(
        &self,
        repository: &Repository,
        tag: &Tag,
        auth: Option<&RegistryAuth>,
        events: &StepEvents,
    ) -> Result<Option<Digest>, EngineError> {
        let query = Serializer::new(String::new())
            .append_pair("tag", tag.as_str())
            .append_pair("platform", PUSHED_PLATFORM)
            .finish();
        let path = format!("/images/{repository}/push?{query}");
        let mut digest = None;
        let mut follower = Follower::new(Direction::Push, events);
        let ending = self
            .stream(&path, auth, &mut follower, |message| {
                digest = message.pushed_digest().or(digest.take());
            })
            .await;
        match ending {
            Ending::Complete => Ok(digest),
            Ending::CutShort(_) if digest.is_some() => Ok(digest),
            Ending::Failed(fault) | Ending::CutShort(fault) => Err(match self.failed("", fault) {
                EngineError::Request { source, .. } => EngineError::Push {
                    image: repository.tagged(tag),
                    source,
                },
                other => other,
            }),
        }
    }

    /// Starts a transfer and follows it to its end.
    async fn stream(
        &self,
        path: &str,
        auth: Option<&RegistryAuth>,
        follower: &mut Follower<'_>,
        mut on_message: impl FnMut(&Message),
    ) -> Ending {
        // The engine decodes the header on every push; without a sign-in it wants an empty one.
        let header = auth.map_or_else(|| "e30=".to_owned(), RegistryAuth::header);
        let transfer = async {
            let start = self.wire.post(path, Some(&header));
            let answer = match follower.limited(start).await {
                Ok(Ok(answer)) => answer,
                Ok(Err(fault)) | Err(fault) => return Ending::Failed(fault),
            };
            read(answer, follower, &mut on_message).await
        };
        tokio::time::timeout(follow::DEADLINE, transfer)
            .await
            .unwrap_or(Ending::Failed(Fault::TimedOut(follow::DEADLINE)))
    }
}

async fn read(
    answer: EngineResponse,
    follower: &mut Follower<'_>,
    on_message: &mut impl FnMut(&Message),
) -> Ending {
    let mut body = answer.into_body();
    loop {
        let frame = match follower.limited(body.frame()).await {
            Ok(Some(Ok(frame))) => frame,
            Ok(Some(Err(error))) => return Ending::CutShort(Fault::broken(error)),
            Ok(None) => return follower.finish(on_message),
            Err(fault) => return Ending::CutShort(fault),
        };
        let bytes = frame.into_data().unwrap_or_default();
        if let Err(fault) = follower.take(&bytes, on_message) {
            return Ending::Failed(fault);
        }
    }
}
