use proptest::{prop_assert, prop_assert_eq};
use serde_json::Value;

use super::task_definition::{TaskDefinition, Wanted};
use crate::test_support::fuzz::{changed_text, fuzz};

const DEFINITION: &str = r#"{"family":"web","cpu":"256","memory":"512","networkMode":"awsvpc","requiresCompatibilities":["FARGATE"],"runtimePlatform":{"cpuArchitecture":"ARM64","operatingSystemFamily":"LINUX"},"executionRoleArn":"arn:aws:iam::123456789012:role/x","containerDefinitions":[{"name":"web","image":"<IMAGE>","essential":true,"portMappings":[{"containerPort":80}],"dependsOn":[{"containerName":"log","condition":"START"}],"linuxParameters":{"capabilities":{"add":["SYS_PTRACE"]}}},{"name":"log","image":"public.ecr.aws/x/y:1"}],"volumes":[{"name":"v"}]}"#;

const DESCRIBED: &str = r#"{"taskDefinition":{"taskDefinitionArn":"arn:aws:ecs:eu-west-1:123456789012:task-definition/web:7","family":"web","revision":7,"status":"ACTIVE","cpu":"256","memory":"512","containerDefinitions":[{"name":"web","image":"x"}],"requiresAttributes":[{"name":"y"}]},"tags":[{"key":"a","value":"b"}]}"#;

#[test]
fn definitions_of_any_form_are_corrected_or_refused() {
    let samples = [DEFINITION, DESCRIBED];
    let pieces = [
        "null",
        "[]",
        "{}",
        "\"\"",
        "0",
        "-1",
        "1.5",
        "true",
        ",",
        "\"web\"",
        "\"name\":\"web\",",
        "\"FamilY\":",
        "<X>",
        "${X}",
        "$(X)",
        "{{x}}",
        "\"EC2\"",
        "\"X86_64\"",
        "[{}]",
        "\"dependsOn\":[{\"containerName\":\"web\"}],",
    ];
    for is_registered in [false, true] {
        fuzz("definitions", &changed_text(&samples, &pieces), |text| {
            let wanted = Wanted {
                is_registered,
                ..Wanted::default()
            };
            match TaskDefinition::read(text.as_bytes(), wanted) {
                Ok(definition) => {
                    let written = definition.with_image("r.example/app@sha256:1");
                    let read: Value = serde_json::from_str(&written).expect("JSON");
                    prop_assert!(read["containerDefinitions"].is_array());
                    // What was corrected needs no correction.
                    let again =
                        TaskDefinition::read(written.as_bytes(), wanted).map(|again| again.changes);
                    prop_assert_eq!(again.ok(), Some(Vec::new()), "{}", written);
                }
                Err(problem) => prop_assert!(!problem.what.is_empty()),
            }
            Ok(())
        });
    }
}
