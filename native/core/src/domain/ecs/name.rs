//! Names of clusters and services, as users write them.

use super::field::is_name;

/// A cluster or a service by its name or its ARN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EcsName {
    /// The text as it was given, which ECS takes as it is.
    pub text: String,
    /// The region that an ARN names.
    pub region: Option<String>,
    /// The cluster that the ARN of a service names.
    pub cluster: Option<String>,
}

impl EcsName {
    /// Reads the name or the ARN of a `kind`, `cluster` or `service`; none if the text is neither.
    #[must_use]
    pub fn parse(text: &str, kind: &str) -> Option<Self> {
        let plain = || Self {
            text: text.to_owned(),
            region: None,
            cluster: None,
        };
        if is_name(text) {
            return Some(plain());
        }
        // arn:PARTITION:ecs:REGION:ACCOUNT:KIND/NAME, or KIND/CLUSTER/NAME for a service.
        let parts: Vec<&str> = text.split(':').collect();
        let &["arn", partition, "ecs", region, account, resource] = parts.as_slice() else {
            return None;
        };
        let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
        if !is_name(partition) || !is_name(region) || !is_account {
            return None;
        }
        let path: Vec<&str> = resource.split('/').collect();
        let (&found, names) = path.split_first()?;
        let is_long = found == "service" && names.len() == 2;
        if found != kind
            || !(names.len() == 1 || is_long)
            || !names.iter().all(|name| is_name(name))
        {
            return None;
        }
        Some(Self {
            region: Some(region.to_owned()),
            cluster: is_long.then(|| names[0].to_owned()),
            ..plain()
        })
    }

    /// Returns the name alone.
    #[must_use]
    pub fn name(&self) -> &str {
        self.text.rsplit('/').next().unwrap_or(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::EcsName;

    #[test]
    fn names_and_arns_are_read() {
        let name = EcsName::parse("web-1_a", "service").expect("a name");
        assert_eq!(name.name(), "web-1_a");
        assert_eq!(name.region, None);
        let arn = "arn:aws:ecs:eu-west-1:123456789012:service/prod/web";
        let service = EcsName::parse(arn, "service").expect("an ARN");
        assert_eq!(service.name(), "web");
        assert_eq!(service.region.as_deref(), Some("eu-west-1"));
        assert_eq!(service.cluster.as_deref(), Some("prod"));
        let arn = "arn:aws-cn:ecs:cn-north-1:123456789012:cluster/prod";
        let cluster = EcsName::parse(arn, "cluster").expect("an ARN");
        assert_eq!(cluster.name(), "prod");
        assert_eq!(cluster.cluster, None);
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "my cluster",
            "prod/web",
            "arn:aws:ecs:eu-west-1:123456789012:service/prod/web",
            "arn:aws:ecs:eu-west-1:123456789012:cluster/a/b",
            "arn:aws:ecs:eu-west-1:1:cluster/prod",
            "arn:aws:ecr:eu-west-1:123456789012:cluster/prod",
            "arn:aws:ecs::123456789012:cluster/prod",
        ] {
            assert_eq!(EcsName::parse(text, "cluster"), None, "{text}");
        }
    }
}
