//! Platforms as OCI images and the engine name them.

use std::fmt;

/// An operating system and an architecture, such as `linux/arm64`.
///
/// `linux/arm64` and `linux/arm64/v8` are one platform: `v8` is the only variant that the
/// architecture has had, and builders write it or leave it out
/// (<https://github.com/containerd/platforms>, `normalizeArch`).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Platform {
    os: String,
    architecture: String,
    variant: Option<String>,
}

impl Platform {
    /// The platform with the variant in its normal form.
    #[must_use]
    pub fn new(os: &str, architecture: &str, variant: Option<&str>) -> Self {
        let architecture = match architecture {
            "aarch64" => "arm64",
            "x86_64" => "amd64",
            other => other,
        };
        let variant = variant.filter(|v| !v.is_empty() && (architecture, *v) != ("arm64", "v8"));
        Self {
            os: os.to_owned(),
            architecture: architecture.to_owned(),
            variant: variant.map(str::to_owned),
        }
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

    #[test]
    fn arm64_with_and_without_v8_is_one_platform() {
        assert_eq!(
            Platform::new("linux", "arm64", Some("v8")),
            Platform::linux_arm64()
        );
        assert_eq!(Platform::linux("aarch64").to_string(), "linux/arm64");
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
