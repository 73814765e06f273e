use crate::domain::falcon::version::SensorVersion;
use crate::domain::image::sensor_files::answer::{Absence, Obstacle};
use crate::report::cause::Cause;
use crate::report::code::Code;
use crate::report::problem::Explain;

/// The label that may name the sensor of an image without provenance. It is a claim of the image's author: falconutil
/// leaves no trace of the version.
pub const SENSOR_VERSION_LABEL: &str = "falcon.sensor.version";

/// The reason to refuse an image.
#[derive(Debug, thiserror::Error)]
pub(super) enum VerifyError {
    #[error("The target image `{name}` is not for linux/arm64")]
    Platform {
        name: String,
        #[source]
        why: Cause,
    },
    #[error("`{name}` is not patched with the Falcon sensor")]
    NotPatched {
        name: String,
        #[source]
        why: Cause,
    },
    #[error("`{name}` is not `{of}` with the Falcon sensor")]
    SourceDiffers {
        name: String,
        of: String,
        #[source]
        why: Cause,
    },
    #[error("The sensor in `{name}` is {version}, and `minimumSensorVersion` is {minimum}")]
    TooOld {
        name: String,
        version: SensorVersion,
        minimum: SensorVersion,
    },
    #[error(
        "The version of the sensor in `{name}` is unknown, and `minimumSensorVersion` is {minimum}"
    )]
    VersionUnknown {
        name: String,
        minimum: SensorVersion,
        #[source]
        why: Cause,
    },
    #[error("No trusted key has signed a record of `{name}`")]
    NotSigned {
        name: String,
        #[source]
        why: Cause,
    },
    #[error("`{name}` has the marks of the Falcon sensor, and not its files")]
    SensorFilesMissing {
        name: String,
        #[source]
        why: Absence,
    },
    #[error("Nothing shows that `{name}` has the files of the Falcon sensor")]
    SensorFilesUnknown {
        name: String,
        #[source]
        why: Obstacle,
    },
}

impl Explain for VerifyError {
    fn code(&self) -> Code {
        match self {
            Self::Platform { .. } => Code::RegistryPlatformMissing,
            Self::NotPatched { .. } => Code::FalconNotPatched,
            Self::SourceDiffers { .. } => Code::FalconSourceDiffers,
            Self::TooOld { .. } => Code::FalconSensorTooOld,
            Self::VersionUnknown { .. } => Code::FalconSensorVersionUnknown,
            Self::NotSigned { .. } => Code::FalconRecordNotSigned,
            Self::SensorFilesMissing { .. } => Code::FalconSensorFilesMissing,
            Self::SensorFilesUnknown { .. } => Code::FalconSensorFilesUnknown,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Platform { .. } => "Set `targetImage` to the image that `action: patch` pushed, which is for linux/arm64".to_owned(),
            Self::NotPatched { .. } => "Patch the image with `action: patch`, and set `targetImage` here to the image that it pushed".to_owned(),
            Self::SourceDiffers { .. } => "Set `sourceImage` to the image that was patched, best by its digest, or patch this one again".to_owned(),
            Self::TooOld { minimum, .. } => format!("Patch the source again with a sensor of {minimum} or later (`sensorImage`, or `sensorVersion`)"),
            Self::VersionUnknown { .. } => format!("Patch the image with `action: patch`, which records the sensor's version beside the image; or build the source with the label `{SENSOR_VERSION_LABEL}`, which patching keeps"),
            Self::NotSigned { .. } => "Patch the image with `action: patch` and `signingKey`; after a change of key, add the former key to `trustedKeys`".to_owned(),
            Self::SensorFilesMissing { .. } => "Patch the source again with `action: patch`, as the last change of the image, and verify what that pushed".to_owned(),
            Self::SensorFilesUnknown { .. } => "Patch as the last change of the image, so that the layer of the sensor is on top".to_owned(),
        })
    }
}
