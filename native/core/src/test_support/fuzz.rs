//! Fuzzing of all that parses the words of others, on stable Rust.
//!
//! A case is a good sample that was changed in a few places. `FALCON_FUZZ_SECONDS` says how long each test tries; without
//! it each tries a few hundred cases. A case that fails is made small and kept in `native/core/findings`, and every later
//! run tries it first.

use std::time::{Duration, Instant};

use proptest::collection::vec;
use proptest::prelude::{Strategy, any};
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, FileFailurePersistence, TestCaseError, TestRunner};

/// Cases of a test without a time.
const CASES: u32 = 256;

/// Changes of one sample.
const EDITS: std::ops::RangeInclusive<usize> = 0..=6;

/// The longest piece that is removed or repeated, in bytes.
const PIECE: usize = 48;

/// A change of a sample.
#[derive(Clone, Debug)]
enum Edit {
    Remove {
        at: Index,
        length: usize,
    },
    Insert {
        at: Index,
        piece: Vec<u8>,
    },
    Repeat {
        at: Index,
        length: usize,
        times: usize,
    },
    Flip {
        at: Index,
        bits: u8,
    },
}

/// Samples that are changed in a few places; `pieces` are texts that mean something to the parser.
pub fn changed(samples: &[&[u8]], pieces: &[&[u8]]) -> impl Strategy<Value = Vec<u8>> + use<> {
    (select(owned(samples)), vec(edit(pieces), EDITS)).prop_map(|(mut bytes, edits)| {
        for edit in edits {
            edit.apply(&mut bytes);
        }
        bytes
    })
}

/// As [`changed`], for parsers of text.
pub fn changed_text(samples: &[&str], pieces: &[&str]) -> impl Strategy<Value = String> + use<> {
    let samples: Vec<&[u8]> = samples.iter().map(|text| text.as_bytes()).collect();
    let pieces: Vec<&[u8]> = pieces.iter().map(|text| text.as_bytes()).collect();
    changed(&samples, &pieces).prop_map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

fn owned(parts: &[&[u8]]) -> Vec<Vec<u8>> {
    parts.iter().map(|part| part.to_vec()).collect()
}

fn edit(pieces: &[&[u8]]) -> impl Strategy<Value = Edit> + use<> {
    let piece = proptest::prop_oneof![3 => select(owned(pieces)), 1 => vec(any::<u8>(), 0..8)];
    let at = any::<Index>;
    proptest::prop_oneof![
        2 => (at(), 1..PIECE).prop_map(|(at, length)| Edit::Remove { at, length }),
        4 => (at(), piece).prop_map(|(at, piece)| Edit::Insert { at, piece }),
        1 => (at(), 1..PIECE, 1_usize..40).prop_map(|(at, length, times)| Edit::Repeat { at, length, times }),
        2 => (at(), 1..=u8::MAX).prop_map(|(at, bits)| Edit::Flip { at, bits }),
    ]
}

impl Edit {
    fn apply(self, bytes: &mut Vec<u8>) {
        let place = |at: Index| at.index(bytes.len() + 1);
        match self {
            Self::Remove { at, length } => {
                let from = place(at);
                let to = (from + length).min(bytes.len());
                bytes.drain(from..to);
            }
            Self::Insert { at, piece } => {
                let from = place(at);
                bytes.splice(from..from, piece);
            }
            Self::Repeat { at, length, times } => {
                let from = place(at);
                let to = (from + length).min(bytes.len());
                let piece = bytes[from..to].repeat(times);
                bytes.splice(from..from, piece);
            }
            Self::Flip { at, bits } => {
                let place = at.index(bytes.len().max(1));
                if let Some(byte) = bytes.get_mut(place) {
                    *byte ^= bits;
                }
            }
        }
    }
}

/// Tries a property with many cases; it must hold for each, and must not panic.
pub fn fuzz<S: Strategy>(
    name: &'static str,
    cases: &S,
    property: impl Fn(S::Value) -> Result<(), TestCaseError>,
) {
    let seconds = std::env::var("FALCON_FUZZ_SECONDS").ok();
    let time = seconds.map(|text| Duration::from_secs(text.parse().expect("whole seconds")));
    let findings = format!("{}/findings/{name}.txt", env!("CARGO_MANIFEST_DIR"));
    let started = Instant::now();
    loop {
        let config = Config {
            cases: CASES,
            failure_persistence: Some(Box::new(FileFailurePersistence::Direct(
                findings.clone().leak(),
            ))),
            ..Config::default()
        };
        if let Err(error) = TestRunner::new(config).run(cases, &property) {
            panic!("{name}: {error}");
        }
        if time.is_none_or(|time| started.elapsed() >= time) {
            return;
        }
    }
}
