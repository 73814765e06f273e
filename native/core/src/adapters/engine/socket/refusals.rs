use std::fmt;
use std::sync::{Mutex, PoisonError};

/// Refused requests that are kept; a program that tries more says nothing new.
const KEPT: usize = 10;

/// Longest part of a request that is shown, in characters.
const SHOWN: usize = 120;

/// Longest reason that is shown, in characters; a part of it can be the container's own text.
const REASON: usize = 400;

/// Refusal of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    request: String,
    reason: String,
}

impl Refusal {
    /// The refusal of a request, which is named by its method and path.
    pub(super) fn new(request: impl fmt::Display, reason: impl Into<String>) -> Self {
        let request = request.to_string().replace('`', "'");
        Self {
            request: shortened(&request),
            reason: reason.into().chars().take(REASON).collect(),
        }
    }
}

/// A text of the container with nothing in it but what a line can show.
pub(super) fn shortened(text: &str) -> String {
    let shown = text.chars().take(SHOWN).flat_map(|c| {
        let is_plain = matches!(c, '\'' | '"' | '\\');
        let plain = is_plain.then_some(c).into_iter();
        let escaped = (!is_plain).then(|| c.escape_debug()).into_iter().flatten();
        plain.chain(escaped)
    });
    shown.collect()
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}", self.request, self.reason)
    }
}

/// The refusals of a socket.
#[derive(Debug, Default)]
pub(super) struct Refusals(Mutex<Vec<Refusal>>);

impl Refusals {
    /// Records a refusal.
    pub(super) fn record(&self, refusal: Refusal) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < KEPT && !kept.contains(&refusal) {
            kept.push(refusal);
        }
    }

    /// The refusals so far, as sentences.
    pub(super) fn sentences(&self) -> Vec<String> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().map(ToString::to_string).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{KEPT, Refusal, Refusals};

    #[test]
    fn refusals_are_shown_once_and_without_control_characters() {
        let refusals = Refusals::default();
        for _ in 0..2 {
            refusals.record(Refusal::new("GET /a\n`b`", "not allowed"));
        }
        assert_eq!(refusals.sentences(), ["`GET /a\\n'b'`: not allowed"]);
        for number in 0..2 * KEPT {
            refusals.record(Refusal::new(number, "x".repeat(500)));
        }
        assert_eq!(refusals.sentences().len(), KEPT);
    }
}
