use proptest::prop_assert;
use reqwest::header::{HeaderMap, HeaderValue, LINK, WWW_AUTHENTICATE};

use super::challenge::challenges;
use super::next_page::next_page;
use crate::domain::reference::repository::Repository;
use crate::domain::registry_login::RegistryLogin;
use crate::test_support::fuzz::{changed_text, fuzz};

#[test]
fn challenges_links_and_logins_of_any_form_are_read_or_refused() {
    let samples = [
        r#"Bearer realm="https://auth.example/token",service="r",scope="repository:app/web:pull""#,
        "Basic realm=\"r\", Bearer realm=x",
        r#"</v2/app/web/tags/list?last=1&n=2>; rel="next""#,
        "QVdTOnBhc3N3b3Jk",
    ];
    let pieces = [
        "\"",
        "\\",
        ",",
        "=",
        ";",
        "<",
        ">",
        " ",
        "%00",
        "//evil.example/",
        "..",
        "?",
        "é",
        "Bearer ",
        "rel=next",
    ];
    let repository = Repository::new("r.example", "app/web");
    fuzz("headers", &changed_text(&samples, &pieces), |text| {
        let _ = RegistryLogin::decode(&text);
        let Ok(value) = HeaderValue::from_bytes(text.as_bytes()) else {
            return Ok(());
        };
        let headers = HeaderMap::from_iter([(WWW_AUTHENTICATE, value.clone()), (LINK, value)]);
        let _ = challenges(&headers);
        let path = "/v2/app/web/tags/list";
        if let Ok(Some(next)) = next_page(&repository, path, &headers) {
            prop_assert!(next.starts_with("/v2/app/web/tags/list?"), "{next}");
        }
        Ok(())
    });
}
