//! The inputs that concern the ECS task definition.

use super::check::Check;
use super::patch::TaskDefinitionFile;
use crate::flow::inputs::Inputs;

/// The file that gets the image; none where the input is empty.
pub(super) fn read(check: &mut Check, inputs: &Inputs) -> Option<TaskDefinitionFile> {
    if inputs.task_definition.trim().is_empty() {
        check.without_effect(
            &[
                ("taskDefinitionOutput", &inputs.task_definition_output, ""),
                (
                    "registerTaskDefinition",
                    &inputs.register_task_definition,
                    "false",
                ),
            ],
            "an empty `taskDefinition`",
        );
        return None;
    }
    let path = check.text("taskDefinition", &inputs.task_definition);
    let output = check.text("taskDefinitionOutput", &inputs.task_definition_output);
    let register = check.boolean(
        "registerTaskDefinition",
        &inputs.register_task_definition,
        false,
    );
    Some(TaskDefinitionFile {
        path: path?.into(),
        output: output.map(Into::into),
        register: register?,
    })
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use crate::flow::config::patch::PatchConfig;
    use crate::flow::inputs::Inputs;
    use crate::report::code::Code;
    use crate::test_support::config;

    fn read(change: impl FnOnce(&mut Inputs)) -> Result<PatchConfig, Code> {
        let mut inputs = config::inputs();
        change(&mut inputs);
        config::read(&inputs).map_err(|problem| problem.code)
    }

    #[test]
    fn a_definition_alone_is_written_and_not_registered() {
        let config = read(|i| i.task_definition = "/s/ecs.json".into()).expect("good inputs");
        let file = config.task_definition.expect("a file");
        assert_eq!(file.path, PathBuf::from("/s/ecs.json"));
        assert_eq!((file.output, file.register), (None, false));
        let none = read(|_| {}).expect("good inputs");
        assert!(none.task_definition.is_none());
    }

    #[test]
    fn output_and_registration_need_a_definition() {
        let code = |change: fn(&mut Inputs)| read(change).expect_err("a problem");
        let without_effect = Code::InputWithoutEffect;
        assert_eq!(
            code(|i| i.task_definition_output = "/a/x".into()),
            without_effect
        );
        assert_eq!(
            code(|i| i.register_task_definition = "true".into()),
            without_effect
        );
        assert!(read(|i| i.register_task_definition = "False".into()).is_ok());
    }

    #[test]
    fn a_path_with_an_unknown_variable_is_refused() {
        for change in [
            |i: &mut Inputs| i.task_definition = "/s/$(NAME).json".into(),
            |i: &mut Inputs| {
                i.task_definition = "/s/ecs.json".into();
                i.task_definition_output = "/a/$(NAME).json".into();
            },
        ] {
            assert_eq!(
                read(change).expect_err("a problem"),
                Code::InputUnresolvedVariable
            );
        }
    }
}
