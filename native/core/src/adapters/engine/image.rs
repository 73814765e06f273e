//! Images that the engine has.

use bollard::query_parameters::{RemoveImageOptionsBuilder, TagImageOptionsBuilder};

use super::client::Engine;
use super::error::failure::EngineError;
use super::error::fault::Fault;
use super::error::reason::Reason;
use crate::domain::engine::{EngineImage, HistoryEntry};

/// Result of removing an image's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Removal {
    /// The name is gone, and with the last name the image.
    Removed,
    /// There was no such name.
    Absent,
    /// It was left alone because something uses it.
    InUse {
        /// The engine's own words.
        message: String,
    },
}

impl Engine {
    /// Looks an image up by a reference or an id; none if the engine has no such image.
    pub async fn image(&self, name: &str) -> Result<Option<EngineImage>, EngineError> {
        // Engines that do not know `manifests` (API 1.48) ignore it.
        match self
            .wire
            .get(&format!("/images/{name}/json?manifests=true"))
            .await
        {
            Ok(answer) => Ok(Some(EngineImage::of(&answer))),
            Err(Fault::Refused {
                status: Some(404), ..
            }) => Ok(None),
            Err(fault) => Err(self.failed(format!("Cannot inspect the image `{name}`"), fault)),
        }
    }

    /// Returns true if the engine has an image and its content.
    pub async fn holds(&self, name: &str) -> Result<bool, EngineError> {
        let image = self.image(name).await?;
        Ok(image.is_some_and(|image| image.is_whole))
    }

    /// Lists the steps of an image's build, the newest first.
    pub(crate) async fn history(&self, name: &str) -> Result<Vec<HistoryEntry>, EngineError> {
        let what = || format!("Cannot read the history of the image `{name}`");
        let answer = self.wire.get(&format!("/images/{name}/history")).await;
        let answer = answer.map_err(|fault| self.failed(what(), fault))?;
        let entries = answer.as_array().and_then(|list| {
            let entries = list.iter().map(|entry| {
                Some(HistoryEntry {
                    created_by: entry["CreatedBy"].as_str().unwrap_or_default().to_owned(),
                    size: entry["Size"].as_u64()?,
                })
            });
            entries.collect()
        });
        entries.ok_or_else(|| self.failed(what(), Fault::broken("it is not a list of steps")))
    }

    /// Gives an image one more name.
    pub async fn tag(&self, image: &str, repository: &str, tag: &str) -> Result<(), EngineError> {
        let options = TagImageOptionsBuilder::default()
            .repo(repository)
            .tag(tag)
            .build();
        self.docker
            .tag_image(image, Some(options))
            .await
            .map_err(|error| {
                let what = format!("Cannot tag `{image}` as `{repository}:{tag}`");
                self.failed(what, error)
            })
    }

    /// Removes a name, and the image with its last one.
    ///
    /// Never forced, so that an image in use by a container stays; never by id, because that would take names of
    /// others along. `noprune` keeps the untagged parents: with the classic builder they are somebody's build
    /// cache. Beware of one thing in the classic store: with the last tag of an image in a repository its digest
    /// references in that same repository go too, so a name of ours belongs in a repository of ours.
    pub async fn remove_image(&self, name: &str) -> Result<Removal, EngineError> {
        let options = RemoveImageOptionsBuilder::default()
            .force(false)
            .noprune(true)
            .build();
        let removed = self.docker.remove_image(name, Some(options), None).await;
        let Err(error) = removed else {
            return Ok(Removal::Removed);
        };
        let error = self.failed(format!("Cannot remove the image `{name}`"), error);
        match error {
            EngineError::Request { source, .. } if source.reason == Reason::Conflict => {
                Ok(Removal::InUse {
                    message: source.message,
                })
            }
            EngineError::Request { ref source, .. } if source.reason == Reason::NotFound => {
                Ok(Removal::Absent)
            }
            other => Err(other),
        }
    }
}
