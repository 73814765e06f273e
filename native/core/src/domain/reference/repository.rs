use std::fmt;

use super::digest::Digest;
use super::ecr_host::EcrHost;
use super::tag::Tag;

/// A repository in a registry.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Repository {
    /// The registry's host, with its port if it has one.
    pub registry: String,
    /// The name within the registry, such as `app/web`.
    pub name: String,
}

impl Repository {
    /// The reference of an image in this repository by its digest, the form used from resolution on.
    #[must_use]
    pub fn at(&self, digest: &Digest) -> String {
        format!("{self}@{digest}")
    }

    /// The reference of an image in this repository by a tag.
    #[must_use]
    pub fn tagged(&self, tag: &Tag) -> String {
        format!("{self}:{tag}")
    }

    /// The registry as one of ECR's, if it is one.
    #[must_use]
    pub fn ecr(&self) -> Option<EcrHost> {
        EcrHost::parse(&self.registry)
    }

    /// Advice for a user whose repository was not found.
    #[must_use]
    pub fn creation_hint(&self) -> String {
        let name = &self.name;
        match self.ecr() {
            Some(host) => format!(
                "Check the name, account and region, or create it: `aws ecr create-repository --registry-id {} --region {} --repository-name {name}`",
                host.account, host.region
            ),
            None => format!("Check the name `{name}`, or create the repository"),
        }
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.name)
    }
}
