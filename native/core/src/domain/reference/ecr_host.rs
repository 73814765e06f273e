//! The host names of ECR's registries.

/// An ECR registry's host, taken apart.
///
/// Forms: `N.dkr.ecr[-fips].REGION.amazonaws.com[.cn]` and the dual-stack
/// `N.dkr-ecr[-fips].REGION.on.aws`
/// (<https://docs.aws.amazon.com/general/latest/gr/ecr.html>). The match is anchored at both ends:
/// an authorization token goes to no other host.
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
        let region = Self::single_stack(rest).or_else(|| Self::dual_stack(rest))?;
        let is_region = !region.is_empty()
            && region
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        (is_account && is_region).then(|| Self {
            account: account.to_owned(),
            region: region.to_owned(),
        })
    }

    fn single_stack(rest: &str) -> Option<&str> {
        let rest = rest
            .strip_prefix("dkr.ecr.")
            .or_else(|| rest.strip_prefix("dkr.ecr-fips."))?;
        rest.strip_suffix(".amazonaws.com.cn")
            .or_else(|| rest.strip_suffix(".amazonaws.com"))
    }

    fn dual_stack(rest: &str) -> Option<&str> {
        rest.strip_prefix("dkr-ecr.")
            .or_else(|| rest.strip_prefix("dkr-ecr-fips."))?
            .strip_suffix(".on.aws")
    }

    /// The host of the registry that an account has in a region.
    #[must_use]
    pub fn name(account: &str, region: &str) -> String {
        let suffix = if region.starts_with("cn-") {
            "amazonaws.com.cn"
        } else {
            "amazonaws.com"
        };
        format!("{account}.dkr.ecr.{region}.{suffix}")
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
            "public.ecr.aws",
        ] {
            assert_eq!(EcrHost::parse(host), None, "{host}");
        }
    }

    #[test]
    fn the_host_of_an_account_follows_the_partition() {
        assert_eq!(
            EcrHost::name("123456789012", "cn-north-1"),
            "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn"
        );
    }
}
