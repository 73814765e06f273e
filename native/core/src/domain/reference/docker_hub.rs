//! Docker Hub, whose registry answers under another name than references have.

use super::repository::Repository;

/// The name in references (<https://pkg.go.dev/github.com/distribution/reference>).
const NAME: &str = "docker.io";

/// The host that answers.
const ENDPOINT: &str = "registry-1.docker.io";

impl Repository {
    /// A repository as a reference with a registry names it.
    ///
    /// Docker Hub goes by one of its names here, and an image without a name space is one of its
    /// official ones.
    #[must_use]
    pub fn new(registry: &str, name: &str) -> Self {
        if !is_docker_hub(registry) {
            return Self {
                registry: registry.to_owned(),
                name: name.to_owned(),
            };
        }
        let name = if name.contains('/') {
            name.to_owned()
        } else {
            format!("library/{name}")
        };
        Self {
            registry: NAME.to_owned(),
            name,
        }
    }

    /// The host, with its port if it has one, that answers for the registry.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        if is_docker_hub(&self.registry) {
            ENDPOINT
        } else {
            &self.registry
        }
    }
}

/// Returns true if a host is one of Docker Hub's names.
pub fn is_docker_hub(host: &str) -> bool {
    matches!(host, NAME | "index.docker.io" | ENDPOINT)
}

#[cfg(test)]
mod tests {
    use crate::domain::reference::repository::Repository;

    #[test]
    fn docker_hub_has_one_name_and_official_images_their_name_space() {
        for (registry, name, expected, endpoint) in [
            (
                "docker.io",
                "nginx",
                "docker.io/library/nginx",
                "registry-1.docker.io",
            ),
            (
                "index.docker.io",
                "team/web",
                "docker.io/team/web",
                "registry-1.docker.io",
            ),
            ("ghcr.io", "web", "ghcr.io/web", "ghcr.io"),
        ] {
            let repository = Repository::new(registry, name);
            assert_eq!(repository.to_string(), expected);
            assert_eq!(repository.endpoint(), endpoint);
        }
    }
}
