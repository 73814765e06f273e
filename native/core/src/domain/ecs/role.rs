//! The IAM roles of a task definition.

use serde_json::{Map, Value};

use super::findings::Findings;
use super::placeholder::placeholders;

/// Refuses roles that IAM cannot have, and a definition without the role that pulls the image.
pub(super) fn check(findings: &mut Findings, input: &Map<String, Value>) {
    if !input.contains_key("executionRoleArn") {
        findings.refuse(
            "executionRoleArn",
            "is missing: with that role Fargate pulls the image from ECR",
        );
    }
    for field in ["executionRoleArn", "taskRoleArn"] {
        let role = input.get(field).and_then(Value::as_str);
        if let Some(role) = role.filter(|role| !is_role(role) && placeholders(role).is_empty()) {
            findings.refuse(
                field,
                format!("is `{role}`, which is not the ARN of an IAM role, such as `arn:aws:iam::123456789012:role/ecsTaskExecutionRole`"),
            );
        }
    }
}

/// Returns true for a role's ARN, and for its name alone, which ECS takes too
/// (<https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RegisterTaskDefinition.html>).
fn is_role(text: &str) -> bool {
    let Some(arn) = text.strip_prefix("arn:") else {
        return is_role_name(text);
    };
    let parts: Vec<&str> = arn.split(':').collect();
    let [partition, "iam", "", account, resource] = parts.as_slice() else {
        return false;
    };
    let is_account = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
    let path = resource.strip_prefix("role/");
    let name = path.and_then(|path| path.rsplit('/').next());
    partition.starts_with("aws") && is_account && name.is_some_and(is_role_name)
}

/// The names that IAM allows (<https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html>).
fn is_role_name(text: &str) -> bool {
    let is_allowed =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '+' | '=' | ',' | '.' | '@' | '-');
    (1..=64).contains(&text.len()) && text.chars().all(is_allowed)
}

#[cfg(test)]
mod tests {
    use super::is_role;

    #[test]
    fn roles_are_told_from_other_texts() {
        for role in [
            "arn:aws:iam::123456789012:role/ecsTaskExecutionRole",
            "arn:aws:iam::123456789012:role/service-role/team@x",
            "arn:aws-cn:iam::123456789012:role/web",
            "arn:aws-eusc:iam::123456789012:role/web",
            "ecsTaskExecutionRole",
        ] {
            assert!(is_role(role), "{role}");
        }
        for text in [
            "arn:aws:iam::123456789012:policy/x",
            "arn:aws:iam::123456789012:instance-profile/x",
            "arn:aws:iam::1234:role/x",
            "arn:aws:iam::123456789012:role/",
            "arn:aws:sts::123456789012:assumed-role/x/y",
            "arn:aws:iam:eu-west-1:123456789012:role/x",
            "arn:other:iam::123456789012:role/x",
            "role/x",
            "a role",
            "",
        ] {
            assert!(!is_role(text), "{text}");
        }
    }
}
