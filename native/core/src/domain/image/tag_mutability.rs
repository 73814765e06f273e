//! Setting of a repository that says whether its tags can be moved.

use crate::domain::reference::repository::Repository;
use crate::domain::reference::tag::Tag;

/// Setting of a repository about overwriting its tags
/// (<https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-tag-mutability.html>).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TagMutability {
    /// Every tag can be overwritten.
    Mutable,
    /// No tag can be overwritten.
    Immutable,
    /// Tags can be overwritten, but for those that a filter matches.
    MutableExcept(Vec<String>),
    /// Tags cannot be overwritten, but for those that a filter matches.
    ImmutableExcept(Vec<String>),
}

impl TagMutability {
    /// Returns true if a tag that exists may be made to name another image.
    #[must_use]
    pub fn allows_overwriting(&self, tag: &Tag) -> bool {
        let excepted = |filters: &[String]| filters.iter().any(|filter| matches(filter, tag));
        match self {
            Self::Mutable => true,
            Self::Immutable => false,
            Self::MutableExcept(filters) => !excepted(filters),
            Self::ImmutableExcept(filters) => excepted(filters),
        }
    }
}

/// The most filters that a repository can have.
const MOST_FILTERS: usize = 5;

/// Advice on a tag that cannot be overwritten, which `input` has: another tag, or an exception for this one.
///
/// `known` is the repository's setting, as far as it could be read. The setting is replaced as a whole, so the command
/// repeats the exceptions that are there.
#[must_use]
pub fn overwriting_hint(
    input: &str,
    repository: &Repository,
    tag: &Tag,
    known: Option<&TagMutability>,
) -> String {
    let another =
        format!("Set a tag in `{input}` that is not there yet, such as `{tag}-$(Build.BuildId)`");
    let filters = match known {
        Some(TagMutability::Immutable) => Vec::new(),
        Some(TagMutability::ImmutableExcept(filters)) if filters.len() < MOST_FILTERS => {
            filters.clone()
        }
        // The tag is protected by a filter of its own, no filter is left, or the others are unknown.
        Some(_) | None => return another,
    };
    let Some(command) = repository.ecr_command("put-image-tag-mutability") else {
        return another;
    };
    let filters = filters.iter().map(String::as_str).chain([tag.as_str()]);
    let filters: Vec<String> = filters
        .map(|filter| format!("'filterType=WILDCARD,filter={filter}'"))
        .collect();
    format!(
        "{another}; or except this tag from immutability: `{command} --image-tag-mutability IMMUTABLE_WITH_EXCLUSION --image-tag-mutability-exclusion-filters {}`",
        filters.join(" ")
    )
}

/// A filter matches the whole tag; each `*` in it stands for any characters, or none.
fn matches(filter: &str, tag: &Tag) -> bool {
    let tag = tag.as_str();
    let Some((start, rest)) = filter.split_once('*') else {
        return filter == tag;
    };
    let Some(mut tag) = tag.strip_prefix(start) else {
        return false;
    };
    let mut parts = rest.split('*').collect::<Vec<_>>();
    let end = parts.pop().unwrap_or_default();
    // The leftmost place of each part leaves most room for those that follow.
    for part in parts {
        let Some((_, behind)) = tag.split_once(part) else {
            return false;
        };
        tag = behind;
    }
    tag.ends_with(end)
}

#[cfg(test)]
mod tests {
    use super::{TagMutability, matches, overwriting_hint};
    use crate::domain::reference::repository::Repository;

    fn check(filter: &str, tag: &str, expected: bool) {
        let tag = tag.parse().expect("a tag");
        assert_eq!(matches(filter, &tag), expected, "{filter} on {tag}");
    }

    fn hint(known: Option<&TagMutability>) -> String {
        let repository = Repository::new("123456789012.dkr.ecr.eu-west-1.amazonaws.com", "app/web");
        let tag = "1-falcon".parse().expect("a tag");
        overwriting_hint("targetImage", &repository, &tag, known)
    }

    #[test]
    fn an_immutable_tag_is_met_with_another_tag_or_an_exception() {
        insta::assert_snapshot!(hint(Some(&TagMutability::Immutable)), @"Set a tag in `targetImage` that is not there yet, such as `1-falcon-$(Build.BuildId)`; or except this tag from immutability: `aws ecr put-image-tag-mutability --registry-id 123456789012 --region eu-west-1 --repository-name app/web --image-tag-mutability IMMUTABLE_WITH_EXCLUSION --image-tag-mutability-exclusion-filters 'filterType=WILDCARD,filter=1-falcon'`");
        let excepted = ["latest*", "dev-*"].map(str::to_owned).to_vec();
        let kept = hint(Some(&TagMutability::ImmutableExcept(excepted)));
        assert!(
            kept.ends_with("-filters 'filterType=WILDCARD,filter=latest*' 'filterType=WILDCARD,filter=dev-*' 'filterType=WILDCARD,filter=1-falcon'`"),
            "{kept}"
        );
    }

    #[test]
    fn no_exception_is_proposed_that_would_lose_others_or_does_not_help() {
        let another =
            "Set a tag in `targetImage` that is not there yet, such as `1-falcon-$(Build.BuildId)`";
        let full = vec!["a".to_owned(); 5];
        for known in [
            None,
            Some(TagMutability::MutableExcept(vec!["1-*".to_owned()])),
            Some(TagMutability::ImmutableExcept(full)),
        ] {
            assert_eq!(hint(known.as_ref()), another);
        }
    }

    #[test]
    fn filters_match_whole_tags() {
        check("latest", "latest", true);
        check("latest", "latest-1", false);
        check("dev-*", "dev-7", true);
        check("dev-*", "dev-", true);
        check("dev-*", "my-dev-7", false);
        check("*dev", "my-dev", true);
        check("*-rc*", "1.4-rc2", true);
        check("*-rc*", "1.4", false);
        check("*", "anything", true);
        check("a*a", "a", false);
        check("a*b*c", "axbxbxc", true);
        check("a*bc*bc", "abc", false);
    }

    #[test]
    fn a_filter_turns_the_setting_round() {
        let tag = "latest".parse().expect("a tag");
        let filters = vec!["lat*".to_owned()];
        assert!(TagMutability::Mutable.allows_overwriting(&tag));
        assert!(!TagMutability::Immutable.allows_overwriting(&tag));
        assert!(!TagMutability::MutableExcept(filters.clone()).allows_overwriting(&tag));
        assert!(TagMutability::ImmutableExcept(filters).allows_overwriting(&tag));
    }
}
