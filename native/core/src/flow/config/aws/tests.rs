use std::time::Duration;

use crate::domain::aws::settings::{AwsCredentials, AwsSettings};
use crate::flow::inputs::{AwsConnection, AwsContext, AwsVariables, Inputs, TokenRequest};
use crate::report::code::Code;
use crate::test_support::config::{self, read};

const ROLE: &str = "arn:aws:iam::123456789012:role/deploy";

fn inputs(change: impl FnOnce(&mut Inputs)) -> Inputs {
    let mut inputs = config::inputs();
    change(&mut inputs);
    inputs
}

fn aws(change: impl FnOnce(&mut Inputs)) -> AwsSettings {
    read(&inputs(change)).expect("good inputs").aws
}

fn refusal(change: impl FnOnce(&mut Inputs)) -> (Code, String) {
    let problem = read(&inputs(change)).expect_err("a refusal");
    (problem.code, problem.what)
}

fn with_connection(inputs: &mut Inputs, connection: AwsConnection) {
    inputs.aws_connection = "5d0c".to_owned();
    inputs.aws_context.connection = Some(connection);
}

fn keys() -> AwsConnection {
    AwsConnection {
        access_key_id: "AKIDCONNECTION".to_owned(),
        secret_access_key: "secret".to_owned(),
        use_oidc: "false".to_owned(),
        ..AwsConnection::default()
    }
}

fn by_oidc() -> AwsConnection {
    AwsConnection {
        role_arn: ROLE.to_owned(),
        use_oidc: "true".to_owned(),
        ..AwsConnection::default()
    }
}

fn request(url: &str) -> TokenRequest {
    TokenRequest {
        url: url.to_owned(),
        job_token: "job-token".to_owned(),
        hosts: vec!["dev.azure.com".to_owned(), ".visualstudio.com".to_owned()],
    }
}

fn variables() -> AwsVariables {
    AwsVariables {
        access_key_id: "AKIDVARIABLE".to_owned(),
        secret_access_key: "secret".to_owned(),
        ..AwsVariables::default()
    }
}

#[test]
fn sources_are_taken_in_the_toolkit_s_order() {
    let all = |inputs: &mut Inputs| {
        with_connection(inputs, keys());
        inputs.aws_access_key_id = "AKIDINPUT".to_owned();
        inputs.aws_secret_access_key = "secret".to_owned();
        inputs.aws_context.variables = variables();
    };
    assert_eq!(aws(all).origin(), "`awsConnection`");
    let no_connection = |inputs: &mut Inputs| {
        all(inputs);
        inputs.aws_connection.clear();
    };
    assert_eq!(aws(no_connection).origin(), "the inputs");
    let only_variables = |inputs: &mut Inputs| inputs.aws_context.variables = variables();
    assert_eq!(aws(only_variables).origin(), "the variables `AWS.*`");
    assert_eq!(aws(|_| ()).origin(), "the SDK's default chain");
}

#[test]
fn each_source_brings_its_own_role_and_the_input_s_goes_on_top() {
    let settings = aws(|inputs| {
        with_connection(
            inputs,
            AwsConnection {
                role_arn: ROLE.to_owned(),
                external_id: "few".to_owned(),
                role_session_name: "nightly".to_owned(),
                ..keys()
            },
        );
        inputs.aws_role_arn = "arn:aws-cn:iam::210987654321:role/path/top".to_owned();
        inputs.aws_external_id = "other".to_owned();
        inputs.aws_context.variables.role_arn = "arn:aws:iam::123456789012:role/no".to_owned();
        inputs.aws_context.variables.role_duration = "7200".to_owned();
    });
    assert_eq!(
        settings.origin(),
        "`awsConnection` with its role and the role of `awsRoleArn`"
    );
    let [first, top] = settings.roles.try_into().expect("two roles");
    assert_eq!(
        (first.arn.as_str(), first.session_name.as_str()),
        (ROLE, "nightly")
    );
    assert_eq!(first.external_id.as_deref(), Some("few"));
    assert_eq!(first.duration, Duration::from_hours(2));
    assert_eq!(top.external_id.as_deref(), Some("other"));
    assert_eq!(
        top.duration,
        Duration::from_hours(1),
        "one role opens another"
    );
}

#[test]
fn a_role_alone_stands_on_the_agent_s_own_credentials() {
    let connected = aws(|inputs| {
        with_connection(
            inputs,
            AwsConnection {
                role_arn: ROLE.to_owned(),
                ..AwsConnection::default()
            },
        );
    });
    assert_eq!(
        connected.origin(),
        "the SDK's default chain with the role of `awsConnection`"
    );
    let by_variable = aws(|inputs| inputs.aws_context.variables.role_arn = ROLE.to_owned());
    assert_eq!(
        by_variable.origin(),
        "the SDK's default chain with the role of `AWS.AssumeRoleArn`"
    );
    let [role] = by_variable.roles.try_into().expect("a role");
    assert_eq!(role.session_name, "aws-vsts-tools");
    assert_eq!(role.duration, Duration::from_mins(15));
}

