//! Paths inside an image, with their links followed.

/// Links that are followed, as many as Linux follows.
const LINKS: usize = 40;

/// Joins a folder and a path within it.
pub(super) fn joined(folder: &[u8], path: &[u8]) -> Vec<u8> {
    match (folder, path) {
        ([], path) => path.to_vec(),
        (folder, []) => folder.to_vec(),
        (folder, path) => [folder, b"/", path].concat(),
    }
}

/// Finds the path that a path leads to. Paths have no slash at their ends.
///
/// `look` returns none for a path that is not there, and else the target of the link that is there, if there is one.
///
/// # Errors
/// The rest of a sentence whose subject is the path.
pub(super) fn resolve<'a>(
    path: &'a [u8],
    look: impl Fn(&[u8]) -> Option<Option<&'a [u8]>>,
) -> Result<Vec<u8>, String> {
    let mut rest: Vec<&[u8]> = path.split(|byte| *byte == b'/').rev().collect();
    let mut at = Vec::new();
    let mut links = 0;
    while let Some(name) = rest.pop() {
        match name {
            b"" | b"." => continue,
            b".." => {
                let end = at.iter().rposition(|byte| *byte == b'/');
                at.truncate(end.unwrap_or(0));
                continue;
            }
            _ => {}
        }
        let next = joined(&at, name);
        match look(&next) {
            None => {
                let next = String::from_utf8_lossy(&next).into_owned();
                return Err(format!("leads to `/{next}`, which is not there"));
            }
            Some(None) => at = next,
            Some(Some(target)) => {
                links += 1;
                if links > LINKS {
                    return Err("leads through too many links".to_owned());
                }
                if target.starts_with(b"/") {
                    at.clear();
                }
                rest.extend(target.split(|byte| *byte == b'/').rev());
            }
        }
    }
    Ok(at)
}
