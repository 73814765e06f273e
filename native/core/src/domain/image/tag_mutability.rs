//! Setting of a repository that says whether its tags can be moved.

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
    use super::{TagMutability, matches};

    fn check(filter: &str, tag: &str, expected: bool) {
        let tag = tag.parse().expect("a tag");
        assert_eq!(matches(filter, &tag), expected, "{filter} on {tag}");
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
