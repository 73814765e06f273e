//! Docker's configuration: what `docker login` and the task Docker@2 left there.
//!
//! The file and its keys are those of
//! <https://docs.docker.com/reference/cli/docker/login/#credential-stores>. It is only read.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::error::SignInError;
use super::helper;
use crate::domain::reference::docker_hub::is_docker_hub;
use crate::domain::reference::repository::Repository;
use crate::domain::registry_login::RegistryLogin;
use crate::report::cause::Cause;
use crate::report::secret::Secret;

/// Docker Hub's key in the file, and its name for helpers.
const DOCKER_HUB_KEY: &str = "https://index.docker.io/v1/";

/// No configuration that people write is longer.
const LIMIT: u64 = 4 * 1024 * 1024;

/// Place of Docker's configuration.
#[derive(Clone, Debug, Default)]
pub struct DockerConfig {
    path: Option<PathBuf>,
}

/// The parts of the file that concern sign-ins.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct File {
    auths: Option<BTreeMap<String, Option<Entry>>>,
    creds_store: Option<String>,
    cred_helpers: Option<BTreeMap<String, String>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Entry {
    auth: Option<String>,
    username: Option<String>,
    password: Option<String>,
    identitytoken: Option<String>,
}

impl DockerConfig {
    /// The configuration that the Docker command line would use: in `DOCKER_CONFIG`, or else in
    /// `.docker` of the home folder.
    #[must_use]
    pub fn of_agent(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let folder = |name: &str| {
            let value = variable(name).filter(|value| !value.is_empty());
            value.map(PathBuf::from)
        };
        let folder = folder("DOCKER_CONFIG").or_else(|| Some(folder("HOME")?.join(".docker")));
        Self {
            path: folder.map(|folder| folder.join("config.json")),
        }
    }

    /// Returns the login that Docker would use for a repository; none without an entry.
    ///
    /// A helper comes before what the file itself holds, as with Docker; but a helper that knows
    /// nothing or fails does not hide an entry of the file.
    ///
    /// # Errors
    /// [`SignInError::DockerConfig`] if the file cannot be used, and [`SignInError::Helper`] if a helper failed and the
    /// file has no login itself.
    pub async fn login(
        &self,
        repository: &Repository,
    ) -> Result<Option<RegistryLogin>, SignInError> {
        let Some(path) = &self.path else {
            return Ok(None);
        };
        let Some(file) = read(path).await? else {
            return Ok(None);
        };
        let helped = match file.helper(repository) {
            Some(name) => helper::ask(name, server(&repository.registry)).await,
            None => Ok(None),
        };
        if let Ok(Some(login)) = helped {
            return Ok(Some(login));
        }
        let auths = file.auths.as_ref();
        let entries = auths.map(|auths| find(auths, repository));
        for entry in entries.into_iter().flatten().flatten() {
            if let Some(login) = entry.login().map_err(|why| invalid(path, why))? {
                return Ok(Some(login));
            }
        }
        helped
    }
}

/// Reads the file; none if there is none.
async fn read(path: &Path) -> Result<Option<File>, SignInError> {
    use tokio::io::AsyncReadExt as _;
    let said = |error: std::io::Error| SignInError::DockerConfig {
        path: path.to_owned(),
        source: Cause::of(&error),
    };
    // A pipe would be waited for, and a device has no end.
    match tokio::fs::metadata(path).await {
        Ok(metadata) if metadata.is_file() => {}
        Ok(_) => return Err(invalid(path, "it is not a regular file")),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(said(error)),
    }
    let file = tokio::fs::File::open(path).await.map_err(said)?;
    let mut bytes = Vec::new();
    file.take(LIMIT + 1)
        .read_to_end(&mut bytes)
        .await
        .map_err(said)?;
    if bytes.len() as u64 > LIMIT {
        return Err(invalid(path, &format!("it has more than {LIMIT} bytes")));
    }
    // Docker takes an empty file for an empty object.
    if bytes.trim_ascii().is_empty() {
        return Ok(Some(File::default()));
    }
    // The parser's own words could quote a password.
    let file: Option<File> = serde_json::from_slice(&bytes).map_err(|error| {
        invalid(
            path,
            &format!("it is not the expected JSON (line {})", error.line()),
        )
    })?;
    Ok(Some(file.unwrap_or_default()))
}

