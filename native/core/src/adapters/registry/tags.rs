//! The tags of a repository
//! (<https://github.com/opencontainers/distribution-spec/blob/main/spec.md#listing-tags>).

use serde::Deserialize;

use super::client::Registry;
use super::error::RegistryError;
use super::next_page::next_page;
use super::request_kind::RegistryRequest;
use super::subject::Subject;
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
    /// Distribution writes `null` for a repository without tags; an answer without the field is not a list.
    #[serde(deserialize_with = "Option::deserialize")]
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
                kind: RegistryRequest::Tags,
                repository: repository.clone(),
                path,
                offset: 0,
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
            let next = next_page(repository, &request.path, &answer.headers).map_err(|why| {
                subject.invalid(&format!(
                    "the list of tags cannot be read to its end: {why}"
                ))
            })?;
            match next {
                Some(next) => path = next,
                None => return Ok(tags),
            }
        }
        Err(subject.invalid(&format!("the list of tags has more than {PAGES} pages")))
    }
}
