//! The command line of falconutil, and what its output tells.
//!
//! falconutil is closed; the flags are those that `CrowdStrike`'s own actions and scripts use
//! (<https://github.com/CrowdStrike/falconutil-action>). Its output is shown to people and never
//! decides anything: what counts is the image found afterwards.

use super::options::FalconOptions;

/// Images that one run of falconutil works on.
#[derive(Clone, Debug)]
pub struct PatchCommand<'a> {
    /// The source, by digest or by a name of ours in the engine.
    pub source: &'a str,
    /// The name that the patched image gets in the engine.
    pub target: &'a str,
    /// The sensor image for linux/arm64, by digest.
    pub sensor: &'a str,
    /// True if this falconutil knows `--platform`.
    pub knows_platform: bool,
}

impl PatchCommand<'_> {
    /// The arguments of the container; they hold the customer ID, which leaves no other way.
    #[must_use]
    pub fn arguments(&self, options: &FalconOptions) -> Vec<String> {
        let mut arguments = vec!["falconutil".to_owned(), "patch-image".to_owned()];
        let mut flag = |name: &str, value: &str| {
            arguments.extend([format!("--{name}"), value.to_owned()]);
        };
        flag("source-image-uri", self.source);
        flag("target-image-uri", self.target);
        flag("falcon-image-uri", self.sensor);
        flag("cid", options.customer_id.reveal());
        flag("image-pull-policy", "IfNotPresent");
        if let Some(service) = &options.cloud_service {
            flag("cloud-service", service);
        }
        if let Some(name) = &options.container_name {
            flag("container", name);
        }
        if self.knows_platform {
            flag("platform", "linux/arm64");
        }
        if let Some(falconctl) = &options.falconctl_options {
            // The value starts with dashes, so only the form with `=` cannot be taken for a flag.
            arguments.push(format!("--falconctl-opts={}", falconctl.reveal()));
        }
        arguments
    }
}

/// The arguments that make falconutil tell its flags.
#[must_use]
pub fn help_arguments() -> Vec<String> {
    ["falconutil", "patch-image", "--help"]
        .map(str::to_owned)
        .to_vec()
}

/// Returns true if a help text lists `--platform`.
#[must_use]
pub fn help_names_platform(lines: &[String]) -> bool {
    let is_flag = |word: &str| {
        let word = word.trim_matches(|c: char| !c.is_ascii_alphanumeric() && c != '-');
        matches!(word, "--platform" | "-platform")
    };
    lines.iter().any(|line| {
        line.split([' ', '\t', '=', ',', '[', ']', '(', ')'])
            .any(is_flag)
    })
}

#[cfg(test)]
mod tests {
    use super::{PatchCommand, help_names_platform};
    use crate::domain::falcon::options::FalconOptions;
    use crate::report::secret::Secret;

    fn options() -> FalconOptions {
        FalconOptions {
            customer_id: "0123456789abcdef0123456789abcdef-12".parse().unwrap(),
            cloud_service: Some("ECS_FARGATE".to_owned()),
            container_name: None,
            falconctl_options: None,
        }
    }

    #[test]
    fn the_command_names_what_was_asked_for_and_nothing_else() {
        let command = PatchCommand {
            source: "r/app@sha256:1",
            target: "t:1",
            sensor: "r/sensor@sha256:2",
            knows_platform: true,
        };
        insta::assert_snapshot!(command.arguments(&options()).join(" "), @"falconutil patch-image --source-image-uri r/app@sha256:1 --target-image-uri t:1 --falcon-image-uri r/sensor@sha256:2 --cid 0123456789abcdef0123456789abcdef-12 --image-pull-policy IfNotPresent --cloud-service ECS_FARGATE --platform linux/arm64");
        let all = FalconOptions {
            cloud_service: None,
            container_name: Some("web".to_owned()),
            falconctl_options: Some(Secret::new("--tags=a,b --billing=metered")),
            ..options()
        };
        let command = PatchCommand {
            knows_platform: false,
            ..command
        };
        insta::assert_snapshot!(command.arguments(&all)[8..].join(" "), @"--cid 0123456789abcdef0123456789abcdef-12 --image-pull-policy IfNotPresent --container web --falconctl-opts=--tags=a,b --billing=metered");
    }

    #[test]
    fn only_the_flag_itself_counts_as_knowing_the_platform() {
        for (line, knows) in [
            ("      --platform string   Platform of the images", true),
            ("  -platform=string", true),
            (
                "Usage: falconutil patch-image [--platform linux/arm64]",
                true,
            ),
            (
                "      --cid string        the platform's customer ID",
                false,
            ),
            ("      --platform-version string", false),
        ] {
            assert_eq!(help_names_platform(&[line.to_owned()]), knows, "{line}");
        }
    }
}
