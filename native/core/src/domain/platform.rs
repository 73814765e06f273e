//! Platforms as OCI images and the engine name them.

use std::fmt;

use serde_json::Value;

/// An operating system and an architecture, such as `linux/arm64`.
///
/// The parts are in the form that containerd gives them (`normalizeOS` and `normalizeArch` of
/// <https://github.com/containerd/platforms>), so `linux/arm64`, `linux/arm64/v8` and `Linux/aarch64/8` are one
/// platform.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Platform {
    os: String,
    architecture: String,
    variant: Option<String>,
}

impl Platform {
    /// The platform with its parts in their normal form.
    #[must_use]
    pub fn new(os: &str, architecture: &str, variant: Option<&str>) -> Self {
        let os = os.to_ascii_lowercase();
        let architecture = architecture.to_ascii_lowercase();
        let variant = variant.unwrap_or_default().to_ascii_lowercase();
        let (architecture, variant) = normal(&architecture, &variant);
        Self {
            os: if os == "macos" {
                "darwin".to_owned()
            } else {
                os
            },
            architecture: architecture.to_owned(),
            variant: (!variant.is_empty()).then(|| variant.to_owned()),
        }
    }

    /// The platform that JSON names: a configuration, or the field `platform` of an index; none if it lacks operating
    /// system or architecture.
    #[must_use]
    pub fn named_in(json: &Value) -> Option<Self> {
        let field = |name: &str| json.get(name)?.as_str();
        let (os, architecture) = (field("os")?, field("architecture")?);
        if os.is_empty() || architecture.is_empty() {
            return None;
        }
        Some(Self::new(os, architecture, field("variant")))
    }

    /// The platform of AWS Fargate ARM64.
    #[must_use]
    pub fn linux_arm64() -> Self {
        Self::new("linux", "arm64", None)
    }

    /// Linux on the architecture that an engine reports, such as `x86_64` or `aarch64`.
    #[must_use]
    pub fn linux(architecture: &str) -> Self {
        Self::new("linux", architecture, None)
    }

    /// Returns true if this is a platform at all; attestation manifests carry `unknown/unknown`.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.os != "unknown" && self.architecture != "unknown"
    }
}

/// Architecture and variant as containerd writes them.
fn normal<'a>(architecture: &'a str, variant: &'a str) -> (&'a str, &'a str) {
    match (architecture, variant) {
        ("i386", _) => ("386", ""),
        ("x86_64" | "x86-64" | "amd64", "v1") => ("amd64", ""),
        ("x86_64" | "x86-64", variant) => ("amd64", variant),
        ("aarch64" | "arm64", "8" | "v8" | "8.0" | "v8.0") => ("arm64", ""),
        ("aarch64" | "arm64", "9" | "9.0" | "v9.0") => ("arm64", "v9"),
        ("aarch64", variant) => ("arm64", variant),
        ("armhf", _) | ("arm", "" | "7") => ("arm", "v7"),
        ("armel", _) | ("arm", "6") => ("arm", "v6"),
        ("arm", "5") => ("arm", "v5"),
        ("arm", "8") => ("arm", "v8"),
        other => other,
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        match &self.variant {
            Some(variant) => write!(f, "/{variant}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Platform;
    use serde_json::json;

    #[test]
    fn arm64_with_and_without_v8_is_one_platform() {
        assert_eq!(
            Platform::new("linux", "arm64", Some("v8")),
            Platform::linux_arm64()
        );
        assert_eq!(Platform::linux("aarch64").to_string(), "linux/arm64");
    }

    #[test]
    fn parts_are_normalised_as_containerd_does() {
        for (os, architecture, variant, expected) in [
            ("linux", "arm64", Some("8"), "linux/arm64"),
            ("Linux", "ARM64", None, "linux/arm64"),
            ("linux", "aarch64", Some("V8"), "linux/arm64"),
            ("linux", "arm64", Some(""), "linux/arm64"),
            ("linux", "arm64", Some("v9"), "linux/arm64/v9"),
            ("linux", "X86_64", Some("v1"), "linux/amd64"),
            ("linux", "x86-64", None, "linux/amd64"),
            ("linux", "amd64", Some("v2"), "linux/amd64/v2"),
            ("linux", "i386", Some("x"), "linux/386"),
            ("linux", "armhf", None, "linux/arm/v7"),
            ("linux", "arm", None, "linux/arm/v7"),
            ("linux", "armel", Some("v5"), "linux/arm/v6"),
            ("macOS", "arm64", None, "darwin/arm64"),
        ] {
            let platform = Platform::new(os, architecture, variant);
            assert_eq!(platform.to_string(), expected);
        }
    }

    #[test]
    fn a_platform_needs_operating_system_and_architecture() {
        let arm64 = json!({"os": "linux", "architecture": "arm64", "variant": "v8"});
        assert_eq!(Platform::named_in(&arm64), Some(Platform::linux_arm64()));
        for json in [
            json!({"os": "", "architecture": "arm64"}),
            json!({"architecture": "arm64"}),
            json!({"os": "linux", "architecture": 64}),
            json!({}),
            json!(null),
        ] {
            assert_eq!(Platform::named_in(&json), None, "{json}");
        }
    }

    #[test]
    fn other_variants_stay_apart() {
        assert_ne!(
            Platform::new("linux", "arm", Some("v7")),
            Platform::new("linux", "arm", Some("v6"))
        );
    }

    #[test]
    fn an_attestation_is_no_platform() {
        assert!(!Platform::new("unknown", "unknown", None).is_known());
    }
}
