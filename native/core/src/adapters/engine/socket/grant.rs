use crate::adapters::engine::registry_auth::RegistryAuth;
use crate::domain::reference::digest::Digest;
use crate::domain::reference::error::ReferenceError;
use crate::domain::reference::image_name::ImageName;
use crate::domain::reference::repository::Repository;
use crate::domain::reference::tag::Tag;

/// Permission of one run of falconutil.
#[derive(Clone, Debug)]
pub struct Grant {
    /// The image to patch.
    pub source: GrantedImage,
    /// The sensor image.
    pub sensor: GrantedImage,
    /// The name that the patched image gets.
    pub target: GrantedImage,
}

/// An image that falconutil may use.
#[derive(Clone, Debug)]
pub struct GrantedImage {
    name: ImageName,
    repository: Repository,
    auth: Option<RegistryAuth>,
}

impl Grant {
    /// The images that falconutil may use, under the name by which it was given them.
    pub(super) fn images(&self) -> [&GrantedImage; 3] {
        [&self.source, &self.sensor, &self.target]
    }

    /// The granted image that a client names in its own way, such as without Docker Hub's host.
    pub(super) fn image(&self, name: &str) -> Option<&GrantedImage> {
        let name = GrantedImage::new(name, None).ok()?;
        let mut images = self.images().into_iter();
        images.find(|image| image.is_same(&name))
    }

    /// The granted image that a build may take files from.
    pub(super) fn base(&self, name: &str) -> Option<&GrantedImage> {
        self.image(name)
            .filter(|image| !image.is_same(&self.target))
    }
}

impl GrantedImage {
    /// An image by the name that falconutil is given. The login is for a repository that not everyone may pull.
    pub fn new(name: &str, auth: Option<RegistryAuth>) -> Result<Self, ReferenceError> {
        let name: ImageName = name.parse()?;
        // Clients before 28 omit Docker Hub's host.
        let registry = name.registry.as_deref().unwrap_or("docker.io");
        Ok(Self {
            repository: Repository::new(registry, &name.repository),
            name,
            auth,
        })
    }

    /// The reference, written the one way that every engine reads.
    pub(super) fn reference(&self) -> String {
        match (&self.name.digest, &self.name.tag) {
            (Some(digest), _) => self.repository.at(digest),
            (None, Some(tag)) => self.repository.tagged(tag),
            (None, None) => self.repository.to_string(),
        }
    }

    /// The digest, by which alone an image is pulled.
    pub(super) fn digest(&self) -> Option<&str> {
        self.name.digest.as_ref().map(Digest::as_str)
    }

    /// The tag.
    pub(super) fn tag(&self) -> Option<&str> {
        self.name.tag.as_ref().map(Tag::as_str)
    }

    /// The repository.
    pub(super) fn repository(&self) -> &Repository {
        &self.repository
    }

    /// The login for a pull; none where no login is needed.
    pub(super) fn auth(&self) -> Option<&RegistryAuth> {
        self.auth.as_ref()
    }

    /// Returns true if both are the same image: a tag beside a digest has no meaning.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.reference() == other.reference()
    }
}

#[cfg(test)]
mod tests {
    use super::{Grant, GrantedImage};

    #[test]
    fn a_granted_image_is_found_by_each_of_its_names() {
        let digest = format!("sha256:{}", "1".repeat(64));
        let other = format!("sha256:{}", "2".repeat(64));
        let image = |name: &str| GrantedImage::new(name, None).expect(name);
        let grant = Grant {
            source: image(&format!("nginx@{digest}")),
            sensor: image(&format!("r.example/sensor@{digest}")),
            target: image("falcon-patch.invalid/1:patched"),
        };
        for (name, found) in [
            (format!("nginx@{digest}"), true),
            (format!("library/nginx@{digest}"), true),
            (format!("docker.io/library/nginx:1@{digest}"), true),
            (format!("nginx@{other}"), false),
            ("nginx".to_owned(), false),
            (format!("r.example/nginx@{digest}"), false),
            (format!("R.EXAMPLE/sensor@{digest}"), true),
            ("falcon-patch.invalid/1:patched".to_owned(), true),
            ("falcon-patch.invalid/1".to_owned(), false),
            ("falcon-patch.invalid/1:other".to_owned(), false),
            (String::new(), false),
        ] {
            assert_eq!(grant.image(&name).is_some(), found, "{name}");
        }
        assert!(grant.base("falcon-patch.invalid/1:patched").is_none());
    }
}
