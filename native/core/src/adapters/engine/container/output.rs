//! Makes lines of what a container writes.

use std::collections::VecDeque;

use bollard::container::LogOutput;

use crate::report::event::StepEvents;

/// Number of lines that are kept for the end.
const KEPT: usize = 200;

/// Lines that one container may have in the log, but for the last ones: a build has some hundred.
const PASSED_LINES: usize = 10_000;

/// Bytes that these lines may have together.
const PASSED_BYTES: usize = 4 * 1024 * 1024;

/// Bytes after which a line is broken, so that a program that writes no line ends does not fill the memory.
const LONGEST_LINE: usize = 16 * 1024;

/// Output of a container, line by line. Each of its two streams has lines of its own.
pub(super) struct Lines<'a> {
    events: &'a StepEvents,
    standard: Vec<u8>,
    error: Vec<u8>,
    last: VecDeque<String>,
    /// Lines and bytes that were passed on.
    passed: (usize, usize),
    /// Lines since then, of which the last are still to be passed on.
    held: usize,
}

impl<'a> Lines<'a> {
    pub(super) fn new(events: &'a StepEvents) -> Self {
        Self {
            events,
            standard: Vec::new(),
            error: Vec::new(),
            last: VecDeque::new(),
            passed: (0, 0),
            held: 0,
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
        let shown = self.held.min(self.last.len());
        if self.held > shown {
            let left_out = self.held - shown;
            self.events.note(format!(
                "further lines left out: {left_out}, after {PASSED_LINES} lines or {} MiB; the last {shown} follow",
                PASSED_BYTES / (1024 * 1024)
            ));
        }
        for line in self.last.iter().skip(self.last.len() - shown) {
            self.events.output(line);
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
        let (lines, bytes) = self.passed;
        if self.held > 0 || lines == PASSED_LINES || bytes + line.len() > PASSED_BYTES {
            self.held += 1;
            return;
        }
        self.passed = (lines + 1, bytes + line.len());
        self.events.output(line);
    }
}

#[cfg(test)]
mod tests {
    use super::{KEPT, LONGEST_LINE, Lines, PASSED_BYTES, PASSED_LINES};
    use crate::report::event::{Event, Events};
    use bollard::container::LogOutput;
    use std::sync::{Arc, Mutex};

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
    fn bytes_that_are_not_text_are_replaced() {
        let events = Events::silent().of_step(1);
        let mut lines = Lines::new(&events);
        let message = vec![0, 0xff, b'a', b'\n', 0xfe].into();
        lines.take(&LogOutput::StdOut { message });
        assert_eq!(lines.finish(), ["\0\u{fffd}a", "\u{fffd}"]);
    }

    #[test]
    fn output_without_measure_is_cut() {
        let long = "x".repeat(LONGEST_LINE + 1);
        assert_eq!(lines(&[('o', &long)]).len(), 2);
        let many = "x\n".repeat(KEPT + 5);
        assert_eq!(lines(&[('e', &many)]).len(), KEPT);
    }

    /// The lines of the log for so many lines of a program, and the last ones that are kept.
    fn logged(count: usize, line: impl Fn(usize) -> String) -> (Vec<String>, Vec<String>) {
        let log = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&log);
        let events = Events::new(move |event| match event {
            Event::Output { line, .. } => heard.lock().expect("no panic").push(line),
            Event::Note { message, .. } => heard.lock().expect("no panic").push(message),
            _ => {}
        });
        let events = events.of_step(1);
        let mut lines = Lines::new(&events);
        for number in 0..count {
            let message = format!("{}\n", line(number)).into();
            lines.take(&LogOutput::StdOut { message });
        }
        let last = lines.finish();
        let log = log.lock().expect("no panic").clone();
        (log, last)
    }

    #[test]
    fn a_flood_of_lines_is_cut_in_the_middle_and_said_to_be() {
        let name = |number: usize| format!("line {number}");
        for extra in [0, 1, KEPT] {
            let count = PASSED_LINES + extra;
            let expected: Vec<String> = (0..count).map(name).collect();
            assert_eq!(logged(count, name).0, expected, "{extra}");
        }
        let count = PASSED_LINES + KEPT + 50_000;
        let (log, last) = logged(count, name);
        assert_eq!(log.len(), PASSED_LINES + 1 + KEPT);
        assert!(log[PASSED_LINES].starts_with("further lines left out: 50000, "));
        assert_eq!(log.last(), Some(&name(count - 1)));
        assert_eq!(log[PASSED_LINES + 1..], last);
    }

    #[test]
    fn a_flood_of_bytes_is_cut_too() {
        let fill = |_| "x".repeat(LONGEST_LINE);
        let fits = PASSED_BYTES / LONGEST_LINE;
        let (log, _) = logged(fits + KEPT + 7, fill);
        assert_eq!(log.len(), fits + 1 + KEPT);
        assert!(
            log[fits].starts_with("further lines left out: 7, "),
            "{}",
            log[fits]
        );
    }
}
