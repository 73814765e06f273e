//! ECS task definitions: the patched image is put in, and what Fargate and the sensor need is ensured.
//!
//! Everything here is a pure edit of JSON, so the order of the fields survives, and so do fields that ECS learned
//! after this was written. What comes out is what `aws ecs register-task-definition --cli-input-json` takes.

use serde_json::Value;

use super::findings::Findings;
use super::{container, fargate, form, placeholder};
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
    /// Things that may keep the sensor from working, a sentence each.
    pub warnings: Vec<String>,
    /// The input of ECS's `RegisterTaskDefinition`.
    input: Value,
    /// Index of the container that gets the image.
    nth: usize,
}

/// Requirements for a file.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted<'a> {
    /// The container that gets the image; it may be left out where there is only one.
    pub container: Option<&'a str>,
    /// True if ECS gets it next; until then another step may fill in the images of the other containers.
    pub is_registered: bool,
}

impl TaskDefinition {
    /// Reads a file's content and corrects what can be corrected.
    ///
    /// # Errors
    /// One problem that tells everything in the file that a person has to correct.
    pub fn read(text: &str, wanted: Wanted) -> Result<Self, Problem> {
        let mut findings = Findings::default();
        let read = Self::correct(&mut findings, text, wanted);
        let (changes, warnings) = findings.into_result()?;
        let Some(read) = read else {
            unreachable!("what is missing has been noted as a problem")
        };
        Ok(Self {
            changes,
            warnings,
            ..read
        })
    }

    fn correct(findings: &mut Findings, text: &str, wanted: Wanted) -> Option<Self> {
        let mut input = form::read(findings, text)?;
        let chosen = container::choose(findings, &input, wanted.container);
        placeholder::check(findings, &input, |nth| {
            wanted.is_registered && chosen.is_some_and(|chosen| chosen != nth)
        });
        let family = fargate::family(findings, &input);
        fargate::correct(findings, &mut input);
        let nth = chosen?;
        let container = container::correct(findings, &mut input, nth)?;
        Some(Self {
            family: family?,
            container,
            changes: Vec::new(),
            warnings: Vec::new(),
            input: Value::Object(input),
            nth,
        })
    }

    /// The finished document with `image` in its place, as JSON for people.
    #[must_use]
    pub fn with_image(&self, image: &str) -> String {
        let mut input = self.input.clone();
        input["containerDefinitions"][self.nth]["image"] = Value::from(image);
        format!("{input:#}\n")
    }
}
