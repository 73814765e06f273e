//! The head of an ELF file, as far as it shows whether Linux starts the file by itself.
//!
//! The offsets are those of the generic ABI (<https://gabi.xinuos.com/elf/>), which is older than any program of today.

use crate::domain::platform::Platform;

/// The bytes of a file that are looked at. Linkers put the program headers right behind the file's header.
pub(crate) const HEAD: usize = 4096;

const MAGIC: &[u8] = b"\x7fELF";

/// Bytes of a program header of the class 64.
const PROGRAM_HEADER: usize = 56;

/// A part of the file that is loaded.
const PT_LOAD: u32 = 1;

/// The path of another program that loads this one.
const PT_INTERP: u32 = 3;

/// Reason that Linux does not start a file by itself on a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ElfFault {
    /// It has another form, such as a script.
    #[error("it is not an ELF file")]
    NotElf,
    /// It is for a machine of another kind.
    #[error("its ELF file is not for a machine of the engine's kind")]
    OtherMachine,
    /// It cannot be started.
    #[error("its ELF file is not a program")]
    NotProgram,
    /// The headers of its parts are missing, or elsewhere in the file.
    #[error("the headers of its ELF file cannot be read")]
    Malformed,
    /// It needs another file of its image.
    #[error("its ELF file names an interpreter, so it needs more of its image")]
    Interpreter,
}

/// Checks that a file with this head is a program of the platform that needs no other file to start.
///
/// # Errors
/// The first fault.
pub fn check_static(head: &[u8], platform: &Platform) -> Result<(), ElfFault> {
    if !head.starts_with(MAGIC) {
        return Err(ElfFault::NotElf);
    }
    // Class 64, little endian, version 1.
    let is_kind = head.get(4..7) == Some(&[2, 1, 1]);
    let is_machine = machine(platform).is_some_and(|machine| half(head, 18) == Some(machine));
    if !is_kind || !is_machine {
        return Err(ElfFault::OtherMachine);
    }
    // A fixed address, or any.
    if !matches!(half(head, 16), Some(2 | 3)) {
        return Err(ElfFault::NotProgram);
    }
    let kinds = kinds(head).ok_or(ElfFault::Malformed)?;
    if kinds.contains(&PT_INTERP) {
        Err(ElfFault::Interpreter)
    } else if kinds.contains(&PT_LOAD) {
        Ok(())
    } else {
        Err(ElfFault::NotProgram)
    }
}

/// The number of a platform's machine; none where no falconutil is known for it.
fn machine(platform: &Platform) -> Option<u16> {
    if *platform == Platform::linux("amd64") {
        Some(62)
    } else if *platform == Platform::linux_arm64() {
        Some(183)
    } else {
        None
    }
}

/// The kinds of the file's parts; none where a header is not in the head.
fn kinds(head: &[u8]) -> Option<Vec<u32>> {
    let first = usize::try_from(u64::from_le_bytes(*head.get(32..)?.first_chunk()?)).ok()?;
    let (size, count) = (half(head, 54)?, half(head, 56)?);
    if usize::from(size) != PROGRAM_HEADER {
        return None;
    }
    let length = usize::from(count) * PROGRAM_HEADER;
    let headers = head.get(first..first.checked_add(length)?)?;
    let kind = |header: &[u8]| Some(u32::from_le_bytes(*header.first_chunk()?));
    headers.chunks_exact(PROGRAM_HEADER).map(kind).collect()
}

fn half(head: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*head.get(at..)?.first_chunk()?))
}

/// The head of a static AMD64 program, for tests to change.
#[cfg(test)]
pub(crate) fn sample(kinds: &[u32]) -> Vec<u8> {
    let mut head = vec![0; 64];
    head[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
    head[16] = 2;
    head[18] = 62;
    head[32] = 64;
    head[54] = 56;
    head[56] = u8::try_from(kinds.len()).expect("a few");
    for kind in kinds {
        head.extend(kind.to_le_bytes());
        head.extend([0; PROGRAM_HEADER - 4]);
    }
    head
}

#[cfg(test)]
mod tests {
    use super::{ElfFault, PT_INTERP, PT_LOAD, check_static, sample};
    use crate::domain::platform::Platform;

    /// A stack that is not executable, which nearly every program has.
    const PT_GNU_STACK: u32 = 0x6474_e551;

    fn check(head: &[u8]) -> Result<(), ElfFault> {
        check_static(head, &Platform::linux("x86_64"))
    }

    #[test]
    fn a_program_without_interpreter_starts_by_itself() {
        let mut program = sample(&[PT_LOAD, PT_LOAD, PT_GNU_STACK]);
        assert_eq!(check(&program), Ok(()));
        // One that can be loaded at any address.
        program[16] = 3;
        assert_eq!(check(&program), Ok(()));
        program[18] = 183;
        assert_eq!(check(&program), Err(ElfFault::OtherMachine));
        let arm64 = check_static(&program, &Platform::linux_arm64());
        assert_eq!(arm64, Ok(()));
        let unknown = check_static(&program, &Platform::linux("riscv64"));
        assert_eq!(unknown, Err(ElfFault::OtherMachine));
    }

    #[test]
    fn what_needs_more_than_the_file_is_refused() {
        let dynamic = sample(&[PT_LOAD, PT_INTERP, PT_LOAD]);
        assert_eq!(check(&dynamic), Err(ElfFault::Interpreter));
        for other in [b"#!/bin/sh\necho".as_slice(), b"", b"\x7fEL", b"MZ"] {
            assert_eq!(check(other), Err(ElfFault::NotElf), "{other:?}");
        }
    }

    #[test]
    fn each_field_of_the_header_counts() {
        for (at, value, fault) in [
            (4, 1, ElfFault::OtherMachine),
            (5, 2, ElfFault::OtherMachine),
            (6, 0, ElfFault::OtherMachine),
            (16, 1, ElfFault::NotProgram),
            (16, 4, ElfFault::NotProgram),
            (18, 3, ElfFault::OtherMachine),
            (32, 65, ElfFault::Malformed),
            (39, 0xff, ElfFault::Malformed),
            (54, 32, ElfFault::Malformed),
            (56, 0, ElfFault::NotProgram),
            (57, 0xff, ElfFault::Malformed),
            (64, 4, ElfFault::NotProgram),
        ] {
            let mut head = sample(&[PT_LOAD]);
            head[at] = value;
            assert_eq!(check(&head), Err(fault), "{at}");
        }
        let whole = sample(&[PT_LOAD]);
        for length in 0..whole.len() {
            assert!(check(&whole[..length]).is_err(), "{length}");
        }
    }

    #[test]
    fn the_program_of_this_test_names_an_interpreter() {
        let program = std::env::current_exe().expect("a program");
        let bytes = std::fs::read(program).expect("a file");
        let here = Platform::linux(std::env::consts::ARCH);
        let head = &bytes[..super::HEAD];
        assert_eq!(check_static(head, &here), Err(ElfFault::Interpreter));
    }
}
