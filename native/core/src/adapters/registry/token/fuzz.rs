use std::time::Duration;

use proptest::prop_assert;

use super::{Body, Issuer, LONGEST_LIFE, life_of, realm};
use crate::domain::address::is_loopback_name;
use crate::test_support::fuzz::{changed_text, fuzz};

#[test]
fn tokens_of_any_form_are_read_or_refused_and_never_live_for_ever() {
    let samples = [
        r#"{"token":"abc","access_token":"def","expires_in":300,"issued_at":"2026-01-02T03:04:05Z"}"#,
        r#"{"access_token":"def","expires_in":"60"}"#,
    ];
    let pieces = [
        "null", "[]", "{}", "-1", "1e400", "1e18", "\"inf\"", "\"NaN\"", "0", "\"\"", "\\ud800",
        ",",
    ];
    fuzz("tokens", &changed_text(&samples, &pieces), |text| {
        if let Ok(body) = serde_json::from_str::<Body>(&text) {
            let life = life_of(body.expires_in.as_ref());
            prop_assert!(life > Duration::ZERO && life <= LONGEST_LIFE, "{life:?}");
        }
        Ok(())
    });
}

#[test]
fn a_login_is_sent_to_no_realm_that_others_can_read() {
    let samples = [
        "https://auth.example/token?service=r",
        "http://127.0.0.1:5000/token",
        "http://auth.example/token",
    ];
    let pieces = [
        "http://",
        "https://",
        "@",
        "/",
        "\\",
        ":443",
        "[::1]",
        "localhost",
        "127.0.0.1",
        "#",
        "?",
        "%00",
        "\t",
        "user:password@",
        "é",
    ];
    fuzz("realms", &changed_text(&samples, &pieces), |text| {
        for registry in ["r.example", "127.0.0.1:5000"] {
            let issuer = Issuer {
                realm: text.clone(),
                service: None,
                scope: None,
            };
            if let Ok(url) = realm(&issuer, registry) {
                let is_here =
                    registry != "r.example" && url.host_str().is_some_and(is_loopback_name);
                prop_assert!(url.scheme() == "https" || is_here, "{url}");
            }
        }
        Ok(())
    });
}
