//! A panic of the task prints nothing by itself.

use std::env;
use std::process::Command;

use falcon_patch_core::silence_panics;

/// Tells the copy of this program that it is the one that panics.
const PANICS: &str = "FALCON_PATCH_TEST_PANICS";

#[test]
fn nothing_is_written_to_stderr() {
    if env::var_os(PANICS).is_some() {
        silence_panics();
        let panicked = std::panic::catch_unwind(|| panic!("a bug"));
        assert!(panicked.is_err());
        return;
    }
    let this = env::current_exe().expect("the path of this test");
    let ended = Command::new(this)
        .args(["--exact", "nothing_is_written_to_stderr", "--nocapture"])
        .env(PANICS, "1")
        .output()
        .expect("the copy starts");
    assert!(ended.status.success(), "{ended:?}");
    assert_eq!(String::from_utf8_lossy(&ended.stderr), "");
}
