//! Finds the buildx plugin and the builder.

use crate::adapters::buildx::instances::{is_created, refuse_taken};
use crate::adapters::buildx::plugin::Buildx;
use crate::domain::agent::Agent;
use crate::domain::builder::{Builder, BuilderName};
use crate::flow::facts::builder::BuilderFacts;
use crate::flow::facts::fact::Fact;

/// Finds the plugin, and refuses a name that is taken.
pub(super) async fn look(name: &BuilderName, agent: &Agent) -> Fact<BuilderFacts> {
    let builder = Builder::of_job(name.clone(), agent);
    refuse_taken(&builder, |name| std::env::var_os(name))?;
    let buildx = Buildx::find(|name| std::env::var_os(name))?;
    Ok(BuilderFacts {
        buildx: buildx.version().await?,
        is_made: is_created(&builder)?,
    })
}