fn invalid(path: &Path, why: &str) -> SignInError {
    SignInError::DockerConfig {
        path: path.to_owned(),
        source: Cause::said(why),
    }
}

impl File {
    /// The helper for a repository, if there is one.
    fn helper(&self, repository: &Repository) -> Option<&str> {
        let own = self.cred_helpers.as_ref();
        let own = own.and_then(|helpers| find(helpers, repository).into_iter().next());
        let name = own.or(self.creds_store.as_ref())?;
        (!name.is_empty()).then_some(name)
    }
}

impl Entry {
    /// The login in the entry; none if the entry only says that a helper has it.
    fn login(&self) -> Result<Option<RegistryLogin>, &'static str> {
        let filled = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        if let Some(token) = filled(&self.identitytoken) {
            return Ok(Some(RegistryLogin::identity_token(Secret::new(token))));
        }
        let (user, password) = match (filled(&self.auth), filled(&self.username)) {
            (Some(auth), _) => {
                decode(&auth).ok_or("an entry's `auth` is not `user:password` in base64")?
            }
            (None, Some(user)) => (user, self.password.clone().unwrap_or_default()),
            (None, None) => return Ok(None),
        };
        if user.is_empty() || password.is_empty() {
            return Ok(None);
        }
        Ok(Some(RegistryLogin::password(user, Secret::new(password))))
    }
}

fn decode(auth: &str) -> Option<(String, String)> {
    let text = String::from_utf8(STANDARD.decode(auth.trim()).ok()?).ok()?;
    let (user, password) = text.split_once(':')?;
    // Old versions of Docker padded the password with zeros.
    Some((user.to_owned(), password.trim_matches('\0').to_owned()))
}

/// A registry's name in the file and for helpers.
fn server(registry: &str) -> &str {
    if is_docker_hub(registry) {
        DOCKER_HUB_KEY
    } else {
        registry
    }
}

/// The entries for a repository, the best one first.
///
/// A key is a registry's name, or an address with its name as older tools wrote it (`ConvertToHostname` of
/// <https://pkg.go.dev/github.com/docker/docker/registry>), or, as podman and Kubernetes have it, a registry with a
/// path; the longest path that fits is the best
/// (<https://github.com/containers/image/blob/main/docs/containers-auth.json.5.md>).
fn find<'a, T>(entries: &'a BTreeMap<String, T>, repository: &Repository) -> Vec<&'a T> {
    let ranked = entries.iter();
    let mut ranked: Vec<_> = ranked
        .filter_map(|(key, entry)| Some((rank(key, repository)?, entry)))
        .collect();
    ranked.sort_by_key(|(rank, _)| Reverse(*rank));
    ranked.into_iter().map(|(_, entry)| entry).collect()
}

/// Rank of a key for a repository: the length of its path, then its being the registry's own name; none if it is not
/// for the repository.
fn rank(key: &str, repository: &Repository) -> Option<(usize, bool)> {
    let registry = repository.registry.as_str();
    let address = key.split_once("://").map(|(_, rest)| rest);
    let plain = address.unwrap_or(key);
    let (host, path) = plain.split_once('/').unwrap_or((plain, ""));
    let host = host.to_ascii_lowercase();
    if host != registry && !(is_docker_hub(&host) && is_docker_hub(registry)) {
        return None;
    }
    let path = path.trim_end_matches('/');
    let rest = repository.name.strip_prefix(path);
    match rest {
        Some(rest) if !path.is_empty() && (rest.is_empty() || rest.starts_with('/')) => {
            Some((path.len(), false))
        }
        // The path of an address, or of the registry's API, does not name a repository.
        _ if path.is_empty() || address.is_some() || matches!(path, "v1" | "v2") => {
            Some((0, key == server(registry)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod tests;
