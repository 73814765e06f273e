//! The bounds of a search, so that no image costs an agent more than this.

/// The most bytes of layers that are read as the registry has them. The sensor's own layer has about 50 MB.
pub const PACKED_LIMIT: u64 = 1 << 30;

/// The most bytes that the layers may unpack to. The sensor's own layer unpacks to about 220 MB.
pub const UNPACKED_LIMIT: u64 = 4 << 30;

/// The most bytes of memory that the names and links in the layers may take, which are about 200,000 files.
pub const NAMES_LIMIT: usize = 16 << 20;

/// The most bytes that a path can have, as in Linux.
pub(super) const PATH: usize = 4096;

/// The most folders that a path can have.
pub(super) const DEPTH: usize = 512;

pub(super) fn gibibytes(bytes: u64) -> u64 {
    bytes >> 30
}

pub(super) fn mebibytes(bytes: usize) -> usize {
    bytes >> 20
}