#[test]
fn the_text_false_is_no_oidc() {
    for text in ["false", "False", "", "no"] {
        let settings = aws(|inputs| {
            with_connection(
                inputs,
                AwsConnection {
                    use_oidc: text.to_owned(),
                    ..keys()
                },
            );
        });
        assert!(
            matches!(settings.credentials, AwsCredentials::Keys { .. }),
            "{text}"
        );
    }
}

#[test]
fn oidc_leaves_stored_keys_alone() {
    for text in ["true", "True"] {
        let settings = aws(|inputs| {
            let connection = AwsConnection {
                use_oidc: text.to_owned(),
                role_arn: ROLE.to_owned(),
                ..keys()
            };
            with_connection(inputs, connection);
            inputs.aws_context.token_request = Some(request("https://dev.azure.com/contoso"));
        });
        assert_eq!(settings.origin(), "`awsConnection` by OIDC");
        assert!(settings.roles.is_empty());
    }
}

#[test]
fn a_chosen_source_that_lacks_something_is_refused_and_no_other_taken() {
    let also_variables = |connection: Option<AwsConnection>| {
        move |inputs: &mut Inputs| {
            inputs.aws_connection = "5d0c".to_owned();
            inputs.aws_context = AwsContext {
                connection,
                variables: variables(),
                token_request: None,
            };
        }
    };
    let half = AwsConnection {
        secret_access_key: String::new(),
        ..keys()
    };
    let no_role = AwsConnection {
        use_oidc: "true".to_owned(),
        ..keys()
    };
    for (connection, code) in [
        (None, Code::AwsConnectionMissing),
        (
            Some(AwsConnection::default()),
            Code::AwsConnectionIncomplete,
        ),
        (Some(half), Code::AwsConnectionIncomplete),
        (Some(by_oidc()), Code::AwsOidcUnavailable),
    ] {
        let (seen, what) = refusal(also_variables(connection));
        assert_eq!(seen, code, "{what}");
        assert!(what.contains("`awsConnection`"), "{what}");
    }
    let (code, what) = refusal(|inputs| {
        with_connection(inputs, no_role);
        inputs.aws_context.token_request = Some(request("https://dev.azure.com/contoso"));
    });
    assert_eq!(code, Code::AwsConnectionIncomplete, "{what}");
}

#[test]
fn the_job_s_token_goes_to_no_other_server() {
    for (url, allowed) in [
        ("https://dev.azure.com/contoso/x?y=z", true),
        ("https://contoso.visualstudio.com/x", true),
        ("http://127.0.0.1:8080/x", true),
        ("http://dev.azure.com/contoso", false),
        ("https://evil.example/dev.azure.com", false),
        ("https://dev.azure.com.evil.example/", false),
        ("https://evilvisualstudio.com/", false),
        ("https://dev.azure.com@evil.example/", false),
        ("nonsense", false),
    ] {
        let given = inputs(|inputs| {
            with_connection(inputs, by_oidc());
            inputs.aws_context.token_request = Some(request(url));
        });
        let code = read(&given).err().map(|problem| problem.code);
        let expected = (!allowed).then_some(Code::AwsEndpointRefused);
        assert_eq!(code, expected, "{url}");
    }
}

#[test]
fn what_cannot_be_is_told_by_the_name_that_the_user_typed() {
    type Change = fn(&mut Inputs);
    let cases: &[(&str, Change)] = &[
        ("awsRoleArn", |i| i.aws_role_arn = "deploy".to_owned()),
        ("awsRoleArn", |i| i.aws_external_id = "few".to_owned()),
        ("AWS.AssumeRoleArn", |i| {
            i.aws_context.variables.role_arn = "arn:aws:iam::1:user/x".to_owned();
        }),
        ("AWS.SecretAccessKey", |i| {
            i.aws_context.variables.access_key_id = "AKID".to_owned();
        }),
        ("AWS.AccessKeyID", |i| {
            i.aws_context.variables.session_token = "token".to_owned();
        }),
        ("AWS.RoleSessionName", |i| {
            i.aws_context.variables.role_arn = ROLE.to_owned();
            i.aws_context.variables.role_session_name = "a b".to_owned();
        }),
        ("aws.rolecredential.maxduration", |i| {
            i.aws_role_arn = ROLE.to_owned();
            i.aws_context.variables.role_duration = "899".to_owned();
        }),
        ("AWS.Region", |i| {
            i.aws_context.variables.region = "Ireland".to_owned();
        }),
    ];
    for (name, change) in cases {
        let (_, what) = refusal(change);
        assert!(
            what.starts_with(&format!("Invalid input `{name}`")),
            "{what}"
        );
    }
}

#[test]
fn the_region_is_the_input_s_then_the_reference_s_then_the_variable_s() {
    let region = |change: fn(&mut Inputs)| {
        let settings = aws(|inputs| {
            inputs.aws_context.variables.region = "us-east-1".to_owned();
            change(inputs);
        });
        settings.region.expect("a region")
    };
    assert_eq!(
        region(|inputs| inputs.aws_region = "eu-central-1".to_owned()),
        "eu-central-1"
    );
    assert_eq!(region(|_| ()), "eu-west-1");
    let short = |inputs: &mut Inputs| {
        inputs.source_image = "app/web:1".to_owned();
        inputs.target_image = "app/web:2".to_owned();
        inputs.sensor_image = "sensor:7.39".to_owned();
    };
    assert_eq!(region(short), "us-east-1");
}
