use serde::Deserialize;

use crate::adapters::engine::error::fault::Fault;

/// A line of a transfer. The fields `error` and `errorDetail` both count, alone or together: the first is deprecated
/// since API 1.48, and either has been seen without the other or without a text.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Message {
    pub(super) id: Option<String>,
    pub(super) status: Option<String>,
    #[serde(rename = "progressDetail")]
    pub(super) progress: Option<ProgressDetail>,
    error: Option<String>,
    #[serde(rename = "errorDetail")]
    error_detail: Option<ErrorDetail>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct ProgressDetail {
    pub(super) current: Option<u64>,
    pub(super) total: Option<u64>,
}

#[derive(Debug, Deserialize)]
struct ErrorDetail {
    code: Option<u16>,
    message: Option<String>,
}

impl Message {
    /// Failure that the line tells.
    pub(super) fn fault(&mut self) -> Option<Fault> {
        let detail = self.error_detail.take();
        let error = self.error.take();
        if detail.is_none() && error.is_none() {
            return None;
        }
        let status = detail.as_ref().and_then(|detail| detail.code);
        let message = detail.and_then(|detail| detail.message).or(error);
        Some(Fault::Refused {
            status,
            message: message.unwrap_or_default(),
        })
    }
}
