//! Choice among the sensor's tags.

use std::fmt;

use super::version::numbers;
use crate::domain::reference::tag::Tag;

/// A way to say which sensor is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VersionChoice {
    /// The newest, or so many releases before it, as CrowdStrike's update policies count them: by
    /// the first two numbers of a version.
    Newest {
        /// Zero for the newest.
        releases_before: usize,
    },
    /// A tag, or else the newest version that begins so.
    Starting(Tag),
}

/// Words in the tags of images for a single architecture, of releases that are maintained beside the newest ones, and
/// of things that are not images.
const LEFT_OUT: [&str; 10] = [
    "sha256", "amd64", "arm64", "x86_64", "aarch64", "armv7", "s390x", "ppc64le", "386", "lts",
];

/// Number of tags that a person is shown who asked for one that is not there.
const SHOWN: usize = 5;

impl VersionChoice {
    /// Understands what a user typed; nothing if it cannot be any of the forms.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let newest = |releases_before| Some(Self::Newest { releases_before });
        match text.to_ascii_lowercase().as_str() {
            "latest" | "n" => newest(0),
            "n-1" => newest(1),
            "n-2" => newest(2),
            _ => {
                let tag: Tag = text.parse().ok()?;
                let begins_well = text.starts_with(|c: char| c.is_ascii_digit());
                begins_well.then_some(Self::Starting(tag))
            }
        }
    }

    /// The tag, if what was typed names a version to its last number and so can name only one.
    #[must_use]
    pub fn exact(&self) -> Option<&Tag> {
        match self {
            Self::Starting(tag) if version(tag.as_str()).is_some() => Some(tag),
            Self::Starting(_) | Self::Newest { .. } => None,
        }
    }

    /// Chooses among a repository's tags; nothing if none fits.
    #[must_use]
    pub fn choose(&self, tags: &[Tag]) -> Option<Tag> {
        let releases = ordered(tags);
        match self {
            Self::Newest { releases_before } => {
                let mut firsts: Vec<&(Vec<u64>, &Tag)> = releases.iter().rev().collect();
                firsts.dedup_by_key(|(numbers, _)| numbers[..2].to_vec());
                firsts.get(*releases_before).map(|(_, tag)| (*tag).clone())
            }
            Self::Starting(wanted) if tags.contains(wanted) => Some(wanted.clone()),
            Self::Starting(wanted) => {
                let beginning = numbers(wanted.as_str())?;
                let fits = releases
                    .iter()
                    .rev()
                    .find(|(numbers, _)| numbers.starts_with(&beginning));
                fits.map(|(_, tag)| (*tag).clone())
            }
        }
    }

    /// The tags that are nearest to what was asked for, newest first.
    #[must_use]
    pub fn nearest(&self, tags: &[Tag]) -> Vec<Tag> {
        let releases = ordered(tags);
        let wanted = match self {
            Self::Starting(tag) => numbers(tag.as_str()),
            Self::Newest { .. } => None,
        };
        let place = match wanted {
            Some(wanted) => releases.partition_point(|(numbers, _)| *numbers < wanted),
            None => releases.len(),
        };
        let last = (place + SHOWN / 2).max(SHOWN).min(releases.len());
        let near = &releases[last.saturating_sub(SHOWN)..last];
        near.iter().rev().map(|(_, tag)| (*tag).clone()).collect()
    }
}

impl fmt::Display for VersionChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Newest { releases_before: 0 } => f.write_str("latest"),
            Self::Newest { releases_before } => write!(f, "n-{releases_before}"),
            Self::Starting(tag) => tag.fmt(f),
        }
    }
}

/// The tags that name a version for several architectures, oldest first; numbers count as numbers.
fn ordered(tags: &[Tag]) -> Vec<(Vec<u64>, &Tag)> {
    let named = tags.iter().filter(|tag| {
        let text = tag.as_str().to_ascii_lowercase();
        !LEFT_OUT.iter().any(|word| text.contains(word))
    });
    let mut ordered: Vec<(Vec<u64>, &Tag)> = named
        .filter_map(|tag| Some((version(tag.as_str())?, tag)))
        .collect();
    ordered.sort_by(|a, b| a.0.cmp(&b.0));
    ordered
}

/// The numbers of a tag such as `7.39.0-7802`, `7.39.0-7802-1` or
/// `7.31.0-7003.container.Release.US-1`.
fn version(tag: &str) -> Option<Vec<u64>> {
    let text = tag.split_once(".container.").map_or(tag, |(text, _)| text);
    let (release, build) = text.split_once('-')?;
    let is_whole = release.split('.').count() == 3 && !build.is_empty();
    is_whole.then(|| numbers(text))?
}

#[cfg(test)]
mod tests {
    use super::VersionChoice;
    use crate::domain::reference::tag::Tag;

    const UNIFIED: [&str; 13] = [
        "7.9.0-100",
        "7.38.0-7700",
        "7.38.0-7701",
        "7.39.0-7802",
        "7.39.0-7802-1",
        "7.39.0-7802-1-arm64",
        "7.40.0-9999-amd64",
        "7.33.0-7205",
        "7.10.0-5000",
        "sha256-41cf6794ba4200b839c53531555f0f3998df4cbb01a4d5cb0b94e3ca5e23947d.sig",
        "latest",
        "7.39",
        "8.0.0-rc1",
    ];

