//! The steps of a build that a patched image has more than the image that it was built on.

use crate::domain::engine::HistoryEntry;
use crate::domain::falcon::options::SENSOR_FOLDER;

/// Instructions of a Dockerfile that change the configuration alone.
const WITHOUT_FILES: [&str; 11] = [
    "ARG",
    "CMD",
    "ENTRYPOINT",
    "ENV",
    "EXPOSE",
    "HEALTHCHECK",
    "LABEL",
    "MAINTAINER",
    "SHELL",
    "STOPSIGNAL",
    "USER",
];

/// Finds in the history a reason to look at every added file.
///
/// falconutil copies one folder, so of the added steps one is a copy to that folder, and the others have no files. Both
/// lists begin with the newest step. None means that nothing else is said to have been added. Sizes alone do not decide:
/// the containerd store reports none for an image of another platform.
#[must_use]
pub fn reason_to_look(
    layers: usize,
    before: &[HistoryEntry],
    after: &[HistoryEntry],
) -> Option<String> {
    if layers != 1 {
        return Some(format!("falconutil added {layers} layers instead of one"));
    }
    let Some(added) = after.len().checked_sub(before.len()) else {
        return Some("its history is shorter than the source's".to_owned());
    };
    let (copies, others): (Vec<_>, Vec<_>) = after[..added]
        .iter()
        .partition(|entry| copies_sensor(&entry.created_by));
    let with_files = others
        .into_iter()
        .find(|entry| entry.size > 0 || !is_without_files(&entry.created_by));
    match (copies.len(), with_files) {
        (1, None) => None,
        (_, Some(entry)) => Some(format!(
            "its history has the step `{}`",
            shortened(&entry.created_by)
        )),
        (copies, None) => Some(format!(
            "its history names {copies} copies to `{SENSOR_FOLDER}` instead of one"
        )),
    }
}

/// A step as a Dockerfile has it, from `BuildKit`'s form, `ENV A=b # buildkit` or `COPY a b # buildkit`, or the classic
/// builder's, `/bin/sh -c #(nop)  ENV A=b`.
fn instruction(created_by: &str) -> &str {
    let step = created_by.trim().trim_end_matches("# buildkit").trim_end();
    step.trim_start_matches("/bin/sh -c #(nop)").trim_start()
}

fn is_without_files(created_by: &str) -> bool {
    let name = instruction(created_by).split_whitespace().next();
    name.is_some_and(|name| WITHOUT_FILES.contains(&name))
}

fn copies_sensor(created_by: &str) -> bool {
    let step = instruction(created_by);
    let destination = step.split_whitespace().next_back().unwrap_or_default();
    step.starts_with("COPY ") && destination.trim_end_matches('/') == SENSOR_FOLDER
}

/// As much of a step as a line of the log takes.
fn shortened(step: &str) -> String {
    step.chars().take(120).collect()
}
