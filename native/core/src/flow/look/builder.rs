//! Finds the buildx plugin and the builder.

use crate::adapters::buildx::instances::{is_created, refuse_taken};
use crate::adapters::buildx::plugin::{Buildx, BuildxError};
use crate::domain::builder::{Builder, BuilderName};
use crate::flow::facts::builder::BuilderFacts;
use crate::flow::facts::fact::Fact;
use crate::flow::services::Services;

/// Finds the plugin, and refuses a name that is taken and an engine whose address buildx cannot use: it takes no
/// certificates from the environment for a builder that it stores.
pub(super) async fn look(name: &BuilderName, services: &Services) -> Fact<BuilderFacts> {
    let builder = Builder::of_job(name.clone(), services.agent());
    if let Some(engine) = services.engine().ok().filter(|engine| engine.is_by_tls()) {
        let address = engine.address();
        return Err(BuildxError::ByTls { address }.into());
    }
    refuse_taken(&builder, |name| std::env::var_os(name))?;
    let buildx = Buildx::find(|name| std::env::var_os(name))?;
    Ok(BuilderFacts {
        buildx: buildx.version().await?,
        is_made: is_created(&builder)?,
    })
}
