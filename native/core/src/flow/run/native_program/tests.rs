//! The program on its way from a registry to the agent's work folder.

mod probe;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::json;
use tar::{Builder, EntryType, Header};

use super::{NotUsed, with_program};
use crate::adapters::engine::container::spec::ContainerSpec;
use crate::adapters::journal::{Journal, JournalItem};
use crate::domain::falcon::elf::{ElfFault, sample};
use crate::domain::falcon::falconutil::help_arguments;
use crate::domain::falcon::program::{FALCONUTIL, ProgramObstacle};
use crate::domain::image::descriptor::Descriptor;
use crate::domain::image::manifest::{OCI_CONFIG, OCI_MANIFEST};
use crate::domain::platform::Platform;
use crate::domain::reference::digest::Digest;
use crate::flow::plan::step::{Falconutil, NativeProgram};
use crate::flow::run::context::Run;
use crate::flow::run::session::Session;
use crate::flow::run::step_outcome::StepOutcome;
use crate::report::event::{Event, Events};
use crate::test_support::agent::agent;
use crate::test_support::config::config;
use crate::test_support::loopback_registry::{LoopbackRegistry, refused};
use crate::test_support::loopback_server::Reply;

/// An image of one layer with a falconutil.
struct Image {
    layer: Vec<u8>,
    config: Vec<u8>,
    manifest: Vec<u8>,
}

impl Image {
    fn of(falconutil: &[u8]) -> Self {
        let mut builder = Builder::new(Vec::new());
        let mut header = Header::new_ustar();
        header.set_entry_type(EntryType::Regular);
        header.set_size(falconutil.len() as u64);
        header.set_path(&FALCONUTIL[1..]).expect("it is short");
        header.set_cksum();
        builder.append(&header, falconutil).expect("a layer");
        let layer = builder.into_inner().expect("a layer");
        let config = json!({
            "os": "linux", "architecture": "amd64", "config": {},
            "rootfs": {"type": "layers", "diff_ids": [Digest::of(&layer).as_str()]},
        });
        let config = config.to_string().into_bytes();
        let described = |media_type: &str, bytes: &[u8]| {
            let descriptor = Descriptor::of(media_type, bytes);
            json!({"mediaType": media_type, "digest": descriptor.digest.as_str(), "size": descriptor.size})
        };
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": described(OCI_CONFIG, &config),
            "layers": [described("application/vnd.oci.image.layer.v1.tar", &layer)],
        });
        let manifest = manifest.to_string().into_bytes();
        Self {
            layer,
            config,
            manifest,
        }
    }

    fn reply(&self, line: &str) -> Reply {
        let digest = Digest::of(&self.manifest);
        if line.ends_with(digest.as_str()) {
            let headers = [
                ("docker-content-digest", digest.as_str()),
                ("content-type", OCI_MANIFEST),
            ];
            return Reply::new(200, &headers, &self.manifest);
        }
        let blobs = [&self.config, &self.layer];
        let blob = blobs
            .into_iter()
            .find(|blob| line.ends_with(Digest::of(blob).as_str()));
        blob.map_or_else(|| refused(404), |blob| Reply::new(200, &[], blob))
    }
}

/// A run on an agent, with a registry that has an image.
struct Bed {
    run: Run,
    registry: LoopbackRegistry,
    program: NativeProgram,
    /// Requests to the registry.
    requests: Arc<AtomicUsize>,
    /// Lines that the log shows.
    news: Arc<Mutex<Vec<String>>>,
    events: Events,
}

impl Bed {
    async fn new(place: &Path, falconutil: &[u8], has_layer: bool) -> Self {
        let image = Image::of(falconutil);
        let digest = Digest::of(&image.manifest);
        let layer = Digest::of(&image.layer);
        let requests = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&requests);
        let registry = LoopbackRegistry::start(move |received| {
            counted.fetch_add(1, Ordering::SeqCst);
            if !has_layer && received.line.ends_with(layer.as_str()) {
                return refused(403);
            }
            image.reply(&received.line)
        })
        .await;
        let news = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&news);
        let events = Events::new(move |event| {
            if let Event::Note {
                message,
                is_news: true,
                ..
            } = event
            {
                heard.lock().expect("no panic").push(message);
            }
        });
        let session = Session::new(config(|_| ()), agent(place), Events::silent());
        let mut run = Run::open(session).expect("a run");
        run.services = run.services.with(Some(registry.client.clone()), None);
        Self {
            run,
            program: NativeProgram {
                repository: registry.repository.clone(),
                image: digest,
                platform: Platform::linux("amd64"),
            },
            registry,
            requests,
            news,
            events,
        }
    }

    async fn fetch(&self) -> Result<(), ProgramObstacle> {
        let events = self.events.of_step(1);
        let fetched = self.run.fetch_falconutil(&self.program, &events).await;
        match fetched {
            Ok(StepOutcome::Program(fetched)) => fetched,
            Ok(_) => panic!("another outcome"),
            Err(problem) => panic!("{problem:?}"),
        }
    }

    /// The obstacle, which the log shows.
    async fn obstacle(&self) -> ProgramObstacle {
        let obstacle = self.fetch().await.expect_err("an obstacle");
        let news = self.news.lock().expect("no panic").clone();
        assert_eq!(news, [obstacle.describe()]);
        obstacle
    }
}

