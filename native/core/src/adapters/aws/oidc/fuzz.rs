use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prop_assert;
use reqwest::StatusCode;

use super::{Claims, read};
use crate::report::secret::Secret;
use crate::test_support::fuzz::{changed_text, fuzz};

#[test]
fn answers_and_claims_of_any_form_are_read_or_refused() {
    let samples = [
        r#"{"oidcToken":"eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJodHRwczovL2EifQ.c2ln"}"#,
        r#"{"iss":"https://vstoken.example/1","sub":"sc://a/b/c","aud":["api://AzureADTokenExchange"]}"#,
        r#"{"message":"no such connection","typeKey":"X"}"#,
    ];
    let pieces = [
        "null", "[]", "{}", "\"\"", ".", "==", "\\u0000", "\u{202e}", "##vso[", "\\n", ",",
    ];
    fuzz("oidc", &changed_text(&samples, &pieces), |text| {
        for status in [StatusCode::OK, StatusCode::UNAUTHORIZED] {
            if let Ok(token) = read(status, text.as_bytes()) {
                prop_assert!(status == StatusCode::OK && !token.reveal().is_empty());
                let _ = Claims::of(&token);
            }
        }
        let payload = URL_SAFE_NO_PAD.encode(&text);
        if let Some(claims) = Claims::of(&Secret::new(format!("e30.{payload}.c2ln"))) {
            let shown = [&claims.issuer, &claims.subject, &claims.audience];
            for claim in shown {
                prop_assert!(!claim.contains(char::is_control), "{claim:?}");
            }
        }
        Ok(())
    });
}
