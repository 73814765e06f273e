use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use base64::Engine as _;

use super::cache::{Answer, Credentials, Source};
use super::error::SignInError;
use crate::adapters::aws::error::AwsError;
use crate::domain::registry_login::{Authorization, SignIn};
use crate::report::cause::Cause;
use crate::report::event::{Event, Events};
use crate::report::secret::Secret;

/// Has passwords for registries on this machine, a new one each time.
#[derive(Clone, Default)]
pub struct Counting(pub Arc<AtomicUsize>);

impl Source for Counting {
    fn fetch<'a>(&'a self, registry: &'a str) -> Answer<'a> {
        Box::pin(async move {
            // Gives those who ask at the same time the chance to ask twice.
            tokio::task::yield_now().await;
            let nth = self.0.fetch_add(1, Ordering::SeqCst) + 1;
            Ok(registry
                .starts_with("127.")
                .then(|| SignIn::Ecr(password(nth))))
        })
    }
}

pub fn password(nth: usize) -> Authorization {
    let password = format!("password-{nth}");
    let encoded = base64::engine::general_purpose::STANDARD.encode(format!("AWS:{password}"));
    Authorization {
        username: "AWS".to_owned(),
        password: Secret::new(password),
        encoded: Secret::new(encoded),
        end: None,
    }
}

struct Refusing;

impl Source for Refusing {
    fn fetch<'a>(&'a self, _: &'a str) -> Answer<'a> {
        Box::pin(async {
            Err(SignInError::from(AwsError::CredentialsExpired {
                origin: "the inputs".to_owned(),
                source: Cause::said("ExpiredToken"),
            }))
        })
    }
}

#[tokio::test]
async fn a_password_is_fetched_once_even_for_many_at_the_same_time() {
    let source = Counting::default();
    let credentials = Credentials::from_source(source.clone(), Events::silent());
    let ask = || credentials.sign_in("127.0.0.1:5000");
    let answers = futures_util::future::join_all((0..20).map(|_| ask())).await;
    assert!(
        answers
            .iter()
            .all(|answer| *answer == Ok(Some(SignIn::Ecr(password(1)))))
    );
    assert_eq!(source.0.load(Ordering::SeqCst), 1);
    let other = credentials.sign_in("127.0.0.1:6000").await;
    assert_eq!(other, Ok(Some(SignIn::Ecr(password(2)))));
}

#[tokio::test]
async fn a_refused_password_is_renewed_once_for_all_who_were_refused() {
    let source = Counting::default();
    let credentials = Credentials::from_source(source.clone(), Events::silent());
    let stale = credentials.sign_in("127.0.0.1:5000").await;
    let stale = stale.expect("an answer").expect("a password");
    let ask = || credentials.renewed("127.0.0.1:5000", &stale);
    let answers = futures_util::future::join_all((0..5).map(|_| ask())).await;
    assert!(
        answers
            .iter()
            .all(|answer| *answer == Ok(Some(SignIn::Ecr(password(2)))))
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
    let credentials = Credentials::from_source(Counting::default(), events);
    let known = credentials.sign_in("127.0.0.1:5000").await;
    let Ok(Some(SignIn::Ecr(Authorization {
        password, encoded, ..
    }))) = known
    else {
        panic!("a password")
    };
    assert_eq!(*masked.lock().expect("no panic"), [password, encoded]);
}

#[tokio::test]
async fn a_failure_is_not_kept_and_another_host_gets_nothing() {
    let credentials = Credentials::from_source(Refusing, Events::silent());
    assert!(credentials.sign_in("127.0.0.1:5000").await.is_err());
    let credentials = Credentials::from_source(Counting::default(), Events::silent());
    assert_eq!(credentials.sign_in("registry.example").await, Ok(None));
}

/// Has passwords that last for so many seconds.
struct Lasting(u64, Arc<AtomicUsize>);

impl Source for Lasting {
    fn fetch<'a>(&'a self, _: &'a str) -> Answer<'a> {
        Box::pin(async move {
            let nth = self.1.fetch_add(1, Ordering::SeqCst) + 1;
            let end = SystemTime::now() + Duration::from_secs(self.0);
            Ok(Some(SignIn::Ecr(Authorization {
                end: Some(end),
                ..password(nth)
            })))
        })
    }
}

#[tokio::test]
async fn a_password_is_replaced_before_it_ends() {
    for (seconds, fetches) in [(60, 3), (12 * 3600, 1)] {
        let counted = Arc::new(AtomicUsize::new(0));
        let source = Lasting(seconds, Arc::clone(&counted));
        let credentials = Credentials::from_source(source, Events::silent());
        for _ in 0..3 {
            assert!(credentials.sign_in("127.0.0.1:5000").await.is_ok());
        }
        assert_eq!(counted.load(Ordering::SeqCst), fetches, "{seconds}");
    }
}
