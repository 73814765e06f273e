use std::time::Duration;

/// The times between requests.
#[derive(Clone, Copy, Debug)]
pub(in crate::flow::run) struct Pace {
    /// The first time between two looks at the service; each next one is longer by half.
    pub(super) first: Duration,
    /// The longest time between two looks. ECS allows 20 in a second and an account
    /// (<https://docs.aws.amazon.com/AmazonECS/latest/APIReference/request-throttling.html>).
    pub(super) longest: Duration,
    /// The looks after which a lost answer counts as not settled.
    pub(super) looks: u32,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            first: Duration::from_secs(2),
            longest: Duration::from_secs(10),
            looks: 6,
        }
    }
}

impl Pace {
    /// Waits after the `nth` look, with a jitter: several runs must not look at the same time.
    pub(super) async fn wait(self, nth: u32) {
        let grown = self.first.mul_f64(1.5_f64.powi(nth.min(16).cast_signed()));
        let wait = grown.min(self.longest);
        tokio::time::sleep(wait.mul_f64(0.8 + 0.4 * fastrand::f64())).await;
    }
}
