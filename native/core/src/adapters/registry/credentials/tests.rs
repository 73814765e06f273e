use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::cache::{Credentials, LoginFuture, LoginSource};
use super::error::SignInError;
use crate::domain::reference::repository::Repository;
use crate::domain::registry_login::{RegistryLogin, Shown};
use crate::report::cause::Cause;
use crate::report::code::Code;
use crate::report::event::{Event, Events};
use crate::report::problem::{Explain as _, Problem};
use crate::report::secret::Secret;

/// Has passwords for registries on this machine, a new one each time.
#[derive(Clone, Default)]
pub struct Counting(pub Arc<AtomicUsize>);

impl LoginSource for Counting {
    fn fetch<'a>(&'a self, repository: &'a Repository) -> LoginFuture<'a> {
        Box::pin(async move {
            // Gives those who ask at the same time the chance to ask twice.
            tokio::task::yield_now().await;
            let nth = self.0.fetch_add(1, Ordering::SeqCst) + 1;
            Ok(repository
                .registry
                .starts_with("127.")
                .then(|| password(nth)))
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

fn local(port: u16) -> Repository {
    Repository::new(&format!("127.0.0.1:{port}"), "app/web")
}

/// Counts how often it refuses.
#[derive(Clone, Default)]
struct Refusing(Arc<AtomicUsize>);

impl LoginSource for Refusing {
    fn fetch<'a>(&'a self, _: &'a Repository) -> LoginFuture<'a> {
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
    let repository = local(5000);
    let ask = || credentials.login(&repository);
    let answers = futures_util::future::join_all((0..20).map(|_| ask())).await;
    assert!(
        answers
            .iter()
            .all(|answer| *answer == Ok(Some(password(1))))
    );
    assert_eq!(source.0.load(Ordering::SeqCst), 1);
    let other = credentials.login(&local(6000)).await;
    assert_eq!(other, Ok(Some(password(2))));
}

#[tokio::test]
async fn a_refused_password_is_renewed_once_for_all_who_were_refused() {
    let source = Counting::default();
    let credentials = Credentials::new(source.clone(), Events::silent());
    let stale = credentials.login(&local(5000)).await;
    let stale = stale.expect("an answer").expect("a password");
    let repository = local(5000);
    let ask = || credentials.renewed(&repository, &stale);
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
    let known = credentials.login(&local(5000)).await;
    let known = known.expect("an answer").expect("a login");
    let encoded = known.basic().expect("a user");
    assert_eq!(*masked.lock().expect("no panic"), [known.password, encoded]);
}

#[tokio::test]
async fn a_failure_is_kept_and_another_host_gets_nothing() {
    let source = Refusing::default();
    let credentials = Credentials::new(source.clone(), Events::silent());
    let repository = local(5000);
    let ask = || credentials.login(&repository);
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
    assert_eq!(
        credentials
            .login(&Repository::new("registry.example", "app/web"))
            .await,
        Ok(None)
    );
}

/// Has passwords that last for so many seconds.
struct Lasting(u64, Arc<AtomicUsize>);

impl LoginSource for Lasting {
    fn fetch<'a>(&'a self, _: &'a Repository) -> LoginFuture<'a> {
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
            assert!(credentials.login(&local(5000)).await.is_ok());
        }
        assert_eq!(counted.load(Ordering::SeqCst), fetches, "{seconds}");
    }
}

/// Returns one login that lasts for so many seconds, and then fails.
struct FailingLater(u64, Arc<AtomicUsize>);

impl LoginSource for FailingLater {
    fn fetch<'a>(&'a self, repository: &'a Repository) -> LoginFuture<'a> {
        Box::pin(async move {
            if self.1.load(Ordering::SeqCst) > 0 {
                return Refusing(Arc::clone(&self.1)).fetch(repository).await;
            }
            Lasting(self.0, Arc::clone(&self.1)).fetch(repository).await
        })
    }
}

#[tokio::test]
async fn a_login_that_cannot_be_renewed_early_is_used_to_its_end() {
    for (seconds, is_good) in [(60, true), (0, false)] {
        let fetches = Arc::new(AtomicUsize::new(0));
        let source = FailingLater(seconds, Arc::clone(&fetches));
        let credentials = Credentials::new(source, Events::silent());
        assert!(credentials.login(&local(5000)).await.is_ok());
        for _ in 0..2 {
            let again = credentials.login(&local(5000)).await;
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
    let stale = credentials.login(&local(5000)).await;
    let stale = stale.expect("an answer").expect("a login");
    let repository = local(5000);
    let ask = || credentials.renewed(&repository, &stale);
    let answers = futures_util::future::join_all((0..5).map(|_| ask())).await;
    assert!(answers.iter().all(Result::is_err));
    assert_eq!(fetches.load(Ordering::SeqCst), 2);
}

/// A helper of Docker that is missing, for a registry with a login for each repository.
struct WithoutHelper;

impl LoginSource for WithoutHelper {
    fn fetch<'a>(&'a self, repository: &'a Repository) -> LoginFuture<'a> {
        Box::pin(async move {
            match repository.name.as_str() {
                "app/own" => Ok(Some(password(7))),
                _ => Err(SignInError::Helper {
                    program: "docker-credential-x".to_owned(),
                    source: Cause::said("it cannot be run"),
                }),
            }
        })
    }

    fn scope(&self, repository: &Repository) -> String {
        repository.to_string()
    }
}

#[tokio::test]
async fn a_missing_helper_leaves_a_registry_without_a_login_and_is_warned_of_once() {
    let warnings = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&warnings);
    let events = Events::new(move |event| {
        if let Event::Warning { code, message, .. } = event {
            heard.lock().expect("no panic").push((code, message));
        }
    });
    let credentials = Credentials::new(WithoutHelper, events);
    for name in ["app/web", "app/web", "app/other"] {
        let repository = Repository::new("registry.example", name);
        assert_eq!(credentials.login(&repository).await, Ok(None));
        assert!(credentials.missing(&repository).await.is_some());
    }
    let own = Repository::new("registry.example", "app/own");
    assert_eq!(credentials.login(&own).await, Ok(Some(password(7))));
    assert_eq!(credentials.missing(&own).await, None);
    let warnings = warnings.lock().expect("no panic");
    let [(code, message)] = warnings.as_slice() else {
        panic!("{warnings:?}")
    };
    assert_eq!(*code, Code::RegistryCredentialHelperFailed);
    assert!(
        message.starts_with("`registry.example` is accessed without a login"),
        "{message}"
    );
}

#[tokio::test]
async fn a_login_that_was_given_for_a_registry_serves_all_its_repositories() {
    let credentials = Credentials::new(WithoutHelper, Events::silent());
    credentials.give("registry.example", password(1)).await;
    credentials.need_none("127.0.0.1:5000").await;
    for name in ["app/web", "app/own"] {
        let repository = Repository::new("registry.example", name);
        assert_eq!(credentials.login(&repository).await, Ok(Some(password(1))));
        let local = Repository::new("127.0.0.1:5000", name);
        assert_eq!(credentials.login(&local).await, Ok(None));
        assert_eq!(credentials.missing(&local).await, None);
    }
}
