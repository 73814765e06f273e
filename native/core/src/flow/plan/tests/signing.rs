use super::super::decide::plan;
use crate::domain::provenance::key::Trust;
use crate::flow::facts::keys::{KeyFacts, SigningKey};
use crate::flow::facts::patch::Facts;
use crate::flow::plan::target_state::TargetState;
use crate::report::code::Code;
use crate::report::problem::Problem;
use crate::test_support::config::config;
use crate::test_support::facts::facts;
use crate::test_support::signing_key::TestKey;

fn planned(change: impl FnOnce(&mut Facts)) -> Result<(), Code> {
    let config = config(|_| {});
    let mut facts = facts();
    change(&mut facts);
    let state = TargetState::of(&config, &facts);
    plan(&config, &facts, state)
        .map(|_| ())
        .map_err(|problem| problem.code)
}

fn problem(code: Code) -> Problem {
    Problem {
        code,
        what: "no".to_owned(),
        why: Vec::new(),
        hint: None,
    }
}

fn signed(facts: &mut Facts, signing: &TestKey, trusted: &TestKey) {
    facts.keys = Ok(KeyFacts {
        trust: Trust::Keys(vec![trusted.trusted("alias/trusted")]),
    });
    facts.signing = Some(Ok(SigningKey {
        name: "alias/x".parse().expect("a name"),
        public: signing.public(),
    }));
}

#[test]
fn a_key_that_cannot_be_used_is_refused_before_anything_is_pulled() {
    let unknown = planned(|facts| facts.keys = Err(problem(Code::AwsKmsKeyNotFound)));
    assert_eq!(unknown, Err(Code::AwsKmsKeyNotFound));
    let denied = planned(|facts| facts.signing = Some(Err(problem(Code::AwsDenied))));
    assert_eq!(denied, Err(Code::AwsDenied));
}

#[test]
fn a_signing_key_whose_records_would_not_count_is_refused() {
    let (key, other) = (TestKey::new(), TestKey::new());
    assert_eq!(planned(|facts| signed(facts, &key, &key)), Ok(()));
    let untrusted = planned(|facts| signed(facts, &key, &other));
    assert_eq!(untrusted, Err(Code::InputKeyNotTrusted));
}
