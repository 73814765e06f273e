//! Programs of the agent, of whose output no more is read than it may have.

use std::io;
use std::process::{Output, Stdio};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;

/// Runs a program to its end, with `input` on its standard input.
///
/// # Errors
/// It cannot be started, or it writes more than `limit` bytes to one of its outputs; it is killed then, as it is when the
/// future is dropped.
pub async fn output(command: &mut Command, input: &[u8], limit: usize) -> io::Result<Output> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    if let Some(mut pipe) = child.stdin.take() {
        // A program that reads nothing closes its end, and its answer says why.
        let _ = pipe.write_all(input).await;
    }
    let (stdout, stderr, status) =
        tokio::try_join!(read(stdout, limit), read(stderr, limit), child.wait())?;
    Ok(Output {
        status,
        stdout,
        stderr,
    })
}

async fn read(pipe: Option<impl AsyncRead + Unpin>, limit: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(pipe) = pipe {
        let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
        pipe.take(most).read_to_end(&mut bytes).await?;
    }
    if bytes.len() > limit {
        return Err(io::Error::other(format!(
            "it writes more than {limit} bytes"
        )));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::output;
    use tokio::process::Command;

    async fn shell(script: &str, limit: usize) -> Result<(String, String), String> {
        let mut command = Command::new("/bin/sh");
        let ended = output(command.args(["-c", script]), b"word", limit).await;
        let ended = ended.map_err(|error| error.to_string())?;
        let text = |bytes| String::from_utf8(bytes).expect("text");
        Ok((text(ended.stdout), text(ended.stderr)))
    }

    #[tokio::test]
    async fn both_outputs_are_read_and_each_has_its_limit() {
        let both = shell("cat; echo no >&2", 4).await;
        assert_eq!(both, Ok(("word".to_owned(), "no\n".to_owned())));
        for script in ["exec cat /dev/zero", "exec cat /dev/zero >&2", "echo 12345"] {
            let refused = shell(script, 5).await;
            assert_eq!(
                refused,
                Err("it writes more than 5 bytes".to_owned()),
                "{script}"
            );
        }
    }
}
