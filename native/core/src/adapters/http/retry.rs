//! Rules for trying a request again.

use std::future::Future;
use std::time::{Duration, Instant, SystemTime};

use backon::Retryable as _;
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, RETRY_AFTER};

/// Number of tries, waits and time limits; full jitter as in
/// <https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/>.
#[derive(Clone, Copy, Debug)]
pub struct RetryPolicy {
    /// Largest number of requests.
    pub(crate) tries: u32,
    /// The most that the first wait can be; it doubles with each try.
    pub(crate) first_wait: Duration,
    /// The most that any wait can be.
    pub(crate) longest_wait: Duration,
    /// The most that a registry can make us wait.
    pub(crate) longest_retry_after: Duration,
    /// Longest time that one request may take, its answer's body included.
    pub(crate) request: Duration,
    /// Longest time that one large body may take on its way.
    pub(crate) transfer: Duration,
    /// Longest time that all requests and waits may take together.
    pub(crate) budget: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            tries: 5,
            first_wait: Duration::from_millis(500),
            longest_wait: Duration::from_secs(20),
            longest_retry_after: Duration::from_mins(1),
            request: Duration::from_mins(1),
            // At 2 MB/s that is a layer of 1.8 GB.
            transfer: Duration::from_mins(15),
            budget: Duration::from_mins(3),
        }
    }
}

/// The failure of one attempt at a request.
pub(crate) trait AttemptFailure {
    /// Returns true if another attempt may end differently.
    fn is_passing(&self) -> bool;

    /// The time that the server asks to wait before the next attempt.
    fn retry_after(&self) -> Option<Duration> {
        None
    }
}

impl RetryPolicy {
    /// Repeats an attempt until it succeeds, fails for good, or tries or time are used up.
    ///
    /// `started` is the time from which the budget counts.
    ///
    /// # Errors
    /// The failure of the last attempt.
    pub(crate) async fn run<T, E, F>(
        self,
        started: Instant,
        attempt: impl FnMut() -> F,
    ) -> Result<T, E>
    where
        E: AttemptFailure,
        F: Future<Output = Result<T, E>>,
    {
        attempt
            .retry(self.waits())
            .when(E::is_passing)
            .adjust(|failure, wait| self.wait(wait, failure.retry_after(), started))
            .await
    }

    /// The waits between the tries: each anything between nothing and its most.
    fn waits(self) -> impl Iterator<Item = Duration> + Send + Sync + Unpin {
        (1..self.tries).map(move |nth| {
            let most = self.first_wait.saturating_mul(1 << (nth - 1).min(16));
            most.min(self.longest_wait).mul_f64(fastrand::f64())
        })
    }

    /// The wait before the next try, or none if there is no time left for it.
    fn wait(
        self,
        jittered: Option<Duration>,
        retry_after: Option<Duration>,
        started: Instant,
    ) -> Option<Duration> {
        let asked = retry_after.map_or(Duration::ZERO, |asked| asked.min(self.longest_retry_after));
        let wait = jittered?.max(asked);
        (started.elapsed() + wait < self.budget).then_some(wait)
    }

    /// Longest time that a request that starts now may take.
    pub(crate) fn request_limit(self, started: Instant) -> Duration {
        let left = self.budget.saturating_sub(started.elapsed());
        self.request.min(left).max(Duration::from_millis(1))
    }
}

/// Returns true if another try of the same request may end differently.
pub(crate) fn is_passing(status: StatusCode) -> bool {
    status == StatusCode::REQUEST_TIMEOUT
        || status == StatusCode::TOO_MANY_REQUESTS
        || status.is_server_error()
}

/// Time that a registry asks us to wait: seconds, or a date
/// (<https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3>).
pub fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    Some(date.duration_since(SystemTime::now()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::{RetryPolicy, is_passing, retry_after};
    use reqwest::StatusCode;
    use reqwest::header::{HeaderMap, HeaderValue, RETRY_AFTER};
    use std::time::{Duration, Instant, SystemTime};

    #[test]
    fn waits_grow_and_stay_below_the_longest() {
        let policy = RetryPolicy::default();
        let waits: Vec<Duration> = policy.waits().collect();
        assert_eq!(waits.len(), 4);
        for (wait, most) in waits.iter().zip([500, 1000, 2000, 4000]) {
            assert!(*wait <= Duration::from_millis(most), "{wait:?}");
        }
        let many = RetryPolicy {
            tries: 40,
            ..policy
        };
        assert!(many.waits().all(|wait| wait <= policy.longest_wait));
    }

    #[test]
    fn a_registry_can_make_us_wait_within_limits() {
        let policy = RetryPolicy::default();
        let now = Instant::now();
        let second = Duration::from_secs(1);
        let wait = |jittered, asked| policy.wait(jittered, asked, now);
        assert_eq!(wait(Some(second), None), Some(second));
        assert_eq!(wait(Some(second), Some(second * 7)), Some(second * 7));
        assert_eq!(wait(Some(second), Some(second * 7200)), Some(second * 60));
        assert_eq!(wait(None, Some(second)), None);
        let spent = RetryPolicy {
            budget: second,
            ..policy
        };
        assert_eq!(spent.wait(Some(second * 2), None, now), None);
    }

    #[test]
    fn only_passing_troubles_are_tried_again() {
        for (status, expected) in [
            (400, false),
            (401, false),
            (403, false),
            (404, false),
            (408, true),
            (416, false),
            (429, true),
            (500, true),
            (502, true),
            (503, true),
        ] {
            let code = StatusCode::from_u16(status).expect("a status");
            assert_eq!(is_passing(code), expected, "{status}");
        }
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let read = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, HeaderValue::from_str(text).expect("a value"));
            retry_after(&headers)
        };
        assert_eq!(read("12"), Some(Duration::from_secs(12)));
        assert_eq!(read("soon"), None);
        assert_eq!(read("-1"), None);
        assert_eq!(read("Wed, 21 Oct 2015 07:28:00 GMT"), Some(Duration::ZERO));
        let date = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(30));
        let wait = read(&date).expect("a wait");
        assert!(wait > Duration::from_secs(25) && wait <= Duration::from_secs(30));
    }
}
