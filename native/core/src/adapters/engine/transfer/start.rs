//! Pulls, which report their way and their failures as lines of JSON.

use http_body_util::BodyExt as _;
use url::form_urlencoded::Serializer;

use super::follow;
use super::follow::{Ending, Follower};
use crate::adapters::engine::client::Engine;
use crate::adapters::engine::error::failure::EngineError;
use crate::adapters::engine::error::fault::Fault;
use crate::adapters::engine::registry_auth::RegistryAuth;
use crate::adapters::engine::wire::EngineResponse;
use crate::domain::reference::digest::Digest;
use crate::domain::reference::repository::Repository;
use crate::report::event::StepEvents;

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
        let mut follower = Follower::new(events);
        match self.stream(&path, auth, &mut follower).await {
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

    /// Starts a transfer and follows it to its end.
    async fn stream(
        &self,
        path: &str,
        auth: Option<&RegistryAuth>,
        follower: &mut Follower<'_>,
    ) -> Ending {
        // Without a sign-in the engine wants an empty one.
        let header = auth.map_or_else(|| "e30=".to_owned(), RegistryAuth::header);
        let transfer = async {
            let start = self.wire.post(path, Some(&header));
            let answer = match follower.limited(start).await {
                Ok(Ok(answer)) => answer,
                Ok(Err(fault)) | Err(fault) => return Ending::Failed(fault),
            };
            read(answer, follower).await
        };
        tokio::time::timeout(follow::DEADLINE, transfer)
            .await
            .unwrap_or(Ending::Failed(Fault::TimedOut(follow::DEADLINE)))
    }
}

async fn read(answer: EngineResponse, follower: &mut Follower<'_>) -> Ending {
    let mut body = answer.into_body();
    loop {
        let frame = match follower.limited(body.frame()).await {
            Ok(Some(Ok(frame))) => frame,
            Ok(Some(Err(error))) => return Ending::CutShort(Fault::broken(error)),
            Ok(None) => return follower.finish(),
            Err(fault) => return Ending::CutShort(fault),
        };
        let bytes = frame.into_data().unwrap_or_default();
        if let Err(fault) = follower.take(&bytes) {
            return Ending::Failed(fault);
        }
    }
}
