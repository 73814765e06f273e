//! The kinds of requests to a registry.

use reqwest::Method;

use crate::adapters::http::client::RequestKind;

/// Purpose of a request to a registry; each has its cells in the table of faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(strum::VariantArray))]
pub(super) enum RegistryRequest {
    /// Asks if the registry answers.
    Ping,
    /// Asks for the challenge that the registry has not sent by itself.
    Challenge,
    /// Fetches a token by HTTP's basic scheme, or anonymously.
    Token,
    /// Fetches a token by an identity token.
    TokenByForm,
    /// Finds the digest that a tag names.
    TagDigest,
    /// Reads a manifest.
    Manifest,
    /// Reads a blob into memory.
    SmallBlob,
    /// Reads a blob as a stream.
    BlobStream,
    /// Checks that a blob of an artifact is there.
    BlobCheck,
    /// Asks if a blob must be uploaded at all.
    BlobPresence,
    /// Begins an upload.
    UploadStart,
    /// Begins an upload that the registry can spare us by a mount.
    Mount,
    /// Sends a blob.
    BlobUpload,
    /// Puts a manifest under its digest.
    ManifestPut,
    /// Has a tag name a manifest.
    TagPut,
    /// Lists the tags of a repository.
    Tags,
    /// Lists the referrers of an image.
    Referrers,
}

impl RequestKind for RegistryRequest {
    fn method(self) -> Method {
        match self {
            Self::TagDigest | Self::BlobCheck | Self::BlobPresence => Method::HEAD,
            Self::UploadStart | Self::Mount | Self::TokenByForm => Method::POST,
            Self::BlobUpload | Self::ManifestPut | Self::TagPut => Method::PUT,
            Self::Ping
            | Self::Challenge
            | Self::Token
            | Self::Manifest
            | Self::SmallBlob
            | Self::BlobStream
            | Self::Tags
            | Self::Referrers => Method::GET,
        }
    }

    fn follows_redirects(self) -> bool {
        match self {
            // A password and a form go to the issuer that the registry has named, and no further.
            Self::Token | Self::TokenByForm => false,
            // What changes something is meant for this registry alone.
            _ => matches!(self.method(), Method::GET | Method::HEAD),
        }
    }
}
