//! The request for the OIDC token of a service connection.

use url::Url;

use crate::domain::address::is_loopback_host;
use crate::domain::aws::settings::OidcRequest;
use crate::flow::config::check::Check;
use crate::flow::config::input_fault::InputFault;
use crate::flow::inputs::TokenRequest;
use crate::report::secret::Secret;

/// The request for an OIDC token, if the job can send one.
pub(super) fn request(check: &mut Check, request: Option<&TokenRequest>) -> Option<OidcRequest> {
    let Some(request) = request.filter(|request| !request.job_token.is_empty()) else {
        check.refuse(
            InputFault::AwsOidcUnavailable,
            "awsConnection",
            "the service connection uses OIDC, and this job has no address or no token to request an OIDC token",
        );
        return None;
    };
    let Some(url) = trusted_url(request) else {
        check.refuse(
            InputFault::AwsEndpointRefused,
            "awsConnection",
            "the address for OIDC tokens in the environment is not that of the server that runs the job, and would see the job's token",
        );
        return None;
    };
    Some(OidcRequest {
        url,
        job_token: Secret::new(&request.job_token),
    })
}

/// The address, if it may see the job's token. It is an environment variable, which a user who queues a run may be able
/// to set.
fn trusted_url(request: &TokenRequest) -> Option<Url> {
    let url = Url::parse(&request.url).ok()?;
    let is_here = is_loopback_host(&url.host()?);
    let host = url.host_str()?;
    let is_listed = |listed: &String| match listed.strip_prefix('.') {
        Some(_) => host.ends_with(listed.as_str()),
        None => host == listed,
    };
    let is_trusted = match url.scheme() {
        "https" => is_here || request.hosts.iter().any(is_listed),
        "http" => is_here,
        _ => false,
    };
    is_trusted.then_some(url)
}
