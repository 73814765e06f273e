//! Volumes.

use bollard::query_parameters::RemoveVolumeOptions;

use super::client::Engine;
use super::error::failure::EngineError;
use super::error::reason::Reason;

impl Engine {
    /// Removes a volume by name, and tells whether there was one; a container that uses it keeps it.
    pub async fn remove_volume(&self, name: &str) -> Result<bool, EngineError> {
        let removed = self
            .docker
            .remove_volume(name, None::<RemoveVolumeOptions>)
            .await;
        let Err(error) = removed else {
            return Ok(true);
        };
        let error = self.failed(format!("Cannot remove the volume `{name}`"), error);
        match error.reason() {
            Some(Reason::NotFound) => Ok(false),
            _ => Err(error),
        }
    }
}
