/// Reason that a text is not an image reference.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// A repository holds upper-case letters.
    #[error("the repository `{0}` holds upper-case letters; write `{lower}`", lower = .0.to_lowercase())]
    UpperCase(String),
    /// A repository is malformed.
    #[error(
        "`{0}` is not a repository: use lower-case letters, digits and single `.`, `_`, `-` between them, with `/` between the parts"
    )]
    Repository(String),
    /// A tag is malformed.
    #[error(
        "`{0}` is not a tag: use up to 128 letters, digits, `_`, `.` and `-`, not starting with `.` or `-`"
    )]
    Tag(String),
    /// A digest is malformed.
    #[error("`{0}` is not a digest: it must be `sha256:` and 64 hex digits in lower case")]
    Digest(String),
    /// A host is malformed.
    #[error("`{0}` is not a registry host")]
    Host(String),
    /// A scheme was typed.
    #[error("a reference has no scheme: leave out `{0}`")]
    Scheme(String),
}
