use proptest::prop_assert;

use super::customer_id::CustomerId;
use super::elf::{ElfFault, check_static, sample};
use super::version::{SensorVersion, sensor_version};
use crate::domain::aws::denial::Denial;
use crate::domain::platform::Platform;
use crate::test_support::fuzz::{changed, changed_text, fuzz};

#[test]
fn versions_ids_and_denials_of_any_form_are_read_or_refused() {
    let samples = [
        "7.39.0-7802.container.x86_64.Release.US-1",
        "0123456789abcdef0123456789abcdef-12",
        "User: arn:aws:iam::1:user/ci is not authorized to perform: ecr:BatchGetImage on resource: * with an explicit deny in an identity-based policy",
    ];
    let pieces = [
        ".",
        "-",
        "99999999999999999999",
        "v",
        "n-1",
        "\u{202e}",
        " on resource: arn:",
        "\n",
        "é",
        "0",
    ];
    fuzz("versions", &changed_text(&samples, &pieces), |text| {
        if let Some(version) = SensorVersion::parse(&text) {
            prop_assert!(version.is_at_least(&version) == Some(true));
        }
        if let Some(found) = sensor_version(&text) {
            prop_assert!(text.contains(&found), "{found}");
        }
        let _ = text.parse::<CustomerId>();
        let _ = Denial::of(&text, "ecr:X").to_string();
        Ok(())
    });
}

#[test]
fn programs_of_any_form_are_read_or_refused() {
    let (alone, loaded) = (sample(&[1, 1]), sample(&[1, 3, 1]));
    let pieces: [&[u8]; 5] = [
        &[3, 0, 0, 0],
        &[0xff; 8],
        &[0; 56],
        &[1, 0, 0, 0],
        b"#!/bin/sh\n",
    ];
    let engine = Platform::linux("amd64");
    fuzz("programs", &changed(&[&alone, &loaded], &pieces), |head| {
        let checked = check_static(&head, &engine);
        if checked.is_ok() {
            // The parts that are listed, by the fields that the kernel reads.
            let first = u64::from_le_bytes(head[32..40].try_into().expect("eight bytes"));
            let first = usize::try_from(first).expect("an offset in the head");
            let count = usize::from(u16::from_le_bytes([head[56], head[57]]));
            let kinds = head[first..].chunks_exact(56).take(count);
            prop_assert!(kinds.clone().count() == count);
            prop_assert!(kinds.clone().all(|part| part[..4] != [3, 0, 0, 0]));
        }
        let script = [b"#!/bin/sh\n", head.as_slice()].concat();
        prop_assert!(check_static(&script, &engine) == Err(ElfFault::NotElf));
        Ok(())
    });
}
