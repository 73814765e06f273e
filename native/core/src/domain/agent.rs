use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// The agent and the job that own something that a run creates.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Owner {
    /// The agent, named so that no other agent has the same name.
    pub agent: String,
    /// The job, named so that no other job of this agent has the same name.
    pub job: String,
}

/// Facts that the task knows of the agent and the job it runs in.
#[derive(Clone, Debug)]
pub struct Agent {
    /// The same for every run on one agent, and no other's.
    pub identity: String,
    /// The same for every step of one job, and no other's.
    pub job: String,
    /// A folder that the agent empties after each job.
    pub temp_folder: PathBuf,
    /// A folder that stays.
    pub work_folder: PathBuf,
    /// The folder of the job's sources, below which inputs name files; none if the agent does not tell.
    pub sources_folder: Option<PathBuf>,
    /// True if the job runs in a container.
    pub in_container_job: bool,
    /// The engine's address, if it is not the usual one.
    pub docker_host: Option<String>,
    /// Folder of the certificates for the engine; none where the environment asks for no TLS.
    pub docker_certificates: Option<PathBuf>,
    /// Origin of the run, to be recorded.
    pub origin: Origin,
}

impl Agent {
    /// The owner that the journal and the labels name.
    #[must_use]
    pub fn owner(&self) -> Owner {
        Owner {
            agent: self.identity.clone(),
            job: self.job.clone(),
        }
    }

    /// The folders of the agent that a path within must not leave by a link, the narrower first.
    #[must_use]
    pub fn roots(&self) -> Vec<&Path> {
        let sources = self.sources_folder.as_deref();
        sources.into_iter().chain([&*self.work_folder]).collect()
    }

    /// The folder of the journal, which outlives a job.
    #[must_use]
    pub fn journal_folder(&self) -> PathBuf {
        self.work_folder.join("_falcon-arm64-patch")
    }
}

/// Origin of a run, as far as its system tells; shown and recorded, never used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The page of the run.
    pub run: Option<String>,
    /// The repository that holds the pipeline.
    pub repository: Option<String>,
    /// The commit that it ran on.
    pub commit: Option<String>,
}
