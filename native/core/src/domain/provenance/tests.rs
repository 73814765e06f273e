use super::option_fields::OptionFields;
use super::record::{Provenance, Recipe, STATEMENT_TYPE};
use super::signed_record::Record;
use super::statement::StatementInput;
use crate::domain::agent::Origin;
use crate::domain::falcon::options::FalconOptions;
use crate::domain::image::referrer::Referrer;
use crate::domain::reference::digest::Digest;
use crate::domain::reference::repository::Repository;
use crate::domain::reference::tag::Tag;
use crate::report::code::Code;
use crate::report::problem::{Explain as _, Problem};
use crate::test_support::config::{CUSTOMER, falcon_options};

fn recipe() -> Recipe {
    Recipe::new(
        Some(&Digest::of(b"source")),
        &Digest::of(b"sensor"),
        &falcon_options(),
    )
}

fn referrer() -> Referrer {
    Referrer {
        digest: Digest::of(b"artifact"),
        artifact_type: STATEMENT_TYPE.to_owned(),
        annotations: Provenance::annotations(
            &recipe(),
            &OptionFields::of(&falcon_options()),
            Some("7.39.0-7802"),
        ),
    }
}

#[test]
fn what_is_written_is_read_again() {
    let read = Provenance::read(&referrer()).expect("readable");
    let read = read.expect("it is ours");
    assert_eq!(read.recipe, recipe());
    assert_eq!(read.options, OptionFields::of(&falcon_options()));
    assert_eq!(read.sensor_version.as_deref(), Some("7.39.0-7802"));
    let of_engine = Recipe {
        source: None,
        ..recipe()
    };
    let referrer = Referrer {
        annotations: Provenance::annotations(&of_engine, &OptionFields::default(), None),
        ..referrer()
    };
    let read = Provenance::read(&referrer).expect("readable");
    assert_eq!(read.expect("it is ours").recipe, of_engine);
}

#[test]
fn a_statement_of_another_tool_is_not_a_record() {
    let mut referrer = referrer();
    referrer.annotations.remove("falcon-patch.schema");
    assert_eq!(Provenance::read(&referrer), Ok(None));
}

#[test]
fn a_record_of_another_version_or_with_flaws_is_an_error() {
    for (name, text, expected) in [
        ("falcon-patch.schema", Some("2"), "`2`"),
        (
            "falcon-patch.source",
            Some("latest"),
            "`falcon-patch.source`",
        ),
        ("falcon-patch.sensor", None, "`falcon-patch.sensor`"),
        (
            "falcon-patch.options",
            Some("sha256:12"),
            "`falcon-patch.options`",
        ),
    ] {
        let mut referrer = referrer();
        match text {
            Some(text) => referrer
                .annotations
                .insert(name.to_owned(), text.to_owned()),
            None => referrer.annotations.remove(name),
        };
        let error = Provenance::read(&referrer).expect_err(name);
        let problem = Problem::from(error);
        assert_eq!(problem.code, Code::RegistryAnswerInvalid);
        assert!(problem.why[0].contains(expected), "{problem:?}");
    }
}

#[test]
fn every_option_counts_and_the_case_of_the_customer_id_does_not() {
    let of = |change: fn(&mut FalconOptions)| {
        let mut options = falcon_options();
        change(&mut options);
        Recipe::new(None, &Digest::of(b"sensor"), &options).options
    };
    let same = of(|options| {
        options.customer_id = CUSTOMER.to_uppercase().parse().expect("an ID");
    });
    assert_eq!(same, of(|_| {}));
    let others = [
        of(|options| options.cloud_service = None),
        of(|options| options.container_name = Some("web".to_owned())),
        of(|options| options.falconctl_options = None),
        of(|options| {
            options.customer_id = CUSTOMER.replace("12", "34").parse().expect("an ID");
        }),
        // The same text in another place is another option.
        of(|options| options.container_name = options.cloud_service.take()),
    ];
    for (index, other) in others.iter().enumerate() {
        assert_ne!(*other, same);
        assert!(!others[..index].contains(other));
    }
}

#[test]
fn the_statement_tells_everything_but_secrets() {
    let repository = Repository::new("r.example", "app/web");
    let sensor = Repository::new("r.example", "sensor");
    let tag: Tag = "1-falcon".parse().expect("a tag");
    let (image, options, recipe) = (Digest::of(b"image"), falcon_options(), recipe());
    let origin = Origin {
        run: Some("https://dev.azure.example/run/1".to_owned()),
        repository: Some("https://git.example/app".to_owned()),
        commit: Some("0a1b2c".to_owned()),
    };
    let making = StatementInput {
        graft_entry: None,
        target: &repository,
        target_tag: &tag,
        image: &image,
        source: ("r.example/app/web:1", Some(&repository)),
        sensor: ("r.example/sensor:7.39", &sensor),
        sensor_version: Some("7.39.0-7802"),
        recipe: &recipe,
        options: &options,
        origin: &origin,
        finished: "2026-01-02T03:04:05Z",
    };
    let text = making.statement().to_string();
    for secret in ["0123456789abcdef", "A1B2C3D4", "provisioning"] {
        assert!(!text.contains(secret), "{text}");
    }
    let statement = making.statement();
    let materials = &statement["predicate"]["buildDefinition"]["resolvedDependencies"];
    assert_eq!(materials[0]["digest"]["sha256"], hex(b"source"));
    assert_eq!(
        materials[1]["uri"],
        format!("oci://r.example/sensor@sha256:{}", hex(b"sensor"))
    );
    assert_eq!(materials[2]["digest"]["gitCommit"], "0a1b2c");
    assert_eq!(statement["subject"][0]["digest"]["sha256"], hex(b"image"));
    let read = |bytes: &[u8], image: &Digest| {
        let known = Provenance::read(&referrer()).expect("readable");
        Record::unproven(known.expect("a record"), bytes, false, image).map(|record| record.told)
    };
    let told = read(text.as_bytes(), &image).expect("it is about the image");
    assert_eq!(told.run.as_deref(), Some("https://dev.azure.example/run/1"));
    assert_eq!(told.source.as_deref(), Some("r.example/app/web:1"));
    for (bytes, image) in [
        (text.as_bytes(), &Digest::of(b"other")),
        (b"{}".as_slice(), &image),
        (b"".as_slice(), &image),
    ] {
        let error = read(bytes, image).expect_err("it is not about the image");
        assert_eq!(error.code(), Code::RegistryAnswerInvalid);
    }
}

fn hex(bytes: &[u8]) -> String {
    Digest::of(bytes).as_str().replace("sha256:", "")
}
