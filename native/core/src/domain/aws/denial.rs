//! Message of IAM when it refuses.

use std::fmt;

/// A permission that is missing.
///
/// The message has one form for all services
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html>):
/// `User: ARN is not authorized to perform: ACTION on resource: ARN because …`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    /// The action, such as `ecr:BatchGetImage`.
    pub action: String,
    /// Resource that it was to act on, as far as AWS tells.
    pub resource: Option<String>,
    /// The kind of policy that forbids the action, if one does so explicitly.
    pub forbidden_by: Option<String>,
}

impl Denial {
    /// Reads a message of AWS; `called` is the action for messages that name none.
    pub(crate) fn of(message: &str, called: &str) -> Self {
        Self::read(message).unwrap_or_else(|| Self {
            action: called.to_owned(),
            resource: None,
            forbidden_by: None,
        })
    }

    /// Reads a message of AWS that names the action.
    pub(crate) fn read(message: &str) -> Option<Self> {
        let action = word_after(message, "not authorized to perform: ")?;
        let (service, name) = action.split_once(':')?;
        let is_name = |text: &str| {
            !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        };
        if !is_name(service) || !is_name(name) {
            return None;
        }
        let forbidden_by = message
            .split_once("with an explicit deny in a")
            .map(|(_, rest)| rest.strip_prefix('n').unwrap_or(rest).trim_start())
            .and_then(|rest| rest.split_once("policy"))
            .map(|(kind, _)| format!("{kind}policy"));
        Some(Self {
            action: action.to_owned(),
            resource: word_after(message, "on resource: ")
                .filter(|resource| resource.starts_with("arn:"))
                .map(str::to_owned),
            forbidden_by,
        })
    }

    /// Returns advice on how to solve it.
    pub(crate) fn hint(&self) -> String {
        if let Some(policy) = &self.forbidden_by {
            return format!(
                "`{}` is forbidden explicitly by this kind of policy: {policy}; change it, or use other credentials",
                self.action
            );
        }
        // The one action of ECR that knows no resource.
        let resource = match (&self.resource, self.action.as_str()) {
            (_, "ecr:GetAuthorizationToken") | (None, _) => "*",
            (Some(resource), _) => resource,
        };
        let allowed = allow(&[&self.action], resource);
        if self.action.starts_with("kms:") {
            return format!(
                "{allowed}; the policy of a key in another account must allow it as well"
            );
        }
        allowed
    }
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.action)?;
        match &self.resource {
            Some(resource) if resource != "*" => write!(f, " on `{resource}`"),
            _ => Ok(()),
        }
    }
}

/// Permissions that reading an image takes in ECR
/// (<https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-push-iam.html>).
pub const READ_IMAGE: [&str; 2] = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"];

/// The sentence that shows which statement a policy lacks.
pub fn allow(actions: &[&str], resource: &str) -> String {
    let actions = actions
        .iter()
        .map(|action| format!("\"{action}\""))
        .collect::<Vec<_>>()
        .join(", ");
    format!(
        "Add to the IAM policy of these credentials: `{{\"Effect\": \"Allow\", \"Action\": [{actions}], \"Resource\": \"{resource}\"}}`"
    )
}

fn word_after<'a>(text: &'a str, marker: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(marker)?;
    rest.split_whitespace().next()
}

#[cfg(test)]
mod tests {
    use super::Denial;

    const MESSAGE: &str = "User: arn:aws:iam::123456789012:user/ci is not authorized to perform: ecr:BatchGetImage on resource: arn:aws:ecr:eu-west-1:123456789012:repository/app/web because";

    #[test]
    fn the_message_names_the_action_and_the_resource() {
        let denial = Denial::read(&format!("{MESSAGE} no identity-based policy allows it"))
            .expect("a denial");
        assert_eq!(
            denial.to_string(),
            "`ecr:BatchGetImage` on `arn:aws:ecr:eu-west-1:123456789012:repository/app/web`"
        );
        insta::assert_snapshot!(denial.hint(), @r#"Add to the IAM policy of these credentials: `{"Effect": "Allow", "Action": ["ecr:BatchGetImage"], "Resource": "arn:aws:ecr:eu-west-1:123456789012:repository/app/web"}`"#);
    }

    #[test]
    fn an_explicit_deny_is_not_cured_by_another_statement() {
        let denial = Denial::read(&format!(
            "{MESSAGE} with an explicit deny in a service control policy"
        ))
        .expect("a denial");
        insta::assert_snapshot!(denial.hint(), @"`ecr:BatchGetImage` is forbidden explicitly by this kind of policy: service control policy; change it, or use other credentials");
        let identity = Denial::read(&format!(
            "{MESSAGE} with an explicit deny in an identity-based policy: arn:aws:iam::1:policy/x"
        ))
        .expect("a denial");
        assert_eq!(
            identity.forbidden_by.as_deref(),
            Some("identity-based policy")
        );
    }

    #[test]
    fn a_message_without_an_action_leaves_what_was_called() {
        assert_eq!(Denial::read("denied"), None);
        assert_eq!(Denial::read("not authorized to perform: `x`:y z"), None);
        let denial = Denial::of("denied", "ecr:GetAuthorizationToken");
        assert_eq!(denial.to_string(), "`ecr:GetAuthorizationToken`");
    }
}
