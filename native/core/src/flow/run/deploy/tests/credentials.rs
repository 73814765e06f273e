//! Credentials that end while a deployment is watched.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, future};
use tokio_util::sync::CancellationToken;

use super::script::{Script, begun, done, old, refusal, run, run_with, service};
use crate::adapters::aws::tests::provided;
use crate::report::code::Code;

#[tokio::test]
async fn credentials_that_aws_calls_expired_are_fetched_anew_once() {
    let expired = refusal("ExpiredTokenException");
    let script = Script::new().then(vec![
        service(&[begun()]),
        expired.clone(),
        service(&[begun()]),
        expired.clone(),
        service(&[done()]),
    ]);
    let passed = run(script, |_| ()).await;
    assert!(passed.is_deployed(), "{:?}", passed.failure());
    let script = Script::new().then(vec![service(&[begun()]), expired]);
    let (code, _, effects) = run(script, |_| ()).await.failure();
    assert_eq!(code, Code::AwsCredentialsExpired);
    assert!(
        effects
            .last()
            .is_some_and(|last| last.ends_with("which goes on"))
    );
}

/// A provider whose every key ends soon.
#[derive(Debug, Default)]
struct ShortLived(AtomicU32);

impl ProvideCredentials for ShortLived {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let key = format!("AKIA{}", self.0.fetch_add(1, Ordering::SeqCst));
        let end = SystemTime::now() + Duration::from_mins(1);
        let keys = Credentials::new(key, "shh", None, Some(end), "test");
        future::ProvideCredentials::ready(Ok(keys))
    }
}

#[tokio::test]
async fn credentials_are_renewed_while_the_step_waits() {
    let waiting = vec![service(&[begun(), old()]); 4];
    let script = Script::new().then([waiting, vec![service(&[done()])]].concat());
    let aws = |server: &_| provided(server, ShortLived::default());
    let run = run_with(script, |_| (), |c| c, aws, CancellationToken::new()).await;
    assert!(run.is_deployed(), "{:?}", run.failure());
    let looks = run
        .keys
        .iter()
        .filter(|(action, _)| action == "DescribeServices");
    let mut keys: Vec<&String> = looks.map(|(_, key)| key).collect();
    let all = keys.len();
    keys.sort();
    keys.dedup();
    assert_eq!((all, keys.len()), (6, 6), "each look has fresh credentials");
}
