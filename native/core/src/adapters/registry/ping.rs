//! The first question of the API
//! (<https://github.com/opencontainers/distribution-spec/blob/main/spec.md#determining-support>).

use super::client::Registry;
use super::request_kind::RegistryRequest;
use super::transport::Request;
use crate::domain::reference::repository::Repository;

const ANSWER_LIMIT: usize = 64 * 1024;

impl Registry {
    /// Returns true if a repository's registry answers; asked once.
    pub async fn answers(&self, repository: &Repository) -> bool {
        let request = Request {
            kind: RegistryRequest::Ping,
            repository: repository.clone(),
            path: "/v2/".to_owned(),
            offset: 0,
            accept: None,
            body: None,
            limit: ANSWER_LIMIT,
        };
        let answer = self.0.try_once(&request).await;
        answer.is_ok_and(|answer| answer.status.is_success())
    }
}
