//! Endpoints that may replace AWS's own.
//!
//! An endpoint can be overridden by environment variables and by the shared configuration. A
//! pipeline's variables become environment variables, and anyone who queues a run can set them. A
//! signed request is worth something to its receiver, and what comes back is a registry's
//! password. So an override counts only for this machine and for the services' own endpoints.

use aws_config::SdkConfig;
use aws_types::service_config::ServiceConfigKey;
use url::{Host, Url};

use super::error::AwsError;
use crate::domain::address::is_loopback_host;
use crate::domain::aws::partition::{PARTITIONS, Partition};

/// The services that this crate and the SDK's credential chain call; IDs as the SDK writes them.
const SERVICES: [&str; 4] = ["ECR", "ECS", "KMS", "STS"];

/// The variables under whose names the shared configuration is looked up. With the first one it
/// keeps silent when it says `ignore_configured_endpoint_urls`, which the chain's clients do not heed.
const LOOKUPS: [&str; 2] = ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_EVEN_IF_IGNORED"];

/// Name in failures of the shared configuration, which has this setting in several places.
const SHARED: &str = "endpoint_url of the shared AWS configuration";

const SHARED_METADATA: &str = "ec2_metadata_service_endpoint of the shared AWS configuration";

/// Place of the credentials of a container.
const CONTAINER: &str = "AWS_CONTAINER_CREDENTIALS_FULL_URI";

/// Place of the credentials of an EC2 instance.
const METADATA: &str = "AWS_EC2_METADATA_SERVICE_ENDPOINT";

/// Addresses of AWS's own servers of credentials: ECS's, EKS's and EC2's
/// (<https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html>).
const NEAR: [&str; 5] = [
    "169.254.170.2",
    "169.254.170.23",
    "fd00:ec2::23",
    "169.254.169.254",
    "fd00:ec2::254",
];

/// Refuses a configuration that sends requests elsewhere.
pub(super) fn check(
    sdk: &SdkConfig,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<(), AwsError> {
    // The chain's own clients follow the variables even where the configuration says to ignore them.
    for suffix in ["", "_ECR", "_ECS", "_KMS", "_STS"] {
        let setting = format!("AWS_ENDPOINT_URL{suffix}");
        if let Some(url) = variable(&setting).filter(|url| !url.is_empty()) {
            check_url(&setting, &url)?;
        }
    }
    for service in SERVICES {
        for variable in LOOKUPS {
            if let Some(url) = configured(sdk, service, variable, "endpoint_url") {
                check_url(SHARED, &url)?;
            }
        }
    }
    sdk.endpoint_url()
        .map_or(Ok(()), |url| check_url(SHARED, url))
}

/// Refuses an override of the places that give the default chain its credentials.
///
/// They are sent a token, and decide as whom everything is done. An agent asks them on this machine
/// or at an address that does not leave it.
pub(super) fn check_chain(
    sdk: &SdkConfig,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<(), AwsError> {
    for setting in [CONTAINER, METADATA] {
        if let Some(url) = variable(setting).filter(|url| !url.is_empty()) {
            require(is_near(&url), setting, &url)?;
        }
    }
    match configured(sdk, "EC2", METADATA, "ec2_metadata_service_endpoint") {
        Some(url) => require(is_near(&url), SHARED_METADATA, &url),
        None => Ok(()),
    }
}

/// Setting of the shared configuration, which environment variables of the same service replace.
fn configured(sdk: &SdkConfig, service: &str, variable: &str, profile: &str) -> Option<String> {
    let key = ServiceConfigKey::builder()
        .service_id(service)
        .env(variable)
        .profile(profile)
        .build();
    sdk.service_config()?.load_config(key.ok()?)
}

fn check_url(setting: &str, url: &str) -> Result<(), AwsError> {
    require(is_allowed(url), setting, url)
}

fn require(is_allowed: bool, setting: &str, url: &str) -> Result<(), AwsError> {
    if is_allowed {
        Ok(())
    } else {
        Err(AwsError::EndpointRefused {
            setting: setting.to_owned(),
            url: crate::report::cause::Cause::said(url).to_string(),
        })
    }
}

/// Returns true if an address is this machine's, or one at which AWS itself serves credentials to it.
fn is_near(url: &str) -> bool {
    let Ok(url) = Url::parse(url) else {
        return false;
    };
    let Some(host) = url.host() else {
        return false;
    };
    let address = host.to_string();
    let is_near = is_loopback_host(&host) || NEAR.contains(&address.trim_matches(['[', ']']));
    is_near && matches!(url.scheme(), "http" | "https")
}

fn is_allowed(url: &str) -> bool {
    let Ok(url) = Url::parse(url) else {
        return false;
    };
    let plain = match url.scheme() {
        "http" => true,
        "https" => false,
        _ => return false,
    };
    match url.host() {
        Some(host) if is_loopback_host(&host) => true,
        Some(Host::Domain(name)) => !plain && is_service(name),
        Some(Host::Ipv4(_) | Host::Ipv6(_)) | None => false,
    }
}

/// Returns true if a host is an endpoint of one of the services.
///
/// The domain alone does not tell: under `amazonaws.com` and `on.aws` lie hosts of AWS's customers
/// as well, such as `ID.execute-api.REGION.amazonaws.com` and `ID.lambda-url.REGION.on.aws`.
fn is_service(name: &str) -> bool {
    PARTITIONS
        .iter()
        .flat_map(Partition::domains)
        .filter_map(|domain| name.strip_suffix(domain)?.strip_suffix('.'))
        .any(|labels| {
            let mut labels: Vec<&str> = labels.split('.').collect();
            // An interface endpoint: `vpce-ID.SERVICE.REGION.vpce.amazonaws.com`.
            if labels.last() == Some(&"vpce") && labels[0].starts_with("vpce-") {
                labels.pop();
                labels.remove(0);
            }
            if labels.first() == Some(&"api") {
                labels.remove(0);
            }
            let is_service = |label: &str| {
                let plain = label.strip_suffix("-fips").unwrap_or(label);
                SERVICES.iter().any(|id| id.eq_ignore_ascii_case(plain))
            };
            match labels.as_slice() {
                [service] => is_service(service),
                [service, region] => is_service(service) && is_region(region),
                _ => false,
            }
        })
}

/// Returns true if a text can be a region, such as `eu-west-1`; the SDK puts it into host names.
pub(super) fn is_region(text: &str) -> bool {
    let mut parts = text.split('-');
    let starts_well = parts
        .next()
        .is_some_and(|part| part.len() >= 2 && part.bytes().all(|b| b.is_ascii_lowercase()));
    let is_part = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    };
    let rest: Vec<&str> = parts.collect();
    starts_well && (2..=4).contains(&rest.len()) && rest.into_iter().all(is_part)
}

#[cfg(test)]
mod tests;
