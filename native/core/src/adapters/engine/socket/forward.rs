//! Answers each request by the access that the container has.

use std::sync::Arc;

use hyper::Request;
use hyper::body::Incoming;
use tokio_util::sync::CancellationToken;

use super::access::Access;
use super::answer::SocketAnswer;
use super::direct::Direct;
use super::filter::forward::Filter;
use super::grant::Grant;
use super::refusals::Refusals;
use crate::adapters::engine::wire::Wire;

/// Answers requests.
#[derive(Debug)]
pub(super) enum Forwarder {
    Filtered(Filter),
    Direct(Direct),
}

impl Forwarder {
    pub(super) fn new(
        wire: Wire,
        grant: Grant,
        access: Access,
        refusals: Arc<Refusals>,
        stop: CancellationToken,
    ) -> Self {
        match access {
            Access::Filtered => Self::Filtered(Filter::new(wire, grant, refusals)),
            Access::Direct => Self::Direct(Direct::new(wire, grant, stop)),
        }
    }

    pub(super) async fn answer(&self, request: Request<Incoming>) -> SocketAnswer {
        match self {
            Self::Filtered(filter) => filter.answer(request).await,
            Self::Direct(direct) => direct.answer(request).await,
        }
    }
}
