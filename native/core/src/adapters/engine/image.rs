//! Images that the engine has.

use bollard::query_parameters::{RemoveImageOptionsBuilder, TagImageOptionsBuilder};
use serde_json::Value;

use super::client::Engine;
use super::error::failure::EngineError;
use super::error::fault::Fault;
use super::error::reason::Reason;
use crate::domain::engine::EngineImage;
use crate::domain::platform::Platform;

/// What came of removing an image's name.
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
            Err(Fault::Told {
                status: Some(404), ..
            }) => Ok(None),
            Err(fault) => Err(self.failed(format!("Cannot inspect the image `{name}`"), fault)),
        }
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

/// The platforms of the manifests that are really there; an index often lists more than was pulled, and
/// attestations beside them.
pub fn held(answer: &Value) -> Vec<Platform> {
    let mut held = Vec::new();
    for manifest in answer["Manifests"].as_array().into_iter().flatten() {
        let is_image = manifest["Kind"] == "image" && manifest["Available"] == true;
        let described = &manifest["ImageData"]["Platform"];
        let platform = platform(described, "os", "architecture", "variant");
        if let Some(platform) = platform.filter(|p| is_image && !held.contains(p)) {
            held.push(platform);
        }
    }
    held
}

pub fn platform(value: &Value, os: &str, architecture: &str, variant: &str) -> Option<Platform> {
    let text = |field: &str| value[field].as_str().filter(|text| !text.is_empty());
    Some(Platform::new(text(os)?, text(architecture)?, text(variant)))
}

#[cfg(test)]
mod tests {
    use crate::domain::engine::EngineImage;
    use serde_json::{Value, json};

    fn manifest(kind: &str, available: bool, architecture: &str) -> Value {
        json!({"Kind": kind, "Available": available, "ImageData": {"Platform": {"os": "linux", "architecture": architecture}}})
    }

    #[test]
    fn platforms_of_an_image() {
        let arm64 = json!({"Os": "linux", "Architecture": "arm64", "Variant": "v8"});
        let empty = json!({"Os": "", "Architecture": ""});
        for (mut answer, manifests, described, held) in [
            (arm64.clone(), Value::Null, "linux/arm64", "linux/arm64"),
            (
                arm64.clone(),
                json!([manifest("image", true, "arm64"), {"Kind": "attestation", "Available": true}]),
                "linux/arm64",
                "linux/arm64",
            ),
            (
                arm64,
                json!([
                    manifest("image", true, "amd64"),
                    manifest("image", true, "arm64")
                ]),
                "linux/arm64",
                "linux/amd64 linux/arm64",
            ),
            (
                empty.clone(),
                json!([
                    manifest("image", false, "amd64"),
                    manifest("image", true, "arm64")
                ]),
                "linux/arm64",
                "linux/arm64",
            ),
            (empty, Value::Null, "unknown/unknown", "unknown/unknown"),
        ] {
            answer["Manifests"] = manifests;
            let image = EngineImage::of(&answer);
            assert_eq!(image.platform.to_string(), described, "{answer}");
            let platforms: Vec<_> = image.platforms.iter().map(ToString::to_string).collect();
            assert_eq!(platforms.join(" "), held, "{answer}");
        }
    }

    #[test]
    fn fields_of_the_configuration_that_nobody_knows_stay() {
        let answer = json!({
            "Id": "sha256:1", "Os": "linux", "Architecture": "arm64", "Size": 7,
            "Config": {"Cmd": ["a"], "FromTheFuture": {"x": 1}},
            "RootFS": {"Type": "layers", "Layers": ["sha256:2", "sha256:3"]},
            "RepoTags": ["r@sha256:4"], "RepoDigests": ["r@sha256:4", "r@sha256:4"],
        });
        let image = EngineImage::of(&answer);
        assert_eq!(image.config["FromTheFuture"]["x"], 1);
        assert_eq!(image.diff_ids, ["sha256:2", "sha256:3"]);
        assert!(image.repo_tags.is_empty());
        assert_eq!((image.size, image.repo_digests.len()), (7, 1));
    }
}
