//! The partitions of AWS, each with host names and ARNs of its own.

/// A partition: regions that share accounts, host names and ARNs.
///
/// Sources are botocore's `partitions.json`
/// (<https://github.com/boto/botocore/blob/develop/botocore/data/partitions.json>), ECR's list of endpoints
/// (<https://docs.aws.amazon.com/general/latest/gr/ecr.html>), and the pattern of registry names in ECR's credential
/// helper (<https://github.com/awslabs/amazon-ecr-credential-helper>).
#[derive(Debug, PartialEq, Eq)]
pub struct Partition {
    /// The second part of its ARNs.
    pub name: &'static str,
    /// Its best-known region, which has an STS of its own.
    pub home_region: &'static str,
    /// The start of its regions' names; empty for the partition of all other regions.
    region_prefixes: &'static [&'static str],
    /// The domain of its services and registries.
    pub domain: &'static str,
    /// The domain of its services that also answer over IPv6.
    pub dual_stack_domain: &'static str,
    /// The domains of its registries that also answer over IPv6; none where AWS has published no name.
    pub dual_stack_registries: &'static [&'static str],
}

/// All partitions. The one of all other regions comes last.
pub static PARTITIONS: [Partition; 8] = [
    Partition {
        name: "aws-cn",
        home_region: "cn-north-1",
        region_prefixes: &["cn-"],
        domain: "amazonaws.com.cn",
        dual_stack_domain: "api.amazonwebservices.com.cn",
        // The user guide of China prints the short one, and the credential helper knows the long one.
        dual_stack_registries: &["on.amazonwebservices.com.cn", "on.aws"],
    },
    Partition {
        name: "aws-us-gov",
        home_region: "us-gov-west-1",
        region_prefixes: &["us-gov-"],
        domain: "amazonaws.com",
        dual_stack_domain: "api.aws",
        dual_stack_registries: &["on.aws"],
    },
    Partition {
        name: "aws-eusc",
        home_region: "eusc-de-east-1",
        region_prefixes: &["eusc-"],
        domain: "amazonaws.eu",
        dual_stack_domain: "api.amazonwebservices.eu",
        dual_stack_registries: &["on.amazonwebservices.eu"],
    },
    Partition {
        name: "aws-iso",
        home_region: "us-iso-east-1",
        region_prefixes: &["us-iso-"],
        domain: "c2s.ic.gov",
        dual_stack_domain: "api.aws.ic.gov",
        dual_stack_registries: &[],
    },
    Partition {
        name: "aws-iso-b",
        home_region: "us-isob-east-1",
        region_prefixes: &["us-isob-"],
        domain: "sc2s.sgov.gov",
        dual_stack_domain: "api.aws.scloud",
        dual_stack_registries: &[],
    },
    Partition {
        name: "aws-iso-e",
        home_region: "eu-isoe-west-1",
        region_prefixes: &["eu-isoe-"],
        domain: "cloud.adc-e.uk",
        dual_stack_domain: "api.cloud-aws.adc-e.uk",
        dual_stack_registries: &[],
    },
    Partition {
        name: "aws-iso-f",
        home_region: "us-isof-south-1",
        region_prefixes: &["us-isof-"],
        domain: "csp.hci.ic.gov",
        dual_stack_domain: "api.aws.hci.ic.gov",
        dual_stack_registries: &[],
    },
    Partition {
        name: "aws",
        home_region: "us-east-1",
        region_prefixes: &[""],
        domain: "amazonaws.com",
        dual_stack_domain: "api.aws",
        dual_stack_registries: &["on.aws"],
    },
];

impl Partition {
    /// Returns the partition of a region, known or new.
    #[must_use]
    pub fn of_region(region: &str) -> &'static Self {
        let has = |partition: &&Self| {
            let mut prefixes = partition.region_prefixes.iter();
            prefixes.any(|prefix| region.starts_with(prefix))
        };
        let [.., standard] = &PARTITIONS;
        PARTITIONS.iter().find(has).unwrap_or(standard)
    }

    /// Returns the partition with this name in ARNs.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        PARTITIONS.iter().find(|partition| partition.name == name)
    }

    /// All domains of the partition.
    pub fn domains(&self) -> impl Iterator<Item = &'static str> {
        [self.domain, self.dual_stack_domain]
            .into_iter()
            .chain(self.dual_stack_registries.iter().copied())
    }
}

#[cfg(test)]
mod tests {
    use super::{PARTITIONS, Partition};

    #[test]
    fn each_region_is_in_one_partition() {
        for (region, name) in [
            ("eu-west-1", "aws"),
            ("us-gov-east-1", "aws-us-gov"),
            ("cn-northwest-1", "aws-cn"),
            ("eusc-de-east-1", "aws-eusc"),
            ("us-iso-west-1", "aws-iso"),
            ("us-isob-east-1", "aws-iso-b"),
            ("eu-isoe-west-1", "aws-iso-e"),
            ("us-isof-south-1", "aws-iso-f"),
            ("mx-central-1", "aws"),
        ] {
            assert_eq!(Partition::of_region(region).name, name, "{region}");
        }
        for partition in &PARTITIONS {
            assert_eq!(Partition::of_region(partition.home_region), partition);
            assert_eq!(Partition::named(partition.name), Some(partition));
        }
        assert_eq!(Partition::named("aws-x"), None);
    }
}
