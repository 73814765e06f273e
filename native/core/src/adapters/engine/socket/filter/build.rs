//! The parameters of a build.

use url::form_urlencoded;

use super::build_arguments;
use super::call::{ApiVersion, Call, versioned};
use crate::adapters::engine::socket::grant::Grant;

/// The file of a context that holds the instructions.
pub(super) const DOCKERFILE: &str = "Dockerfile";

/// A build of the target, whose context is still to be read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Build {
    version: Option<ApiVersion>,
    /// The file of the client's context that holds the instructions.
    pub(super) dockerfile: String,
    no_cache: bool,
    arguments: Option<String>,
}

impl Build {
    /// Reads the parameters.
    ///
    /// # Errors
    /// The reason why such a build is refused.
    pub(super) fn read(call: Call, grant: &Grant) -> Result<Self, String> {
        let mut parameters = call.parameters;
        match parameters.take("version")?.as_deref() {
            Some("2") => {}
            _ => return Err("it is not a build with BuildKit (`version=2`)".to_owned()),
        }
        let target = parameters.take("t")?.unwrap_or_default();
        let target = grant.image(&target);
        if !target.is_some_and(|image| image.is_same(&grant.target)) {
            return Err("its name `t` is not the one of the patched image".to_owned());
        }
        allow_only(
            "platform",
            parameters.take("platform")?,
            &["linux/arm64", "linux/arm64/v8"],
        )?;
        allow_only(
            "networkmode",
            parameters.take("networkmode")?,
            &["none", "bridge"],
        )?;
        // These three have one meaning for the result, whatever their value.
        for name in ["q", "rm", "forcerm"] {
            parameters.take_switch(name)?;
        }
        let no_cache = parameters.take_switch("nocache")?;
        let arguments = parameters.take("buildargs")?;
        let arguments = arguments.map(|json| build_arguments::rewrite(&json));
        let dockerfile = parameters.take("dockerfile")?;
        parameters.take("buildid")?;
        parameters.finish()?;
        Ok(Self {
            version: call.version,
            dockerfile: dockerfile.unwrap_or_else(|| DOCKERFILE.to_owned()),
            no_cache,
            arguments: arguments.transpose()?,
        })
    }

    /// The path and query of the build that the engine gets.
    pub(super) fn target(&self, grant: &Grant) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query
            .append_pair("version", "2")
            .append_pair("t", &grant.target.reference())
            .append_pair("dockerfile", DOCKERFILE)
            .append_pair("platform", "linux/arm64")
            .append_pair("networkmode", "none")
            .append_pair("rm", "1");
        if self.no_cache {
            query.append_pair("nocache", "1");
        }
        if let Some(arguments) = &self.arguments {
            query.append_pair("buildargs", arguments);
        }
        format!("{}?{}", versioned(self.version, "/build"), query.finish())
    }
}

fn allow_only(name: &str, value: Option<String>, allowed: &[&str]) -> Result<(), String> {
    match value {
        Some(value) if !allowed.contains(&value.as_str()) => {
            Err(format!("the parameter `{name}` is not `{}`", allowed[0]))
        }
        _ => Ok(()),
    }
}
