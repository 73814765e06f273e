//! The host names of ECR's registries.

use crate::domain::aws::partition::Partition;

/// An ECR registry's host, taken apart.
///
/// Forms: `N.dkr.ecr[-fips].REGION.DOMAIN` and the dual-stack `N.dkr-ecr[-fips].REGION.DOMAIN`, with the domains of
/// the region's partition (<https://docs.aws.amazon.com/general/latest/gr/ecr.html>). The match is anchored at both
/// ends: an authorization token goes to no other host.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EcrHost {
    /// The twelve digits of the account, which are the registry ID.
    pub account: String,
    /// The region, such as `eu-west-1`.
    pub region: String,
}

impl EcrHost {
    /// Takes a host apart; `None` if it is not one of ECR's.
    #[must_use]
    pub fn parse(host: &str) -> Option<Self> {
        let (account, rest) = host.split_once('.')?;
        let is_account = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
        let single = ["dkr.ecr.", "dkr.ecr-fips."]
            .iter()
            .find_map(|service| rest.strip_prefix(service));
        let dual = ["dkr-ecr.", "dkr-ecr-fips."]
            .iter()
            .find_map(|service| rest.strip_prefix(service));
        let (region, domain) = single.or(dual)?.split_once('.')?;
        let is_region = !region.is_empty()
            && region
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        let partition = Partition::of_region(region);
        let is_domain = match single {
            Some(_) => partition.domain == domain,
            None => partition.dual_stack_registries.contains(&domain),
        };
        (is_account && is_region && is_domain).then(|| Self {
            account: account.to_owned(),
            region: region.to_owned(),
        })
    }

    /// The host of the registry that an account has in a region.
    #[must_use]
    pub fn name(account: &str, region: &str) -> String {
        let domain = Partition::of_region(region).domain;
        format!("{account}.dkr.ecr.{region}.{domain}")
    }

    /// The ARN of a repository in the registry.
    #[must_use]
    pub fn repository_arn(&self, name: &str) -> String {
        let Self { account, region } = self;
        let partition = Partition::of_region(region).name;
        format!("arn:{partition}:ecr:{region}:{account}:repository/{name}")
    }
}

#[cfg(test)]
mod tests {
    use super::EcrHost;

    #[test]
    fn every_form_of_ecr_host_is_known() {
        for (host, region) in [
            ("123456789012.dkr.ecr.eu-west-1.amazonaws.com", "eu-west-1"),
            (
                "123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com",
                "us-gov-west-1",
            ),
            (
                "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn",
                "cn-north-1",
            ),
            ("123456789012.dkr-ecr.eu-west-1.on.aws", "eu-west-1"),
            ("123456789012.dkr-ecr-fips.us-east-1.on.aws", "us-east-1"),
            (
                "123456789012.dkr.ecr.eusc-de-east-1.amazonaws.eu",
                "eusc-de-east-1",
            ),
            (
                "123456789012.dkr-ecr.eusc-de-east-1.on.amazonwebservices.eu",
                "eusc-de-east-1",
            ),
            (
                "123456789012.dkr-ecr.cn-north-1.on.amazonwebservices.com.cn",
                "cn-north-1",
            ),
            ("123456789012.dkr-ecr.cn-north-1.on.aws", "cn-north-1"),
            (
                "123456789012.dkr.ecr.us-iso-east-1.c2s.ic.gov",
                "us-iso-east-1",
            ),
            (
                "123456789012.dkr.ecr.us-isob-east-1.sc2s.sgov.gov",
                "us-isob-east-1",
            ),
            (
                "123456789012.dkr.ecr.eu-isoe-west-1.cloud.adc-e.uk",
                "eu-isoe-west-1",
            ),
            (
                "123456789012.dkr.ecr-fips.us-isof-south-1.csp.hci.ic.gov",
                "us-isof-south-1",
            ),
        ] {
            let parsed = EcrHost::parse(host).unwrap_or_else(|| panic!("{host}"));
            assert_eq!(parsed.region, region);
        }
    }

    #[test]
    fn a_host_that_only_looks_like_ecr_is_not_ecr() {
        for host in [
            "123456789012.dkr.ecr.eu-west-1.amazonaws.com.evil.example",
            "evil.123456789012.dkr.ecr.eu-west-1.amazonaws.com",
            "12345.dkr.ecr.eu-west-1.amazonaws.com",
            "123456789012.dkr.ecr.a.b.amazonaws.com",
            "123456789012.dkr.ecr..amazonaws.com",
            "123456789012.dkr.ecr.eu-west-1.amazonaws.com:8443",
            "123456789012.dkr.ecr.eusc-de-east-1.amazonaws.com",
            "123456789012.dkr.ecr.cn-north-1.amazonaws.com",
            "123456789012.dkr.ecr.eu-west-1.amazonaws.eu",
            "123456789012.dkr.ecr.eu-west-1.on.aws",
            "123456789012.dkr-ecr.us-iso-east-1.on.aws",
            "public.ecr.aws",
        ] {
            assert_eq!(EcrHost::parse(host), None, "{host}");
        }
    }

    #[test]
    fn hosts_and_arns_follow_the_partition() {
        for (region, host, arn) in [
            ("eu-west-1", "dkr.ecr.eu-west-1.amazonaws.com", "arn:aws:"),
            (
                "cn-north-1",
                "dkr.ecr.cn-north-1.amazonaws.com.cn",
                "arn:aws-cn:",
            ),
            (
                "eusc-de-east-1",
                "dkr.ecr.eusc-de-east-1.amazonaws.eu",
                "arn:aws-eusc:",
            ),
            (
                "us-gov-west-1",
                "dkr.ecr.us-gov-west-1.amazonaws.com",
                "arn:aws-us-gov:",
            ),
        ] {
            let name = EcrHost::name("123456789012", region);
            assert_eq!(name, format!("123456789012.{host}"));
            let parsed = EcrHost::parse(&name).expect("one of ECR's hosts");
            let expected = format!("{arn}ecr:{region}:123456789012:repository/app/web");
            assert_eq!(parsed.repository_arn("app/web"), expected);
        }
    }
}
