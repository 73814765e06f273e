use std::fmt;

use super::digest::Digest;
use super::ecr_host::EcrHost;
use super::tag::Tag;

/// Beginning of the advice on a name that was not found, in which [`naming`] puts the input.
const CHECK_NAME: &str = "Check the image's name";

/// The advice on a name that was not found, with the input that has the name.
#[must_use]
pub fn naming(input: &str, hint: &str) -> String {
    hint.replacen(CHECK_NAME, &format!("Check the name in `{input}`"), 1)
}

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

    /// A command of AWS's command line about this repository; none for a repository that is not in ECR.
    #[must_use]
    pub fn ecr_command(&self, operation: &str) -> Option<String> {
        let EcrHost { account, region } = self.ecr()?;
        let name = &self.name;
        Some(format!(
            "aws ecr {operation} --registry-id {account} --region {region} --repository-name {name}"
        ))
    }

    /// Advice for a user whose repository was not found.
    #[must_use]
    pub fn creation_hint(&self) -> String {
        match self.ecr_command("create-repository") {
            Some(command) => {
                format!("{CHECK_NAME}, account and region, or create the repository: `{command}`")
            }
            None => format!("{CHECK_NAME}, or create the repository `{}`", self.name),
        }
    }

    /// Advice for a user whose image was not found in this repository.
    #[must_use]
    pub fn listing_hint(&self) -> String {
        let command = match self.ecr_command("describe-images") {
            Some(command) => {
                format!("{command} --query 'imageDetails[].imageTags[]' --output text")
            }
            None => format!("crane ls {self}"),
        };
        format!("{CHECK_NAME}; the tags that are there: `{command}`")
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::{Repository, naming};

    #[test]
    fn hints_are_whole_commands_and_name_the_input() {
        let ecr = Repository::new("123456789012.dkr.ecr.eu-west-1.amazonaws.com", "app/web");
        insta::assert_snapshot!(naming("sourceImage", &ecr.listing_hint()), @"Check the name in `sourceImage`; the tags that are there: `aws ecr describe-images --registry-id 123456789012 --region eu-west-1 --repository-name app/web --query 'imageDetails[].imageTags[]' --output text`");
        insta::assert_snapshot!(naming("targetImage", &ecr.creation_hint()), @"Check the name in `targetImage`, account and region, or create the repository: `aws ecr create-repository --registry-id 123456789012 --region eu-west-1 --repository-name app/web`");
        let other = Repository::new("registry.example:5000", "app/web");
        insta::assert_snapshot!(other.listing_hint(), @"Check the image's name; the tags that are there: `crane ls registry.example:5000/app/web`");
        assert_eq!(naming("sourceImage", "Run again"), "Run again");
    }
}
