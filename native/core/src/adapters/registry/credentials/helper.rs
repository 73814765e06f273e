//! Credential helpers: programs that keep passwords for Docker.
//!
//! The protocol is <https://github.com/docker/docker-credential-helpers#development>: the program
//! `docker-credential-NAME` is given the word `get` and, on its input, the registry, and answers in
//! JSON.

use std::process::Output;
use std::time::Duration;

use serde::Deserialize;
use tokio::process::Command;

use super::error::SignInError;
use crate::adapters::process;
use crate::domain::registry_login::RegistryLogin;
use crate::report::cause::Cause;
use crate::report::secret::Secret;

/// A helper may ask a service on the network, but nobody who would have to type something.
const PATIENCE: Duration = Duration::from_secs(30);

/// Bytes that a helper may write; tokens have a few KiB.
const ANSWER: usize = 256 * 1024;

/// Message of helpers that have nothing (`errCredentialsNotFoundMessage` of their library).
const NOT_FOUND: &str = "credentials not found in native keychain";

/// The user that tells that the secret is an identity token.
const TOKEN_USER: &str = "<token>";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Found {
    username: String,
    secret: String,
}

/// Asks a helper for a registry's password; nothing if it has none.
pub(super) async fn ask(name: &str, server: &str) -> Result<Option<RegistryLogin>, SignInError> {
    let program = format!("docker-credential-{name}");
    // Joined to a path, the name could start any program of the agent.
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if !name.chars().all(is_plain) {
        return Err(SignInError::Helper {
            program,
            source: Cause::said("its name holds more than letters, digits, `-`, `_` and `.`"),
        });
    }
    ask_program(&program, server).await
}

/// Asks the program itself.
pub(super) async fn ask_program(
    program: &str,
    server: &str,
) -> Result<Option<RegistryLogin>, SignInError> {
    let failed = |why: &str| SignInError::Helper {
        program: program.to_owned(),
        source: Cause::said(why),
    };
    let answer = tokio::time::timeout(PATIENCE, run(program, server)).await;
    let output = match answer {
        Ok(Ok(output)) => output,
        Ok(Err(error)) => return Err(failed(&format!("it cannot be run: {error}"))),
        Err(_) => {
            return Err(failed(&format!(
                "it did not answer within {} s",
                PATIENCE.as_secs()
            )));
        }
    };
    if !output.status.success() {
        return refused(&output).map_or(Ok(None), |why| Err(failed(&why)));
    }
    // What cannot be read is not repeated, for it may hold the password.
    let found: Found = serde_json::from_slice(&output.stdout)
        .map_err(|_| failed("its answer is not JSON with `Username` and `Secret`"))?;
    let secret = Secret::new(found.secret);
    Ok(match found.username.as_str() {
        _ if secret.reveal().is_empty() => None,
        TOKEN_USER => Some(RegistryLogin::identity_token(secret)),
        "" => None,
        user => Some(RegistryLogin::password(user, secret)),
    })
}

/// Reason that a helper failed; none if it only has nothing. They say so on their output.
fn refused(output: &Output) -> Option<String> {
    let said = String::from_utf8_lossy(&output.stdout);
    if said.trim() == NOT_FOUND {
        return None;
    }
    let errors = String::from_utf8_lossy(&output.stderr);
    let text = if said.trim().is_empty() { errors } else { said };
    Some(format!("it ended with {}: {}", output.status, text.trim()))
}

async fn run(program: &str, server: &str) -> std::io::Result<Output> {
    let input = format!("{server}\n");
    process::output(Command::new(program).arg("get"), input.as_bytes(), ANSWER).await
}
