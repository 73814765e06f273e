//! Entries as kernels show them.

use std::fs;

use super::{parse, registered};
use crate::domain::emulation::{Handler, Registration};

const MAGIC: &str = "7f454c460201010000000000000000000200b700";

const MASK: &str = "ffffffffffffff00fffffffffffffffffeffffff";

fn entry(first: &str, interpreter: &str, flags: &str) -> String {
    format!(
        "{first}\ninterpreter {interpreter}\nflags: {flags}\noffset 0\nmagic {MAGIC}\nmask {MASK}\n"
    )
}

#[test]
fn handlers_that_run_arm64_programs() {
    // Debian's and tonistiigi/binfmt's entries, and one under a name of its own with the mask that Fedora used.
    let fedora = "enabled\ninterpreter /usr/bin/qemu-aarch64-static\nflags: F\noffset 0\nmagic 7f454c460201010000000000000000000200b7\nmask ffffffffffffff00fffffffffffffffffeffff\n";
    for (name, text, flags, in_containers) in [
        (
            "qemu-aarch64",
            entry("enabled", "/usr/libexec/qemu-binfmt/aarch64-binfmt-P", "PF"),
            "PF",
            true,
        ),
        (
            "qemu-aarch64",
            entry("enabled", "/usr/bin/qemu-aarch64", "POCF"),
            "POCF",
            true,
        ),
        ("arm64-of-ours", fedora.to_owned(), "F", true),
        (
            "qemu-aarch64",
            entry("enabled", "/usr/bin/qemu-aarch64-static", ""),
            "",
            false,
        ),
        (
            "qemu-aarch64",
            entry("enabled", "/usr/bin/qemu-aarch64-static", "OC"),
            "OC",
            false,
        ),
    ] {
        let handler = parse(name, &text).expect(&text);
        assert_eq!(
            (handler.name.as_str(), handler.flags.as_str()),
            (name, flags)
        );
        assert_eq!(handler.works_in_containers(), in_containers, "{text}");
    }
}

#[test]
fn entries_that_do_not() {
    for text in [
        entry("disabled", "/usr/bin/qemu-aarch64", "F"),
        // qemu-arm: 32 bits, machine 40.
        "enabled\ninterpreter /usr/bin/qemu-arm\nflags: F\noffset 0\nmagic 7f454c4601010100000000000000000002002800\nmask ffffffffffffff00fffffffffffffffffeffffff\n".to_owned(),
        // qemu-aarch64_be: big-endian.
        "enabled\ninterpreter /usr/bin/qemu-aarch64_be\nflags: F\noffset 0\nmagic 7f454c46020201000000000000000000000200b7\n".to_owned(),
        // Without a mask only programs at a fixed address would match.
        format!("enabled\ninterpreter /x\nflags: F\noffset 0\nmagic {MAGIC}\n"),
        "enabled\ninterpreter /usr/bin/python3.11\nflags: \noffset 0\nmagic a70d0d0a\n".to_owned(),
        "enabled\ninterpreter /usr/bin/wine\nflags: \nextension .exe\n".to_owned(),
        "enabled\ninterpreter /x\nflags: F\noffset 60\nmagic 7f454c4602\n".to_owned(),
        "enabled\ninterpreter /x\nflags: F\noffset 0\nmagic 7f4\n".to_owned(),
        "enabled\n".to_owned(),
        String::new(),
    ] {
        assert_eq!(parse("x", &text), None, "{text}");
    }
}

#[test]
fn what_a_folder_of_handlers_tells() {
    let good = entry("enabled", "/usr/bin/qemu-aarch64", "POCF");
    let local = entry("enabled", "/usr/bin/qemu-aarch64-static", "");
    let handler = |name: &str, interpreter: &str, flags: &str| {
        Registration::Registered(Handler {
            name: name.to_owned(),
            interpreter: interpreter.to_owned(),
            flags: flags.to_owned(),
        })
    };
    let qemu = handler("qemu-aarch64", "/usr/bin/qemu-aarch64", "POCF");
    let old = handler("old", "/usr/bin/qemu-aarch64-static", "");
    for (files, expected) in [
        (vec![], Registration::Unknown),
        (vec![("status", "enabled\n")], Registration::Absent),
        (
            vec![("status", "enabled"), ("qemu-aarch64", &good)],
            qemu.clone(),
        ),
        (
            vec![
                ("status", "enabled"),
                ("qemu-aarch64", &good),
                ("old", &local),
            ],
            qemu,
        ),
        (vec![("status", "enabled"), ("old", &local)], old),
        (
            vec![("status", "disabled"), ("qemu-aarch64", &good)],
            Registration::Absent,
        ),
    ] {
        let root = tempfile::tempdir().expect("a folder");
        for (name, text) in &files {
            fs::write(root.path().join(name), text).expect("a file");
        }
        assert_eq!(registered(root.path()), expected, "{files:?}");
    }
    assert_eq!(
        registered("/does/not/exist".as_ref()),
        Registration::Unknown
    );
}
