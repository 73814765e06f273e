//! A Dockerfile's logical lines: comments dropped, continued lines joined.

/// Bytes that a Dockerfile may have; falconutil's has some hundred.
const BYTES: usize = 64 * 1024;

/// Lines that a Dockerfile may have; falconutil's has about twelve.
const LINES: usize = 1000;

/// Splits a Dockerfile into logical lines
/// (<https://docs.docker.com/reference/dockerfile/#format>).
///
/// # Errors
/// The reason why the Dockerfile is refused.
pub(super) fn logical_lines(text: &str) -> Result<Vec<String>, String> {
    // The whole is read on a thread that others wait for, so a long one is not begun.
    if text.len() > BYTES || text.bytes().filter(|byte| *byte == b'\n').count() > LINES {
        return Err(format!(
            "its Dockerfile has more than {BYTES} bytes or {LINES} lines"
        ));
    }
    let mut lines: Vec<String> = Vec::new();
    let mut continued: Option<String> = None;
    for line in text.trim_start_matches('\u{feff}').split('\n') {
        let line = line.strip_suffix('\r').unwrap_or(line);
        if line.contains(|c: char| c.is_control() && c != '\t') {
            return Err("its Dockerfile holds control characters".to_owned());
        }
        let start = line.trim_start();
        if let Some(comment) = start.strip_prefix('#') {
            refuse_directive(comment)?;
            continue;
        }
        if start.is_empty() {
            continue;
        }
        // Only the first line loses the blanks in front of it.
        let line = continued
            .take()
            .map_or_else(|| start.to_owned(), |begun| begun + line);
        match line.trim_end_matches([' ', '\t']).strip_suffix('\\') {
            // Old and new engines disagree on whether this line goes on.
            Some(begun) if begun.ends_with('\\') => {
                return Err("a line of its Dockerfile ends with two backslashes".to_owned());
            }
            Some(begun) => continued = Some(begun.to_owned()),
            None => lines.push(line),
        }
    }
    lines.extend(continued);
    // What was joined must not go on in what is written anew.
    if lines.iter().any(|line| line.trim_end().ends_with('\\')) {
        return Err("a line of its Dockerfile ends with a backslash".to_owned());
    }
    Ok(lines)
}

/// Refuses comments that give the engine another reader of Dockerfiles, or other rules.
fn refuse_directive(comment: &str) -> Result<(), String> {
    let Some((name, _)) = comment.split_once('=') else {
        return Ok(());
    };
    let name = name.trim().to_ascii_lowercase();
    if matches!(name.as_str(), "syntax" | "escape" | "check") {
        return Err(format!("its Dockerfile has the directive `{name}`"));
    }
    Ok(())
}
