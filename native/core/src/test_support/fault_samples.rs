//! The part of the page about faults that other tests play: those of falconutil, and samples in the lab.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use super::fault_table::check_part;
use crate::report::code::Code;

/// A fault that a test elsewhere plays.
struct Sample {
    fault: &'static str,
    /// Code that the user gets; none if the run goes on.
    code: Option<Code>,
    left: &'static str,
    /// File of the test, from the repository's root.
    file: &'static str,
    /// Name of the test, or the part of it that all of its cases share.
    test: &'static str,
}

const PROOF: &str = "native/core/src/domain/image/proof/tests.rs";
const OUTPUT: &str = "native/core/src/adapters/engine/container/output.rs";
const RUN: &str = "native/core/src/flow/run/falconutil.rs";
const ASSEMBLY: &str = "tests/task/assembly.test.mjs";
const REFUSED: &str = "tests/task/refused.test.mjs";
const SOCKET: &str = "tests/task/socket.test.mjs";
const LIMITS: &str = "native/core/src/adapters/engine/socket/tests/limits.rs";
const OUTAGE: &str = "tests/engine/tests/engine_outage.rs";
const CONTAINERS: &str = "tests/engine/tests/engine_containers.rs";
const NOTHING: &str = "nothing";

const fn sample(
    fault: &'static str,
    code: Option<Code>,
    file: &'static str,
    test: &'static str,
) -> Sample {
    Sample {
        fault,
        code,
        left: NOTHING,
        file,
        test,
    }
}

#[rustfmt::skip]
const FALCONUTIL: &[Sample] = &[
    sample("ends with an exit code of its own", Some(Code::FalconutilFailed), REFUSED, "The falconutil variant ${variant} is detected"),
    sample("ends with exit code 137, by the kernel or from outside", Some(Code::FalconutilFailed), RUN, "the_way_in_which_it_ended_chooses_the_hint"),
    sample("ends with exit code 139", Some(Code::FalconutilFailed), RUN, "the_way_in_which_it_ended_chooses_the_hint"),
    sample("does not end", Some(Code::EngineRequestFailed), CONTAINERS, "a_container_that_takes_too_long_is_stopped_and_removed"),
    sample("is killed together with the step", None, "tests/task/cancel.test.mjs", "The post-job step cleans up after a killed step"),
    sample("ends with exit code 0 and no effect", Some(Code::FalconutilNoEffect), REFUSED, "The falconutil variant ${variant} is detected"),
    sample("leaves the image as it was", Some(Code::FalconutilNoEffect), PROOF, "an_image_that_nothing_happened_to_is_told_apart"),
    sample("adds an empty layer", Some(Code::FalconutilResultUnexpected), ASSEMBLY, "The result of ${variant} is not pushed with strategy ${strategy}"),
    sample("adds files elsewhere", Some(Code::FalconutilForeignFiles), ASSEMBLY, "The result of ${variant} is not pushed with strategy ${strategy}"),
    sample("changes the source's layers or its platform", Some(Code::FalconutilResultUnexpected), PROOF, "layers_and_platform_have_to_fit"),
    sample("changes a field of the configuration", Some(Code::FalconutilResultUnexpected), PROOF, "every_field_has_to_survive"),
    sample("sets another entrypoint", Some(Code::FalconutilResultUnexpected), PROOF, "another_entrypoint_is_refused"),
    sample("cannot patch a stub", None, "tests/task/graft.test.mjs", "A falconutil that cannot patch a stub is given the whole source"),
    sample("cannot run outside of its image", None, "tests/task/native-program.test.mjs", "A falconutil that needs its image runs in it"),
    sample("writes megabytes", None, ASSEMBLY, "Megabytes of output do not harm a patch"),
    sample("writes a line without an end", None, OUTPUT, "output_without_measure_is_cut"),
    sample("writes a flood of lines", None, OUTPUT, "a_flood_of_lines_is_cut_in_the_middle_and_said_to_be"),
    sample("writes bytes that are not text", None, OUTPUT, "bytes_that_are_not_text_are_replaced"),
    sample("writes `##vso[` commands", None, "tests/task/patch.test.mjs", "Output of a program cannot command the agent"),
    sample("sends hostile requests to the engine", Some(Code::FalconutilRequestRefused), SOCKET, "Every attack on the engine is refused: ${strategy}"),
    sample("sends requests that smuggle others, or have no end", None, LIMITS, "smuggled_requests_and_endless_heads_end_the_connection"),
    sample("opens connections and is silent", None, LIMITS, "silent_connections_keep_others_out_until_they_are_cut_off"),
];

