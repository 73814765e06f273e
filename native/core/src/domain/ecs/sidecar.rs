//! Images of the containers beside the patched one, as far as anyone may read them.

use serde_json::{Map, Value};

use super::field::containers;
use crate::domain::image::manifest::ManifestReference;
use crate::domain::reference::docker_hub::is_docker_hub;
use crate::domain::reference::image_name::ImageName;
use crate::domain::reference::repository::Repository;

/// Public registries that give images to anonymous clients, apart from Docker Hub.
const PUBLIC: [&str; 6] = [
    "gcr.io",
    "ghcr.io",
    "mcr.microsoft.com",
    "public.ecr.aws",
    "quay.io",
    "registry.k8s.io",
];

/// The image of a container beside the patched one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sidecar {
    /// The image as the definition names it.
    pub image: String,
    /// Its repository.
    pub repository: Repository,
    /// Its digest, or else its tag.
    pub reference: ManifestReference,
    /// The names of the containers that run it.
    pub containers: Vec<String>,
}

/// Lists the images of public registries beside that of container `nth`, each once.
pub(super) fn public(input: &Map<String, Value>, nth: usize) -> Vec<Sidecar> {
    let mut all: Vec<Sidecar> = Vec::new();
    for (other, container) in containers(input).iter().enumerate() {
        let (Some(image), Some(name)) = (container["image"].as_str(), container["name"].as_str())
        else {
            continue;
        };
        if other == nth {
            continue;
        }
        if let Some(known) = all.iter_mut().find(|known| known.image == image) {
            known.containers.push(name.to_owned());
        } else if let Some((repository, reference)) = parse(image) {
            all.push(Sidecar {
                image: image.to_owned(),
                repository,
                reference,
                containers: vec![name.to_owned()],
            });
        }
    }
    all
}

/// Reads an image as ECS does: without a registry it is Docker Hub's, and without a tag it is `latest`.
fn parse(image: &str) -> Option<(Repository, ManifestReference)> {
    let name: ImageName = image.parse().ok()?;
    let registry = name.registry.as_deref().unwrap_or("docker.io");
    if !is_docker_hub(registry) && !PUBLIC.contains(&registry) {
        return None;
    }
    let reference = match (name.digest, name.tag) {
        (Some(digest), _) => ManifestReference::Digest(digest),
        (None, Some(tag)) => ManifestReference::Tag(tag),
        (None, None) => ManifestReference::Tag("latest".parse().ok()?),
    };
    Some((Repository::new(registry, &name.repository), reference))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::public;

    #[test]
    fn images_of_public_registries_are_listed_once_each() {
        let input = json!({"containerDefinitions": [
            {"name": "web", "image": "nginx"},
            {"name": "proxy", "image": "nginx"},
            {"name": "envoy", "image": "envoyproxy/envoy:v1.30"},
            {"name": "log_router", "image": "public.ecr.aws/aws-observability/aws-for-fluent-bit:stable"},
            {"name": "log_router_2", "image": "public.ecr.aws/aws-observability/aws-for-fluent-bit:stable"},
            {"name": "own", "image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/app/agent:1"},
            {"name": "private", "image": "registry.example.com/agent:1"},
            {"name": "no_image"},
            {"name": "no_name_of_an_image", "image": "#{IMAGE}#"},
        ]});
        let listed: Vec<(String, Vec<String>)> = public(input.as_object().expect("an object"), 0)
            .into_iter()
            .map(|sidecar| (sidecar.repository.to_string(), sidecar.containers))
            .collect();
        let expected = [
            ("docker.io/library/nginx", vec!["proxy"]),
            ("docker.io/envoyproxy/envoy", vec!["envoy"]),
            (
                "public.ecr.aws/aws-observability/aws-for-fluent-bit",
                vec!["log_router", "log_router_2"],
            ),
        ];
        let expected = expected.map(|(repository, containers)| {
            let containers = containers.into_iter().map(str::to_owned).collect();
            (repository.to_owned(), containers)
        });
        assert_eq!(listed, expected);
    }
}
