//! The tags of a repository
//! (<https://github.com/opencontainers/distribution-spec/blob/main/spec.md#listing-tags>).

use reqwest::header::{HeaderMap, LINK};
use reqwest::{Method, Url};
use serde::Deserialize;

use super::client::Registry;
use super::error::RegistryError;
use super::subject::Subject;
use super::transport;
use super::transport::Request;
use crate::domain::reference::repository::Repository;
use crate::domain::reference::tag::Tag;

const PAGE_LIMIT: usize = 4 * 1024 * 1024;

/// The tags of one page; registries that find it too many give fewer.
const PAGE_SIZE: usize = 1000;

/// A registry that never comes to an end is not followed for ever.
const PAGES: usize = 200;

/// The most tags that are read of a repository; ECR holds a tenth of it.
const TAGS: usize = PAGES * PAGE_SIZE;

#[derive(Deserialize)]
struct Page {
    /// Distribution writes `null` for a repository without tags.
    tags: Option<Vec<String>>,
}

impl Registry {
    /// All tags, page after page, in the registry's order.
    pub async fn tags(&self, repository: &Repository) -> Result<Vec<Tag>, RegistryError> {
        let subject = Subject::read(repository, None);
        let mut tags = Vec::new();
        let mut path = format!("/v2/{}/tags/list?n={PAGE_SIZE}", repository.name);
        for _ in 0..PAGES {
            let request = Request {
                method: Method::GET,
                repository: repository.clone(),
                path,
                accept: None,
                body: None,
                limit: PAGE_LIMIT,
            };
            let answer = self.get(&subject, &request).await?;
            let page: Page = serde_json::from_slice(&answer.body).map_err(|error| {
                subject.invalid(&format!("the list of tags cannot be read: {error}"))
            })?;
            let page = page.tags.unwrap_or_default();
            if tags.len() + page.len() > TAGS {
                return Err(subject.invalid(&format!("it lists more than {TAGS} tags")));
            }
            tags.extend(page.iter().filter_map(|tag| tag.parse::<Tag>().ok()));
            match next(repository, &request.path, &answer.headers) {
                Some(next) => path = next,
                None => return Ok(tags),
            }
        }
        Err(subject.invalid("the list of tags has no end"))
    }
}

/// The next page, if there is one; it is in the same registry, whatever the answer says.
pub(super) fn next(repository: &Repository, path: &str, headers: &HeaderMap) -> Option<String> {
    let links = headers.get_all(LINK).iter();
    let links: Vec<&str> = links.filter_map(|link| link.to_str().ok()).collect();
    let target = links.iter().find_map(|link| {
        let (target, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
        let is_next = parameters
            .split(';')
            .any(|parameter| matches!(parameter.trim(), "rel=next" | r#"rel="next""#));
        is_next.then_some(target)
    })?;
    let this: Url = transport::url(repository, path).ok()?;
    let next = this.join(target).ok()?;
    let is_list = next.path() == this.path() && next.query() != this.query();
    is_list.then(|| format!("{}?{}", next.path(), next.query().unwrap_or_default()))
}
