/// The DER of object identifiers, each with the kind of key that it stands for; the most specific ones first
/// (<https://www.rfc-editor.org/rfc/rfc5480>, <https://www.rfc-editor.org/rfc/rfc8017#appendix-C>,
/// <https://www.rfc-editor.org/rfc/rfc8410#section-3>).
const KINDS: [(&[u8], &str); 8] = [
    (
        &[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22],
        "an ECDSA key on the curve P-384",
    ),
    (
        &[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23],
        "an ECDSA key on the curve P-521",
    ),
    (
        &[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x0a],
        "an ECDSA key on the curve secp256k1",
    ),
    (
        &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07],
        "a P-256 key in another form",
    ),
    (
        &[0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01],
        "an ECDSA key on another curve",
    ),
    (
        &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01],
        "an RSA key",
    ),
    (&[0x06, 0x03, 0x2b, 0x65, 0x70], "an Ed25519 key"),
    (&[0x06, 0x03, 0x2b, 0x65, 0x6e], "an X25519 key"),
];

/// Bytes at the start of a key that can name its algorithm.
const HEAD: usize = 40;

/// Names the kind of a key that is not supported, in words that follow "the key is".
pub(super) fn kind(der: &[u8]) -> &'static str {
    let head = &der[..der.len().min(HEAD)];
    let holds = |identifier: &[u8]| {
        head.windows(identifier.len())
            .any(|part| part == identifier)
    };
    let known = KINDS.iter().find(|(identifier, _)| holds(identifier));
    known.map_or("of an unknown kind", |(_, kind)| kind)
}
