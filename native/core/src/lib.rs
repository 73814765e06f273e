//! Patches ARM64 container images with the CrowdStrike Falcon sensor.
