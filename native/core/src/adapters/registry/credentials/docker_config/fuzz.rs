use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prop_assert;

use super::{File, find};
use crate::domain::reference::repository::Repository;
use crate::test_support::fuzz::{changed_text, fuzz};

const PASSWORD: &str = "S3CR3T-VALUE";

#[test]
fn files_of_any_form_are_read_or_refused_and_no_password_is_shown() {
    let auth = STANDARD.encode(format!("ci:{PASSWORD}"));
    let samples = [
        format!(r#"{{"auths":{{"ghcr.io":{{"auth":"{auth}"}},"https://ghcr.io/v2/app":{{}}}}}}"#),
        format!(r#"{{"auths":{{"ghcr.io":{{"username":"ci","password":"{PASSWORD}"}}}}}}"#),
        format!(r#"{{"auths":{{"ghcr.io":{{"identitytoken":"{PASSWORD}"}}}}}}"#),
        r#"{"credsStore":"pass","credHelpers":{"ghcr.io":"ecr-login"},"auths":null}"#.to_owned(),
    ];
    let samples: Vec<&str> = samples.iter().map(String::as_str).collect();
    let pieces = [
        "null",
        "[]",
        "{}",
        "\"\"",
        ",",
        "://",
        "/",
        "/v1/",
        "ghcr.io",
        "\"ghcr.io\":{},",
        "=",
        "\\u0000",
        "../",
    ];
    let repository = Repository::new("ghcr.io", "app/web");
    fuzz("docker-config", &changed_text(&samples, &pieces), |text| {
        let Ok(file) = serde_json::from_str::<File>(&text) else {
            return Ok(());
        };
        let _ = file.helper(&repository);
        let entries = file.auths.as_ref().map(|auths| find(auths, &repository));
        for entry in entries.into_iter().flatten().flatten() {
            match entry.login() {
                Ok(login) => {
                    let password = login.as_ref().map(|login| login.password.reveal());
                    // A change of the user's name is not a secret, and may hold anything.
                    let is_whole = password == Some(PASSWORD);
                    let shown = format!("{login:?}");
                    prop_assert!(!is_whole || !shown.contains(PASSWORD));
                }
                Err(why) => prop_assert!(!why.contains(PASSWORD), "{why}"),
            }
        }
        Ok(())
    });
}
