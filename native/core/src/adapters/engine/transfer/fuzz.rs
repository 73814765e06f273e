use super::message::Message;
use crate::test_support::fuzz::{changed_text, fuzz};

#[test]
fn messages_of_any_form_are_read_or_refused() {
    let samples = [
        r#"{"status":"Downloading","progressDetail":{"current":1,"total":2},"progress":"[=>]","id":"a"}"#,
        r#"{"errorDetail":{"code":125,"message":"no"},"error":"no"}"#,
    ];
    let pieces = [
        "null",
        "{}",
        "-1",
        "1e99",
        "\"error\":1,",
        "99999",
        "\u{7}",
        "##vso[",
        "]",
    ];
    fuzz("messages", &changed_text(&samples, &pieces), |text| {
        if let Ok(mut message) = serde_json::from_str::<Message>(&text) {
            let _ = message.fault();
        }
        Ok(())
    });
}
