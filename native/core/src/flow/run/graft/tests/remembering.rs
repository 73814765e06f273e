//! The layers that an agent remembers.

use crate::domain::graft::packed_layer::PackedLayer;
use crate::domain::reference::digest::Digest;
use crate::flow::run::graft::memory::Memory;

#[test]
fn a_layer_is_remembered_by_the_layer_that_it_was_written_from() {
    let folder = tempfile::tempdir().expect("a folder");
    let memory = Memory::of(folder.path());
    let delta = |number: u64| PackedLayer {
        diff_id: Digest::of(b"unpacked"),
        digest: Digest::of(&number.to_be_bytes()),
        size: number,
    };
    assert_eq!(memory.recall("sha256:1"), None);
    for number in 1..=20 {
        memory
            .keep(&format!("sha256:{number}"), &delta(number))
            .expect("kept");
    }
    assert_eq!(memory.recall("sha256:20"), Some(delta(20)));
    assert_eq!(memory.recall("sha256:1"), None, "only some are kept");
    std::fs::write(folder.path().join("layers.json"), "[{").expect("written");
    assert_eq!(
        memory.recall("sha256:20"),
        None,
        "a file that cannot be read counts as empty"
    );
    memory.keep("sha256:2", &delta(2)).expect("kept");
    assert_eq!(memory.recall("sha256:2"), Some(delta(2)));
    let file = folder.path().join("layers.json");
    let text = std::fs::read_to_string(&file).expect("the file");
    std::fs::write(&file, text.replace("\"version\":1", "\"version\":0")).expect("written");
    assert_eq!(
        memory.recall("sha256:2"),
        None,
        "other code writes another layer"
    );
}
