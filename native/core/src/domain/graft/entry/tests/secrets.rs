//! Secrets of an entry: filled in on a read, and kept out of its documents and failures.

use serde_json::json;

use super::{altered, change, entry_of, layer, options, read, source};
use crate::domain::graft::cached::CachedGraft;
use crate::domain::graft::entry::{Entry, Graft};
use crate::domain::graft::entry_fault::{EntryFault, NotKept};
use crate::domain::graft::question::Question;
use crate::domain::reference::digest::Digest;
use crate::test_support::config::CUSTOMER;

#[test]
fn a_secret_that_was_not_given_is_not_filled_in() {
    let document = altered(
        r#"["FALCONCTL_OPTS=--cid=",0," ",1]"#,
        r#"["FALCONCTL_OPTS=--cid=",0," ",9]"#,
    );
    let read = read(&document).expect("an entry");
    let refused = CachedGraft::of(&source(), &read, &options());
    assert!(matches!(refused, Err(EntryFault::Form(_))), "{refused:?}");
}

#[test]
fn a_change_that_would_be_long_or_show_a_secret_is_refused() {
    let refusal = |from: &str, to: &str| {
        let entry = read(&altered(from, to)).expect("an entry in its form");
        let made = CachedGraft::of(&source(), &entry, &options());
        made.expect_err("a refusal").to_string()
    };
    let more = "[\"MORE=more\"]";
    let numbers = |count: usize| vec!["0"; count].join(",");
    for (to, expected) in [
        (format!("[\"X=\",{}]", numbers(100)), "too many parts"),
        (format!("[\"X={}\"]", "y".repeat(70_000)), "too long"),
        ("[0,\"=x\"]".to_owned(), "where a name stands"),
        ("[\"X\",0,\"=x\"]".to_owned(), "where a name stands"),
    ] {
        let why = refusal(more, &to);
        assert!(why.contains(expected), "{expected}: {why}");
        assert!(!why.contains(CUSTOMER), "{why}");
    }
    let label = refusal("[\"added\"]", "[0]");
    assert!(label.contains("where a name stands"), "{label}");
}

#[test]
fn an_option_that_nobody_asked_for_is_named_without_its_value() {
    let document = altered(" \",1]", " \",1,\" --aph=evil.example:8080\"]");
    let entry = read(&document).expect("an entry in its form");
    let graft = CachedGraft::of(&source(), &entry, &options()).expect("a graft");
    let additions = graft.additions.join(", ");
    assert!(
        additions.contains("--aph in `FALCONCTL_OPTS`"),
        "{additions}"
    );
    assert!(!additions.contains("evil"), "{additions}");
}

#[test]
fn a_graft_that_holds_a_secret_in_another_form_is_not_kept() {
    for more in [
        CUSTOMER.to_uppercase(),
        CUSTOMER[..32].to_owned(),
        "a1b2c3d4".to_owned(),
        "token A1B2C3D4".to_owned(),
    ] {
        assert_eq!(entry_of(&change(&more)), Err(NotKept::SecretForm), "{more}");
    }
    let mut labelled = change("more");
    labelled.labels.insert(CUSTOMER.replace('-', ""), json!(""));
    assert_eq!(entry_of(&labelled), Err(NotKept::SecretForm));
    // A literal one has a placeholder.
    let literal = change(&format!("{CUSTOMER} --provisioning-token=A1B2C3D4"));
    assert!(entry_of(&literal).is_ok());
}

#[test]
fn a_source_that_holds_a_secret_is_not_kept() {
    let mut source = source();
    source.config["config"]["Env"] =
        json!(["PATH=/bin", format!("ID={}", CUSTOMER.to_uppercase())]);
    let graft = Graft {
        source: source.runtime_config(),
        options: &options(),
        change: &change("more"),
        layer: &layer(),
        names: &[],
    };
    let question = Question::new(&source.config, &Digest::of(b"sensor"), &options());
    assert_eq!(Entry::of(&question, &graft), Err(NotKept::SecretInSource));
}
