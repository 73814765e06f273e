//! What there is for making a buildx builder.

use super::{BuilderFacts, Fact};
use crate::builder::{Builder, BuilderName, Buildx};
use crate::config::Agent;

/// Looks for the plugin, and whether the name is free.
pub(super) async fn look(name: &BuilderName, agent: &Agent) -> Fact<BuilderFacts> {
    let builder = Builder::of_job(name.clone(), agent);
    builder.refuse_taken(|name| std::env::var_os(name))?;
    let buildx = Buildx::find(|name| std::env::var_os(name))?;
    Ok(BuilderFacts {
        buildx: buildx.version().await?,
        is_made: builder.is_made(),
    })
}
