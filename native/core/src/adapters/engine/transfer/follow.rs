//! Reads the lines of a transfer.

use std::future::Future;
use std::time::Duration;

use tokio::time::Instant;

use super::message::Message;
use super::progress::Progress;
use crate::adapters::engine::error::fault::Fault;
use crate::report::event::StepEvents;

/// Longest time that a whole transfer may take.
pub(super) const DEADLINE: Duration = Duration::from_hours(1);

/// Longest silence while bytes should be moving.
const SILENT: Duration = Duration::from_secs(90);

/// Longest silence once all bytes are there: before version 28 the containerd store unpacks without a
/// word.
const SILENT_AT_WORK: Duration = Duration::from_mins(10);

/// Interval at which progress is told; the log thins it out further.
const PROGRESS_EVERY: Duration = Duration::from_millis(500);

/// Bytes that one line may have; the longest known ones have some hundred.
const LONGEST_LINE: usize = 1024 * 1024;

/// End of a transfer.
#[derive(Debug)]
pub(super) enum Ending {
    /// Its stream ended as it should.
    Complete,
    /// The engine says that it failed.
    Failed(Fault),
    /// Its stream broke; the caller must check whether the transfer succeeded.
    CutShort(Fault),
}

/// Follows a transfer line by line.
pub(super) struct Follower<'a> {
    events: &'a StepEvents,
    progress: Progress,
    told: Option<Instant>,
    rest: Vec<u8>,
}

impl<'a> Follower<'a> {
    pub(super) fn new(events: &'a StepEvents) -> Self {
        Self {
            events,
            progress: Progress::default(),
            told: None,
            rest: Vec::new(),
        }
    }

    /// Waits for something no longer than the engine may be silent now.
    pub(super) async fn limited<F: Future>(&self, future: F) -> Result<F::Output, Fault> {
        let limit = if self.progress.is_settled() {
            SILENT_AT_WORK
        } else {
            SILENT
        };
        tokio::time::timeout(limit, future)
            .await
            .map_err(|_| Fault::TimedOut(limit))
    }

    /// Takes the next bytes, which may end anywhere in a line.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        self.rest.extend_from_slice(bytes);
        while let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.rest.drain(..=end).collect();
            self.line(&line)?;
        }
        if self.rest.len() > LONGEST_LINE {
            return Err(Fault::broken("the engine sends a line without an end"));
        }
        Ok(())
    }

    /// The stream is over. A last line without its end is a whole message all the same
    /// (<https://github.com/fussybeaver/bollard/issues/560>) unless it breaks off within.
    pub(super) fn finish(&mut self) -> Ending {
        let line = std::mem::take(&mut self.rest);
        let is_whole = line.trim_ascii().is_empty() || parse(&line).is_some();
        if let Err(fault) = self.line(&line) {
            return Ending::Failed(fault);
        }
        self.log_progress(true);
        if is_whole {
            Ending::Complete
        } else {
            Ending::CutShort(Fault::broken("the engine's answer breaks off"))
        }
    }

    /// Lines that are not JSON are left out: none of them decides anything.
    fn line(&mut self, line: &[u8]) -> Result<(), Fault> {
        let Some(mut message) = parse(line) else {
            return Ok(());
        };
        if let Some(fault) = message.fault() {
            return Err(fault);
        }
        self.progress.take(&message);
        self.log_progress(false);
        Ok(())
    }

    fn log_progress(&mut self, is_last: bool) {
        let is_due = self
            .told
            .is_none_or(|told| told.elapsed() >= PROGRESS_EVERY);
        let (current, total) = self.progress.bytes();
        if (is_due || is_last) && current > 0 {
            self.events.progress(current, total);
            self.told = Some(Instant::now());
        }
    }
}

pub(super) fn parse(line: &[u8]) -> Option<Message> {
    serde_json::from_slice(line).ok()
}

#[cfg(test)]
mod tests {
    use super::{Ending, Follower};
    use crate::adapters::engine::error::fault::Fault;
    use crate::report::event::{Event, Events};
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    /// Bytes done and bytes to do.
    type Counts = (u64, Option<u64>);

    /// Follows a stream that comes in pieces of `piece` bytes.
    fn follow(stream: &str, piece: usize) -> (Ending, Vec<Counts>) {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&seen);
        let events = Events::new(move |event| {
            if let Event::Progress { current, total, .. } = event {
                sink.lock().expect("one thread").push((current, total));
            }
        });
        let events = events.of_step(1);
        let mut follower = Follower::new(&events);
        for bytes in stream.as_bytes().chunks(piece) {
            if let Err(fault) = follower.take(bytes) {
                return (Ending::Failed(fault), Vec::new());
            }
        }
        let ending = follower.finish();
        let told = seen.lock().expect("one thread").clone();
        (ending, told)
    }

    const PULLED: &str = concat!(
        "{\"status\":\"Pulling from app/web\",\"id\":\"1.4\"}\r\n",
        "{\"status\":\"Downloading\",\"progressDetail\":{\"current\":512,\"total\":1024},\"progress\":\"[=> ]\",\"id\":\"a\"}\r\n",
        "{\"status\":\"Pull complete\",\"progressDetail\":{},\"id\":\"a\"}\r\n",
        "{\"status\":\"Status: Downloaded newer image for app/web:1.4\"}",
    );

    #[test]
    fn a_pull_is_complete_however_its_stream_is_cut_into_pieces() {
        for piece in [1, 7, 4096] {
            for end in ["", "\r", "\r\n"] {
                let (ending, told) = follow(&format!("{PULLED}{end}"), piece);
                assert!(matches!(ending, Ending::Complete), "{piece} {end:?}");
                assert_eq!(told.last(), Some(&(1024, Some(1024))));
            }
        }
    }

    #[test]
    fn a_line_that_breaks_off_leaves_the_result_open() {
        let (ending, ..) = follow("{\"status\":\"a\"}\r\n{\"status\":\"Pul", 4096);
        assert!(matches!(ending, Ending::CutShort(_)));
    }

    #[tokio::test(start_paused = true)]
    async fn silence_is_borne_longer_once_all_bytes_are_there() {
        let events = Events::silent().of_step(1);
        let mut follower = Follower::new(&events);
        for (line, minutes) in [
            ("", 1.5),
            (
                r#"{"id":"a","status":"Downloading","progressDetail":{"current":1,"total":2}}"#,
                1.5,
            ),
            (
                r#"{"id":"a","status":"Downloading","progressDetail":{"current":2,"total":2}}"#,
                10.0,
            ),
        ] {
            let line = format!("{line}\r\n");
            follower.take(line.as_bytes()).expect("a line");
            match follower.limited(std::future::pending::<()>()).await {
                Err(Fault::TimedOut(limit)) => {
                    assert_eq!(limit, Duration::from_secs_f64(minutes * 60.0));
                }
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn errors_are_errors_in_each_of_their_forms() {
        for (line, message) in [
            (
                r#"{"errorDetail":{"code":401,"message":"no"},"error":"no"}"#,
                "no",
            ),
            (r#"{"errorDetail":{"message":"no"}}"#, "no"),
            (r#"{"error":"no"}"#, "no"),
            (
                r#"{"errorDetail":{}}"#,
                "the engine reports an error without a message",
            ),
            (
                r#"{"errorDetail":{"code":500}}"#,
                "the engine answers with status 500 and no message",
            ),
        ] {
            for end in ["", "\r\n"] {
                match follow(&format!("{line}{end}"), 4096).0 {
                    Ending::Failed(fault) => assert_eq!(fault.into_refusal().message, message),
                    other => panic!("{line}: {other:?}"),
                }
            }
        }
    }
}
