//! Tags in pages.

use super::{Setting, refusal};
use crate::adapters::registry::error::RegistryError;
use crate::domain::reference::tag::Tag;
use crate::report::code::Code;
use crate::report::problem::Explain as _;
use crate::test_support::loopback_server::{Received, Reply};

async fn tags(
    answer: impl Fn(&Received, usize) -> Reply + Send + Sync + 'static,
) -> (Result<Vec<Tag>, RegistryError>, Vec<String>) {
    let setting = Setting::of(answer).await;
    let tags = setting.registry.tags(&setting.repository()).await;
    (tags, setting.server.lines())
}

#[tokio::test]
async fn a_list_of_tags_is_read_to_its_last_page() {
    let (tags, lines) = tags(|received, earlier| {
        let next = match earlier {
            0 => "</v2/app/web/tags/list?last=b&n=2>; rel=\"next\"".to_owned(),
            1 => format!(
                "<http://{}/v2/app/web/tags/list?last=c&n=2>; rel=next",
                received.header("host").unwrap_or_default()
            ),
            _ => "</style.css>; rel=\"preload\"".to_owned(),
        };
        let body = [
            r#"{"tags":["a","b"]}"#,
            r#"{"name":"app/web","tags":["c","not a tag"]}"#,
            r#"{"tags":null}"#,
        ][earlier];
        Reply::new(200, &[("link", &next)], body)
    })
    .await;
    let tags: Vec<String> = tags
        .expect("tags")
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(tags, ["a", "b", "c"]);
    assert_eq!(
        lines,
        [
            "GET /v2/app/web/tags/list?n=1000",
            "GET /v2/app/web/tags/list?last=b&n=2",
            "GET /v2/app/web/tags/list?last=c&n=2",
        ]
    );
}

#[tokio::test]
async fn a_list_without_end_is_a_failure_and_a_missing_repository_its_own() {
    let (endless, _) = tags(|_, earlier| {
        let next = format!("</v2/app/web/tags/list?last={earlier}>; rel=\"next\"");
        Reply::new(200, &[("link", &next)], r#"{"tags":["a"]}"#)
    })
    .await;
    assert_eq!(
        endless.expect_err("a failure").code(),
        Code::RegistryAnswerInvalid
    );
    let (missing, _) = tags(|_, _| refusal(404, "NAME_UNKNOWN", "no")).await;
    assert_eq!(
        missing.expect_err("a failure").code(),
        Code::RegistryImageNotFound
    );
}

#[tokio::test]
async fn a_list_that_cannot_be_read_to_its_end_is_a_failure() {
    for (link, body) in [
        (
            "<https://other.example/tags?last=b>; rel=\"next\"",
            r#"{"tags":["a"]}"#,
        ),
        ("<?n=1000>; rel=\"next\"", r#"{"tags":["a"]}"#),
        ("", r#"{"name":"app/web"}"#),
    ] {
        let (tags, lines) = tags(move |_, _| Reply::new(200, &[("link", link)], body)).await;
        let error = tags.expect_err("a failure");
        assert_eq!(error.code(), Code::RegistryAnswerInvalid, "{error:?}");
        assert_eq!(lines.len(), 1);
    }
}

#[tokio::test]
async fn a_list_that_is_too_long_is_a_failure() {
    let page = format!(r#"{{"tags":["a"{}]}}"#, r#","a""#.repeat(99_999));
    let (tags, lines) = tags(move |_, earlier| {
        let next = format!("</v2/app/web/tags/list?last={earlier}>; rel=\"next\"");
        Reply::new(200, &[("link", &next)], &page)
    })
    .await;
    assert_eq!(
        tags.expect_err("a failure").code(),
        Code::RegistryAnswerInvalid
    );
    assert_eq!(lines.len(), 3);
}
