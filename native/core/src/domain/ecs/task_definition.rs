//! ECS task definitions: the patched image is put in, and what Fargate and the sensor need is ensured.
//!
//! Everything here is a pure edit of JSON, so the order of the fields survives, and so do fields that ECS learned
//! after this was written. The result is what `aws ecs register-task-definition --cli-input-json` takes.

use serde_json::{Map, Value};

use super::findings::{Findings, Origin};
use super::log_stream::LogStreams;
use super::sidecar::{self, Sidecar};
use super::unfilled::{self, Extent};
use super::warning::Warning;
use super::{
    container, dependencies, equivalence, fargate, form, limits, references, role, size, types,
};
use super::{field, unsupported};
use crate::report::problem::Problem;

/// A task definition that is right but for the image, which is known only after the push.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskDefinition {
    /// The family, of which registering makes a new revision.
    pub family: String,
    /// The name of the container that gets the image.
    pub container: String,
    /// Changes beside the image, a phrase each.
    pub changes: Vec<String>,
    /// Parts that are used as they are, and that may not work.
    pub warnings: Vec<Warning>,
    /// The input of ECS's `RegisterTaskDefinition`.
    input: Map<String, Value>,
    /// Index of the container that gets the image.
    nth: usize,
}

/// Requirements for a file.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted<'a> {
    /// The container that gets the image; it may be left out where there is only one.
    pub container: Option<&'a str>,
    /// True if ECS gets it next; until then another step may fill in what is missing.
    pub is_registered: bool,
    /// The origin of the definition, for messages.
    pub origin: Origin,
}

impl TaskDefinition {
    /// Reads a file's content and corrects what can be corrected.
    ///
    /// # Errors
    /// One problem that lists everything in the file that a person must correct.
    pub fn read(bytes: &[u8], wanted: Wanted) -> Result<Self, Problem> {
        let mut findings = Findings::default();
        let read = Self::correct(&mut findings, bytes, wanted);
        let (changes, warnings) = findings.into_result(wanted.origin)?;
        let Some(read) = read else {
            unreachable!("what is missing has been noted as a problem")
        };
        Ok(Self {
            changes,
            warnings,
            ..read
        })
    }

    fn correct(findings: &mut Findings, bytes: &[u8], wanted: Wanted) -> Option<Self> {
        let mut input = form::read(findings, bytes, wanted.origin)?;
        types::correct(findings, &mut input);
        let chosen = container::choose(findings, &input, wanted.container);
        let extent = Extent {
            chosen,
            is_registered: wanted.is_registered,
        };
        unfilled::check(findings, &input, extent);
        let family = fargate::family(findings, &input);
        fargate::correct(findings, &mut input);
        role::check(findings, &input);
        let size = size::check(findings, &input);
        limits::check(findings, &input, size);
        unsupported::check(findings, &input);
        references::check(findings, &input);
        dependencies::check(findings, &input);
        if let (Some(chosen), true) = (chosen, wanted.is_registered) {
            demand_images(findings, &input, chosen);
        }
        let nth = chosen?;
        let container = container::correct(findings, &mut input, nth)?;
        Some(Self {
            family: family?,
            container,
            changes: Vec::new(),
            warnings: Vec::new(),
            input,
            nth,
        })
    }

    /// Returns the finished document with `image` in its place, as JSON for people.
    #[must_use]
    pub fn with_image(&self, image: &str) -> String {
        format!("{:#}\n", Value::Object(self.finished(image)))
    }

    /// Returns true if `registered`, an answer of `DescribeTaskDefinition`, is this definition with `image` in it.
    #[must_use]
    pub fn is_registered_as(&self, registered: &[u8], image: &str) -> bool {
        equivalence::is_same(&self.finished(image), registered)
    }

    /// Returns the places of the containers' logs.
    #[must_use]
    pub fn log_streams(&self) -> LogStreams {
        LogStreams::read(&self.input)
    }

    fn finished(&self, image: &str) -> Map<String, Value> {
        let mut input = self.input.clone();
        input[field::CONTAINERS][self.nth]["image"] = Value::from(image);
        input
    }

    /// Returns the images of the other containers that are in public registries.
    #[must_use]
    pub fn public_sidecars(&self) -> Vec<Sidecar> {
        sidecar::public(&self.input, self.nth)
    }
}

/// Refuses containers without an image, apart from the one that gets it.
fn demand_images(findings: &mut Findings, input: &Map<String, Value>, chosen: usize) {
    for (nth, container) in field::containers(input).iter().enumerate() {
        if nth != chosen && container.is_object() && container.get("image").is_none() {
            let path = format!("{}.image", field::container_path(nth));
            findings.refuse(path, "is missing: each container needs an image");
        }
    }
}