/// The files in the agent's folder, without the journal's.
fn kept(place: &Path) -> Vec<String> {
    let folder = agent(place).journal_folder();
    let files = fs::read_dir(folder).expect("a folder");
    let names = files.map(|file| file.expect("a file").file_name());
    let names = names.map(|name| name.into_string().expect("a name"));
    names
        .filter(|name| name.starts_with("falconutil"))
        .collect()
}

fn falconutil(program: &NativeProgram) -> Falconutil {
    Falconutil {
        image: "sensor".to_owned(),
        program: Some(program.clone()),
        arm64: false,
        emulated: false,
        knows_platform: true,
    }
}

#[tokio::test]
async fn a_static_program_is_kept_for_the_job_and_fetched_once() {
    let place = tempfile::tempdir().expect("a folder");
    let content = sample(&[1, 1]);
    let bed = Bed::new(place.path(), &content, true).await;
    assert_eq!(bed.fetch().await, Ok(()));
    let asked = bed.requests.load(Ordering::SeqCst);
    assert!(asked >= 3, "manifest, configuration, layer: {asked}");
    let file = bed.run.file_to_mount(&falconutil(&bed.program)).await;
    let file = file.ok().flatten().expect("a file");
    assert_eq!(fs::read(&file).expect("a file"), content);
    assert_eq!(bed.fetch().await, Ok(()));
    assert_eq!(bed.requests.load(Ordering::SeqCst), asked);
    assert!(bed.news.lock().expect("no panic").is_empty());
    bed.run.end(None).await;
    drop(bed.registry);
    assert_eq!(kept(place.path()).len(), 1, "no draft");
    // The post-job step removes it.
    let agent = agent(place.path());
    let journal = Journal::open(&agent.journal_folder(), &agent.owner()).expect("a journal");
    let entries = journal.entries_of(&agent.job).expect("entries");
    let items: Vec<JournalItem> = entries.into_iter().map(|entry| entry.item).collect();
    assert!(!items.is_empty());
    let expected = JournalItem::File { path: file };
    assert!(items.iter().all(|item| *item == expected), "{items:?}");
}

#[tokio::test]
async fn a_program_that_needs_its_image_is_not_kept() {
    for (content, fault) in [
        (b"#!/bin/sh\n".to_vec(), ElfFault::NotElf),
        (sample(&[1, 3]), ElfFault::Interpreter),
    ] {
        let place = tempfile::tempdir().expect("a folder");
        let bed = Bed::new(place.path(), &content, true).await;
        assert_eq!(bed.obstacle().await, ProgramObstacle::NotStatic(fault));
        let file = bed.run.file_to_mount(&falconutil(&bed.program)).await;
        assert!(matches!(
            file,
            Err(NotUsed::Obstacle(ProgramObstacle::NotKept(_)))
        ));
        bed.run.end(None).await;
        assert!(kept(place.path()).is_empty());
    }
}

#[tokio::test]
async fn a_registry_that_refuses_the_layer_is_an_obstacle() {
    let place = tempfile::tempdir().expect("a folder");
    let bed = Bed::new(place.path(), &sample(&[1]), false).await;
    let obstacle = bed.obstacle().await;
    assert!(
        matches!(obstacle, ProgramObstacle::Registry(_)),
        "{obstacle:?}"
    );
    bed.run.end(None).await;
    assert!(kept(place.path()).is_empty());
}

#[tokio::test]
async fn a_program_that_was_changed_is_not_mounted_and_is_fetched_again() {
    let place = tempfile::tempdir().expect("a folder");
    let bed = Bed::new(place.path(), &sample(&[1]), true).await;
    assert_eq!(bed.fetch().await, Ok(()));
    let tool = falconutil(&bed.program);
    let file = bed.run.file_to_mount(&tool).await.ok().flatten();
    let file = file.expect("a file");
    fs::set_permissions(&file, Permissions::from_mode(0o755)).expect("a mode");
    fs::write(&file, b"another").expect("a file");
    fs::set_permissions(&file, Permissions::from_mode(0o555)).expect("a mode");
    let changed = bed.run.file_to_mount(&tool).await;
    assert!(matches!(
        changed,
        Err(NotUsed::Obstacle(ProgramObstacle::NotKept(_)))
    ));
    assert_eq!(bed.fetch().await, Ok(()));
    let again = bed.run.file_to_mount(&tool).await.ok().flatten();
    assert_eq!(again, Some(file));
}

#[tokio::test]
async fn the_container_gets_the_program_read_only_and_nothing_more() {
    let place = tempfile::tempdir().expect("a folder");
    let bed = Bed::new(place.path(), b"", true).await;
    let mut spec = bed
        .run
        .container("probe", "sensor".to_owned(), Platform::linux_arm64());
    spec.command = help_arguments();
    let mounted = with_program(spec.clone(), "/kept/falconutil".into());
    assert_eq!(mounted.command, ["patch-image", "--help"]);
    let [bind] = &mounted.binds[..] else {
        panic!("{:?}", mounted.binds)
    };
    assert!(bind.read_only && bind.source == Path::new("/kept/falconutil"));
    assert_eq!(mounted.entrypoint, Some(vec![bind.target.clone()]));
    let confined = |spec: &ContainerSpec| {
        (
            spec.network,
            spec.privileged,
            spec.env.clone(),
            spec.user.clone(),
        )
    };
    assert_eq!(confined(&mounted), confined(&spec));
}
