//! Makes lines of what a container writes.

use std::collections::VecDeque;

use bollard::container::LogOutput;

use crate::report::event::StepEvents;

/// Number of lines that are kept for the end.
const KEPT: usize = 200;

/// Bytes after which a line is broken, so that a program that writes no line ends does not fill the memory.
const LONGEST_LINE: usize = 16 * 1024;

/// Output of a container, line by line. Each of its two streams has lines of its own.
pub(super) struct Lines<'a> {
    events: &'a StepEvents,
    standard: Vec<u8>,
    error: Vec<u8>,
    last: VecDeque<String>,
}

impl<'a> Lines<'a> {
    pub(super) fn new(events: &'a StepEvents) -> Self {
        Self {
            events,
            standard: Vec::new(),
            error: Vec::new(),
            last: VecDeque::new(),
        }
    }

    /// Takes a piece, which may end anywhere in a line.
    pub(super) fn take(&mut self, piece: &LogOutput) {
        let (mut rest, bytes) = match piece {
            LogOutput::StdErr { message } => (std::mem::take(&mut self.error), message),
            LogOutput::StdOut { message }
            | LogOutput::StdIn { message }
            | LogOutput::Console { message } => (std::mem::take(&mut self.standard), message),
        };
        for byte in bytes {
            // A carriage return alone begins a line anew, as progress bars do.
            if matches!(byte, b'\n' | b'\r') || rest.len() >= LONGEST_LINE {
                self.line(&rest);
                rest.clear();
            }
            if !matches!(byte, b'\n' | b'\r') {
                rest.push(*byte);
            }
        }
        match piece {
            LogOutput::StdErr { .. } => self.error = rest,
            _ => self.standard = rest,
        }
    }

    /// Takes what has no line end as lines too, and gives the last lines.
    pub(super) fn finish(mut self) -> Vec<String> {
        for rest in [
            std::mem::take(&mut self.standard),
            std::mem::take(&mut self.error),
        ] {
            self.line(&rest);
        }
        self.last.into()
    }

    /// Empty lines are left out; `\r\n` makes one each.
    fn line(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let line = String::from_utf8_lossy(bytes).into_owned();
        if self.last.len() == KEPT {
            self.last.pop_front();
        }
        self.last.push_back(line.clone());
        self.events.output(line);
    }
}

#[cfg(test)]
mod tests {
    use super::{KEPT, LONGEST_LINE, Lines};
    use crate::report::event::Events;
    use bollard::container::LogOutput;

    fn lines(pieces: &[(char, &str)]) -> Vec<String> {
        let events = Events::silent().of_step(1);
        let mut lines = Lines::new(&events);
        for (stream, text) in pieces {
            let message = (*text).to_owned().into();
            lines.take(&match stream {
                'e' => LogOutput::StdErr { message },
                _ => LogOutput::StdOut { message },
            });
        }
        lines.finish()
    }

    #[test]
    fn lines_are_put_together_for_each_stream() {
        for (pieces, expected) in [
            (vec![('o', "a\nb\n")], vec!["a", "b"]),
            (
                vec![('o', "a"), ('e', "x\n"), ('o', "b\n")],
                vec!["x", "ab"],
            ),
            (
                vec![('o', "10 %\r20 %\r\ndone")],
                vec!["10 %", "20 %", "done"],
            ),
            (vec![('o', "out"), ('e', "err")], vec!["out", "err"]),
            (vec![('o', "\n\n")], vec![]),
        ] {
            assert_eq!(lines(&pieces), expected, "{pieces:?}");
        }
    }

    #[test]
    fn output_without_measure_is_cut() {
        let long = "x".repeat(LONGEST_LINE + 1);
        assert_eq!(lines(&[('o', &long)]).len(), 2);
        let many = "x\n".repeat(KEPT + 5);
        assert_eq!(lines(&[('e', &many)]).len(), KEPT);
    }
}