    fn tags(texts: &[&str]) -> Vec<Tag> {
        let tags = texts.iter().map(|text| text.parse());
        tags.collect::<Result<_, _>>().expect("tags")
    }

    fn check(choice: &str, texts: &[&str], expected: Option<&str>) {
        let choice = VersionChoice::parse(choice).expect("a choice");
        let chosen = choice.choose(&tags(texts));
        assert_eq!(chosen.as_ref().map(Tag::as_str), expected, "{choice:?}");
    }

    #[test]
    fn versions_are_ordered_by_their_numbers() {
        check("latest", &UNIFIED, Some("7.39.0-7802-1"));
        check("N-1", &UNIFIED, Some("7.38.0-7701"));
        check("n-2", &UNIFIED, Some("7.33.0-7205"));
        check("latest", &["7.9.0-1", "7.10.0-1"], Some("7.10.0-1"));
        check("n-1", &["7.9.0-1", "7.9.0-2"], None);
        check("latest", &["latest", "7.39.0-7802-arm64"], None);
    }

    /// CrowdStrike went on from 7 to 8 without each of the minor numbers between.
    const ACROSS: [&str; 8] = [
        "7.33.0-7201",
        "7.39.0-7802",
        "7.39.0-7802-1",
        "8.10.0-8050",
        "8.11.0-8103",
        "8.9.0-8001",
        "8.11.0-8099",
        "8.11.0-8103-arm64",
    ];

    #[test]
    fn releases_are_counted_in_the_list_across_major_versions() {
        check("latest", &ACROSS, Some("8.11.0-8103"));
        check("n-1", &ACROSS, Some("8.10.0-8050"));
        check("n-2", &ACROSS, Some("8.9.0-8001"));
        let first_of_8 = ["7.38.0-7701", "7.39.0-7802", "8.11.0-8103"];
        check("n-1", &first_of_8, Some("7.39.0-7802"));
        check("n-2", &first_of_8, Some("7.38.0-7701"));
        // A build of an older release that is published later is not a newer release.
        let late_build = ["8.10.0-8200", "8.11.0-8103", "7.39.0-8150"];
        check("latest", &late_build, Some("8.11.0-8103"));
        check("n-2", &late_build, Some("7.39.0-8150"));
    }

    #[test]
    fn beginnings_name_releases_of_8_as_of_7() {
        check("8", &ACROSS, Some("8.11.0-8103"));
        check("8.1", &ACROSS, None);
        check("8.9", &ACROSS, Some("8.9.0-8001"));
        check("8.11.0", &ACROSS, Some("8.11.0-8103"));
        check("8.11.0-8099", &ACROSS, Some("8.11.0-8099"));
        check("7", &ACROSS, Some("7.39.0-7802-1"));
    }

    #[test]
    fn releases_with_long_term_support_are_taken_only_by_their_tag() {
        let list = [
            "8.10.0-8050",
            "8.11.0-8103",
            "8.12.0-8200.container.LTS.US-1",
            "7.36.0-9000-LTS",
        ];
        check("latest", &list, Some("8.11.0-8103"));
        check("n-1", &list, Some("8.10.0-8050"));
        check("7.36.0-9000-LTS", &list, Some("7.36.0-9000-LTS"));
    }

    #[test]
    fn a_beginning_is_one_of_numbers_and_not_of_letters() {
        check("7.39", &UNIFIED, Some("7.39"));
        check("7.38", &UNIFIED, Some("7.38.0-7701"));
        check("7.3", &UNIFIED, None);
        check("7", &UNIFIED, Some("7.39.0-7802-1"));
        check("7.39.0-7802", &UNIFIED, Some("7.39.0-7802"));
        check("7.39.0-7802-1-arm64", &UNIFIED, Some("7.39.0-7802-1-arm64"));
        check("7.41", &UNIFIED, None);
    }

    #[test]
    fn tags_of_a_regional_repository_are_understood() {
        let regional = [
            "7.31.0-7003.container.Release.US-1",
            "7.32.0-7101.container.Release.US-1",
            "7.32.0-7101.container.x86_64.Release.US-1",
        ];
        check(
            "latest",
            &regional,
            Some("7.32.0-7101.container.Release.US-1"),
        );
        check(
            "7.31",
            &regional,
            Some("7.31.0-7003.container.Release.US-1"),
        );
    }

    #[test]
    fn the_nearest_versions_surround_the_one_that_is_not_there() {
        let choice = VersionChoice::parse("7.34").expect("a choice");
        let near = choice.nearest(&tags(&UNIFIED));
        let near: Vec<&str> = near.iter().map(Tag::as_str).collect();
        assert_eq!(
            near,
            [
                "7.38.0-7701",
                "7.38.0-7700",
                "7.33.0-7205",
                "7.10.0-5000",
                "7.9.0-100"
            ]
        );
    }

    #[test]
    fn what_can_be_no_version_is_no_choice() {
        for text in ["newest", "n-3", "v7.39", "7.39 ", "", "a/b"] {
            assert_eq!(VersionChoice::parse(text), None, "{text}");
        }
        let exact = |text| {
            VersionChoice::parse(text)
                .expect("a choice")
                .exact()
                .is_some()
        };
        assert!(exact("7.39.0-7802") && exact("7.39.0-7802-1"));
        assert!(!exact("7.39") && !exact("7.39.0") && !exact("latest"));
    }
}
