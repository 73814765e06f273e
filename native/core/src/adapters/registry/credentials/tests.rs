use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::cache::{Credentials, LoginFuture, LoginSource};
use super::error::SignInError;
use crate::domain::registry_login::{RegistryLogin, Shown};
use crate::report::code::Code;
use crate::report::event::{Event, Events};
use crate::report::problem::{Explain as _, Problem};
use crate::report::secret::Secret;

/// Has passwords for registries on this machine, a new one each time.
#[derive(Clone, Default)]
pub struct Counting(pub Arc<AtomicUsize>);

impl LoginSource for Counting {
    fn fetch<'a>(&'a self, registry: &'a str) -> LoginFuture<'a> {
        Box::pin(async move {
            // Gives those who ask at the same time the chance to ask twice.
            tokio::task::yield_now().await;
            let nth = self.0.fetch_add(1, Ordering::SeqCst) + 1;
            Ok(registry.starts_with("127.").then(|| password(nth)))
        })
    }
}

pub fn password(nth: usize) -> RegistryLogin {
    RegistryLogin {
        shown: Shown::Always,
        renewable: true,
        ..RegistryLogin::password("AWS", Secret::new(format!("password-{nth}")))
    }
}

/// Counts how often it refuses.
#[derive(Clone, Default)]
struct Refusing(Arc<AtomicUsize>);

impl LoginSource for Refusing {
    fn fetch<'a>(&'a self, _: &'a str) -> LoginFuture<'a> {
        Box::pin(async {
            self.0.fetch_add(1, Ordering::SeqCst);
            Err(SignInError::from(Problem {
                code: Code::AwsCredentialsExpired,
                what: "The credentials of the inputs have expired".to_owned(),
                why: vec!["ExpiredToken".to_owned()],
                hint: Some("Renew them".to_owned()),
            }))
        })
    }
}

#[tokio::test]
async fn a_password_is_fetched_once_even_for_many_at_the_same_time() {
    let source = Counting::default();
    let credentials = Credentials::new(source.clone(), Events::silent());
    let ask = || credentials.login("127.0.0.1:5000");
    let answers = futures_util::future::join_all((0..20).map(|_| ask())).await;
    assert!(
        answers
            .iter()
            .all(|answer| *answer == Ok(Some(password(1))))
    );
    assert_eq!(source.0.load(Ordering::SeqCst), 1);
    let other = credentials.login("127.0.0.1:6000").await;
    assert_eq!(other, Ok(Some(password(2))));
}

#[tokio::test]
async fn a_refused_password_is_renewed_once_for_all_who_were_refused() {
    let source = Counting::default();
    let credentials = Credentials::new(source.clone(), Events::silent());
    let stale = credentials.login("127.0.0.1:5000").await;
    let stale = stale.expect("an answer").expect("a password");
    let ask = || credentials.renewed("127.0.0.1:5000", &stale);
    let answers = futures_util::future::join_all((0..5).map(|_| ask())).await;
    assert!(
        answers
            .iter()
            .all(|answer| *answer == Ok(Some(password(2))))
    );
    assert_eq!(source.0.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_password_is_masked_in_both_forms_before_it_is_handed_out() {
    let masked = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&masked);
    let events = Events::new(move |event| {
        if let Event::Secret(secret) = event {
            heard.lock().expect("no panic").push(secret);
        }
    });
    let credentials = Credentials::new(Counting::default(), events);
    let known = credentials.login("127.0.0.1:5000").await;
    let known = known.expect("an answer").expect("a login");
    let encoded = known.basic().expect("a user");
    assert_eq!(*masked.lock().expect("no panic"), [known.password, encoded]);
}

#[tokio::test]
async fn a_failure_is_kept_and_another_host_gets_nothing() {
    let source = Refusing::default();
    let credentials = Credentials::new(source.clone(), Events::silent());
    let ask = || credentials.login("127.0.0.1:5000");
    let (error, again, last) = tokio::join!(ask(), ask(), ask());
    assert!(error == again && again == last);
    assert_eq!(source.0.load(Ordering::SeqCst), 1);
    let error = error.expect_err("a failure");
    assert_eq!(error.code(), Code::AwsCredentialsExpired);
    assert_eq!(error.hint().as_deref(), Some("Renew them"));
    assert_eq!(
        error.to_string(),
        "The credentials of the inputs have expired\nExpiredToken"
    );
    let credentials = Credentials::new(Counting::default(), Events::silent());
    assert_eq!(credentials.login("registry.example").await, Ok(None));
}

/// Has passwords that last for so many seconds.
struct Lasting(u64, Arc<AtomicUsize>);

impl LoginSource for Lasting {
    fn fetch<'a>(&'a self, _: &'a str) -> LoginFuture<'a> {
        Box::pin(async move {
            let nth = self.1.fetch_add(1, Ordering::SeqCst) + 1;
            let now = SystemTime::now().duration_since(UNIX_EPOCH);
            let ends = now.expect("a clock after 1970") + Duration::from_secs(self.0);
            Ok(Some(RegistryLogin {
                ends: Some(ends),
                ..password(nth)
            }))
        })
    }
}

#[tokio::test]
async fn a_password_is_replaced_before_it_ends() {
    for (seconds, fetches) in [(60, 3), (12 * 3600, 1)] {
        let counted = Arc::new(AtomicUsize::new(0));
        let source = Lasting(seconds, Arc::clone(&counted));
        let credentials = Credentials::new(source, Events::silent());
        for _ in 0..3 {
            assert!(credentials.login("127.0.0.1:5000").await.is_ok());
        }
        assert_eq!(counted.load(Ordering::SeqCst), fetches, "{seconds}");
    }
}

/// Returns one login that lasts for so many seconds, and then fails.
struct FailingLater(u64, Arc<AtomicUsize>);

impl LoginSource for FailingLater {
    fn fetch<'a>(&'a self, registry: &'a str) -> LoginFuture<'a> {
        Box::pin(async move {
            if self.1.load(Ordering::SeqCst) > 0 {
                return Refusing(Arc::clone(&self.1)).fetch(registry).await;
            }
            Lasting(self.0, Arc::clone(&self.1)).fetch(registry).await
        })
    }
}

#[tokio::test]
async fn a_login_that_cannot_be_renewed_early_is_used_to_its_end() {
    for (seconds, is_good) in [(60, true), (0, false)] {
        let fetches = Arc::new(AtomicUsize::new(0));
        let source = FailingLater(seconds, Arc::clone(&fetches));
        let credentials = Credentials::new(source, Events::silent());
        assert!(credentials.login("127.0.0.1:5000").await.is_ok());
        for _ in 0..2 {
            let again = credentials.login("127.0.0.1:5000").await;
            assert_eq!(again.is_ok(), is_good, "{seconds}");
        }
        assert_eq!(fetches.load(Ordering::SeqCst), 2, "{seconds}");
    }
}

#[tokio::test]
async fn a_refused_login_that_cannot_be_renewed_is_asked_for_once() {
    let fetches = Arc::new(AtomicUsize::new(0));
    let source = FailingLater(3600, Arc::clone(&fetches));
    let credentials = Credentials::new(source, Events::silent());
    let stale = credentials.login("127.0.0.1:5000").await;
    let stale = stale.expect("an answer").expect("a login");
    let ask = || credentials.renewed("127.0.0.1:5000", &stale);
    let answers = futures_util::future::join_all((0..5).map(|_| ask())).await;
    assert!(answers.iter().all(Result::is_err));
    assert_eq!(fetches.load(Ordering::SeqCst), 2);
}
