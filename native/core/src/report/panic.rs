//! Panics as problems: a bug ends a run as every other failure does, and prints nothing by itself.

use std::any::Any;
use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};

use futures_util::FutureExt as _;

use super::cause::Cause;
use super::code::Code;
use super::problem::Problem;

thread_local! {
    /// The place of the last panic of this thread.
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Replaces the process's report of a panic, which goes to stderr, by a note of its place.
pub fn silence_panics() {
    panic::set_hook(Box::new(|info: &PanicHookInfo<'_>| {
        let place = info.location().map(ToString::to_string);
        // A thread that ends has no place to keep it in any more.
        let _ = PLACE.try_with(|last| last.replace(place));
    }));
}

/// Runs `work`, and turns a panic in it into a failure.
pub(crate) fn guarded<T, E: From<Problem>>(
    work: impl Future<Output = Result<T, E>>,
) -> impl Future<Output = Result<T, E>> {
    // The work is large, and every future that waits for it would grow by as much.
    let ended = AssertUnwindSafe(Box::pin(work)).catch_unwind();
    ended.map(|ended| ended.unwrap_or_else(|panic| Err(problem(&*panic).into())))
}

fn problem(panic: &(dyn Any + Send)) -> Problem {
    let message = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    let message = message.map(|text| Cause::said(text).to_string());
    let place = PLACE.take().map(|place| format!("at {place}"));
    Problem {
        code: Code::TaskInternal,
        what: "The task has a bug: a part of it panicked".to_owned(),
        why: message.into_iter().chain(place).collect(),
        hint: Some("Report it with the log of the run".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::guarded;
    use crate::report::code::Code;
    use crate::report::problem::Problem;

    #[tokio::test]
    async fn a_panic_becomes_a_problem_and_other_ends_stay() {
        let nothing = std::hint::black_box(None);
        let panics = guarded(async { Ok::<u8, Problem>(nothing.expect("no 7")) });
        let problem = panics.await.expect_err("a problem");
        assert_eq!(problem.code, Code::TaskInternal);
        assert_eq!(problem.why, ["no 7"]);
        assert_eq!(guarded(async { Ok::<_, Problem>(1) }).await, Ok(1));
        let other = guarded(async { Err::<(), _>(problem.clone()) }).await;
        assert_eq!(other, Err(problem));
    }
}