#[rustfmt::skip]
const LAB: &[Sample] = &[
    sample("engine: absent", Some(Code::EngineNotReachable), "tests/engine/tests/engine_images.rs", "an_engine_that_is_not_there_is_not_reachable"),
    sample("engine: the agent's user may not use it", Some(Code::EngineNotPermitted), REFUSED, "An engine that the agent's user may not use is refused"),
    sample("engine: stopped in a pull, and its disk full", Some(Code::EngineNoSpace), OUTAGE, "outages_are_told_and_passed_over"),
    sample("engine: image, platform or program missing", Some(Code::EngineImageNotFound), CONTAINERS, "programs_and_images_that_are_not_there"),
    sample("engine: the run is cancelled or killed at each of its steps", None, "tests/task/interrupted.test.mjs", "can be cancelled or killed at each of its steps"),
    sample("registry: an upload breaks off", None, "tests/task/crowdstrike.test.mjs", "An upload that breaks off is repeated in a new session"),
    sample("registry: the push is refused", Some(Code::RegistryDenied), "tests/task/guide.test.mjs", "A push that ECR refuses fails the step"),
    sample("registry: a record is refused or lost", None, "tests/task/unchanged.test.mjs", "A refused or lost record is a warning, and the next run patches again"),
    sample("registry: an entry of the graft cache is bad", None, "tests/task/cache-entries.test.mjs", "Bad entries are refused, each for its reason, and replaced"),
    sample("AWS: expired keys", Some(Code::AwsCredentialsExpired), REFUSED, "Expired keys are reported as expired"),
    sample("ECS: every answer broken", None, "tests/task/deploy-faults.test.mjs", "Nothing that ECS answers breaks the step"),
    sample("ECS: missing rights", Some(Code::AwsDenied), "tests/task/deploy-faults.test.mjs", "Missing rights are named, with what has happened by then"),
    sample("CrowdStrike: refusals", Some(Code::FalconClientRefused), "tests/task/crowdstrike.test.mjs", "is reported and not tried again"),
    sample("line: a proxy that refuses", Some(Code::RegistryNotReachable), "tests/task/network.test.mjs", "A proxy that refuses is reported"),
];

fn render(samples: &[Sample]) -> String {
    let mut text =
        String::from("\n| fault | code | left behind | test |\n| --- | --- | --- | --- |\n");
    for Sample {
        fault,
        code,
        left,
        file,
        test,
    } in samples
    {
        let code = code.map_or_else(|| "none".to_owned(), |code| format!("`{}`", code.as_str()));
        let is_lab = if file.starts_with("tests/") {
            ", in the lab"
        } else {
            ""
        };
        let _ = writeln!(
            text,
            "| {fault} | {code} | {left} | `{test}` in `{file}`{is_lab} |"
        );
    }
    text
}

#[test]
fn faults_that_other_tests_play_are_on_the_page() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for Sample { file, test, .. } in FALCONUTIL.iter().chain(LAB) {
        let source = fs::read_to_string(root.join(file)).expect("the file of a test");
        let is_there = [
            format!("fn {test}("),
            format!("\"{test}"),
            format!("`{test}"),
        ];
        let is_there = is_there.iter().any(|name| source.contains(name.as_str()))
            || source.contains(&format!("{test}`"));
        assert!(is_there, "{file} has no test `{test}`");
    }
    check_part("falconutil", &render(FALCONUTIL));
    check_part("lab", &render(LAB));
}
