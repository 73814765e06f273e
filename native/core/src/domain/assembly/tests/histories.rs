//! The steps of a build that say whether files were added beside the sensor's.

use crate::domain::assembly::added_history::reason_to_look;
use crate::domain::engine::HistoryEntry;

fn steps(steps: &[(&str, u64)]) -> Vec<HistoryEntry> {
    let entry = |(created_by, size): &(&str, u64)| HistoryEntry {
        created_by: (*created_by).to_owned(),
        size: *size,
    };
    steps.iter().map(entry).collect()
}

const COPY: (&str, u64) = (
    "COPY /tmp/CrowdStrike /opt/CrowdStrike # buildkit",
    221_000_000,
);

fn reason(added: &[(&str, u64)]) -> Option<String> {
    let before = steps(&[("ADD rootfs.tar / # buildkit", 7)]);
    let after = [steps(added), before.clone()].concat();
    reason_to_look(1, &before, &after)
}

#[test]
fn one_copy_of_the_sensor_and_settings_need_no_second_look() {
    for added in [
        &[("ENTRYPOINT [\"/f\"]", 0), ("ENV A=b # buildkit", 0), COPY][..],
        &[(
            "COPY --from=build /tmp/CrowdStrike /opt/CrowdStrike/ # buildkit",
            0,
        )],
        &[
            ("/bin/sh -c #(nop)  ENV A=b", 0),
            ("/bin/sh -c #(nop) COPY dir:0123 in /opt/CrowdStrike ", 9),
        ],
    ] {
        assert_eq!(reason(added), None, "{added:?}");
    }
}

#[test]
fn any_other_step_is_a_reason_to_look_at_the_files() {
    for (added, named) in [
        (&[][..], "0 copies"),
        (&[COPY, COPY], "2 copies"),
        (&[("RUN rm -rf /app # buildkit", 0), COPY], "`RUN rm"),
        (&[("ENV A=b # buildkit", 5), COPY], "`ENV A=b"),
        (&[("WORKDIR /x", 0), COPY], "`WORKDIR"),
        (&[("COPY a /opt/CrowdStrike-else # buildkit", 5)], "`COPY a"),
        (&[("COPY a /usr/bin # buildkit", 5), COPY], "`COPY a"),
        (&[("", 0), COPY], "``"),
    ] {
        let reason = reason(added).expect(named);
        assert!(reason.contains(named), "{named}: {reason}");
    }
}

#[test]
fn several_layers_and_a_lost_history_are_reasons_too() {
    let (one, two) = (steps(&[COPY]), steps(&[COPY, COPY]));
    assert!(reason_to_look(2, &[], &one).is_some_and(|why| why.contains("2 layers")));
    assert!(reason_to_look(1, &two, &one).is_some_and(|why| why.contains("shorter")));
}
