//! Numbers as JavaScript has them.

/// JavaScript counts in doubles, which hold every byte count up to nine petabytes.
#[expect(
    clippy::cast_precision_loss,
    reason = "no image has more than 2^53 bytes"
)]
pub(crate) fn number(count: u64) -> f64 {
    count as f64
}
