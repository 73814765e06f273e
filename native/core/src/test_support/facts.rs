//! Facts that allow a patch, for tests to change.

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::{Value, json};

use super::config::{CUSTOMER, HOST};
use crate::domain::aws::identity::CallerIdentity;
use crate::domain::ecs::task_definition::{TaskDefinition, Wanted};
use crate::domain::emulation::{Handler, Registration};
use crate::domain::engine::{EngineFacts, EngineMounts, Mountable, Store};
use crate::domain::falcon::options::FALCON_ENTRYPOINT;
use crate::domain::image::registry_image::RegistryImage;
use crate::domain::image::tag_mutability::TagMutability;
use crate::domain::platform::Platform;
use crate::domain::provenance::key::Trust;
use crate::domain::provenance::known_records::KnownRecords;
use crate::domain::provenance::option_fields::OptionFields;
use crate::domain::provenance::record::{Provenance, Recipe};
use crate::domain::reference::digest::Digest;
use crate::domain::reference::repository::Repository;
use crate::flow::config::patch::PatchConfig;
use crate::flow::facts::keys::KeyFacts;
use crate::flow::facts::patch::Facts;
use crate::flow::facts::probes::Probes;
use crate::flow::facts::sensor::SensorFacts;
use crate::flow::facts::source::{SourceFacts, SourcePlace};
use crate::flow::facts::target::{CurrentImage, TargetFacts};
use crate::report::code::Code;
use crate::report::problem::Problem;

/// A registered emulator, a multi-architecture sensor, an engine without images, a target that does not exist yet.
pub fn facts() -> Facts {
    Facts {
        caller: Some(Ok(CallerIdentity {
            account: "123456789012".to_owned(),
            arn: "arn:aws:iam::123456789012:user/ci".to_owned(),
        })),
        keys: Ok(KeyFacts {
            trust: Trust::Anyone,
        }),
        signing: None,
        engine: Some(Ok(engine())),
        mounts: Some(EngineMounts {
            agent_folder: Mountable::Yes,
            engine_socket: Some("/var/run/docker.sock".into()),
        }),
        handler: Registration::Registered(Handler {
            name: "qemu-aarch64".to_owned(),
            interpreter: "/usr/bin/qemu-aarch64-static".to_owned(),
            flags: "PF".to_owned(),
        }),
        source: Ok(source()),
        sensor: Ok(SensorFacts {
            name: format!("{HOST}/sensor:7.39.0-7802"),
            repository: Repository::new(HOST, "sensor"),
            arm64: Digest::of(b"arm64"),
            platforms: Vec::new(),
            native: Some(Digest::of(b"amd64")),
            version: Some("7.39.0-7802".to_owned()),
            copy: None,
        }),
        customer_id: Ok(CUSTOMER.parse().expect("an ID")),
        target: Ok(TargetFacts {
            repository: Repository::new(HOST, "app/web"),
            existing: Vec::new(),
            current: None,
            mutability: Some(TagMutability::Mutable),
            is_missing: false,
        }),
        builder: None,
        graft_cache: None,
        staged: None,
        task_definition: None,
        in_engine: HashSet::new(),
        probes: Probes::default(),
    }
}

/// A target that is up to date, and no engine: none is needed to see that.
pub fn up_to_date(config: &PatchConfig) -> Facts {
    let facts = facts();
    let options = config.falcon.for_customer(CUSTOMER.parse().expect("an ID"));
    let recipe = Recipe::new(source().digest(), &Digest::of(b"arm64"), &options);
    let current = CurrentImage {
        image: Arc::new(RegistryImage::of(&["a", "sensor"], &patched())),
        provenance: Ok(KnownRecords::all(vec![Provenance {
            recipe,
            options: OptionFields::of(&options),
            sensor_version: Some("7.39.0-7802".to_owned()),
            artifact: Digest::of(b"artifact"),
            signer: None,
        }])),
    };
    Facts {
        caller: None,
        engine: None,
        mounts: None,
        handler: Registration::Unknown,
        target: facts.target.map(|target| TargetFacts {
            current: Some(current),
            mutability: None,
            ..target
        }),
        ..facts
    }
}

/// The same facts with an ECS task definition whose container is `web`.
pub fn with_task_definition(facts: Facts) -> Facts {
    let file = json!({
        "family": "web", "containerDefinitions": [{"name": "web"}], "cpu": "256", "memory": "512",
        "executionRoleArn": "arn:aws:iam::123456789012:role/x",
    });
    Facts {
        task_definition: Some(TaskDefinition::read(
            file.to_string().as_bytes(),
            Wanted::default(),
        )),
        ..facts
    }
}

/// An AMD64 engine of this machine.
pub fn engine() -> EngineFacts {
    EngineFacts {
        version: "28.5.2".to_owned(),
        store: Store::Overlay2,
        platform: Platform::linux("amd64"),
        is_local: true,
    }
}

/// The configuration object of the patched source.
pub fn patched() -> Value {
    json!({
        "Entrypoint": [FALCON_ENTRYPOINT, "/entry.sh"],
        "Env": [
            "PATH=/bin",
            "__CS_FALCON_SENSOR_ROOT=/opt/CrowdStrike/rootfs",
            "CS_CLOUD_SERVICE=ECS_FARGATE",
            format!("FALCONCTL_OPTS=--cid={CUSTOMER}"),
        ],
    })
}

/// The problem of an engine that does not answer.
pub fn no_engine() -> Problem {
    Problem {
        code: Code::EngineNotReachable,
        what: "No engine".to_owned(),
        why: Vec::new(),
        hint: None,
    }
}

fn source() -> SourceFacts {
    let config = json!({"Entrypoint": ["/entry.sh"], "Env": ["PATH=/bin"]});
    SourceFacts {
        name: format!("{HOST}/app/web:1"),
        place: SourcePlace::Registry {
            repository: Repository::new(HOST, "app/web"),
            image: Arc::new(RegistryImage {
                digest: Digest::of(b"source"),
                ..RegistryImage::of(&["a"], &config)
            }),
            from_index: false,
        },
        config,
        diff_ids: vec!["a".to_owned()],
        bytes: Some(1),
    }
}
