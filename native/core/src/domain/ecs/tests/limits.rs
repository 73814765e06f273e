//! Numbers beyond the limits of ECS and Fargate.

use serde_json::{Value, json};

use super::{corrected, refused};

#[test]
fn numbers_beyond_a_limit_are_refused_with_their_path() {
    for (expected, field, value) in [
        (
            "`containerDefinitions[0].memory` is 4096 MiB, and the whole task has 3072",
            "memory",
            json!(4096),
        ),
        (
            "`containerDefinitions[0].memory` is 4096 MiB",
            "memory",
            json!("4096"),
        ),
        (
            "`containerDefinitions[0].memoryReservation` is 3073 MiB",
            "memoryReservation",
            json!(3073),
        ),
        (
            "`cpu` is 1024 units, and the containers reserve 2048",
            "cpu",
            json!(2048),
        ),
        (
            "`containerDefinitions[0].stopTimeout` is 121, and must be from 0 to 120",
            "stopTimeout",
            json!(121),
        ),
        (
            "`containerDefinitions[0].healthCheck.interval` is 1, and must be from 5 to 300",
            "healthCheck",
            json!({"command": ["CMD", "true"], "interval": 1}),
        ),
        (
            "`containerDefinitions[0].portMappings[0].containerPort` is 70000",
            "portMappings",
            json!([{"containerPort": 70000}]),
        ),
    ] {
        let (_, said) = refused(|d| d["containerDefinitions"][0][field] = value);
        assert!(said.contains(expected), "{expected}: {said}");
    }
    let (_, said) = refused(|d| d["ephemeralStorage"] = json!({"sizeInGiB": 500}));
    assert!(
        said.contains("`ephemeralStorage.sizeInGiB` is 500"),
        "{said}"
    );
    let (_, said) = refused(|d| {
        d["containerDefinitions"][0]["memory"] = json!(512);
        d["containerDefinitions"][0]["memoryReservation"] = json!(1024);
    });
    assert!(said.contains("the container's limit is 512"), "{said}");
}

#[test]
fn numbers_at_their_limits_are_taken() {
    let (_, changes) = corrected(|d| {
        let web = &mut d["containerDefinitions"][0];
        web["memory"] = json!(3072);
        web["memoryReservation"] = json!(3072);
        web["cpu"] = json!(1024);
        web["stopTimeout"] = json!(120);
        web["portMappings"] = json!([{"containerPort": 65535, "hostPort": 0}]);
        d["ephemeralStorage"] = json!({"sizeInGiB": 200});
        d["tags"] = tags(50);
    });
    assert_eq!(changes, Vec::<String>::new());
}

fn tags(count: usize) -> Value {
    (0..count)
        .map(|nth| json!({"key": format!("key-{nth}"), "value": "x"}))
        .collect()
}

#[test]
fn tags_are_limited_in_number_and_length() {
    for (expected, tags) in [
        ("`tags` has 51 tags, and ECS takes 50", tags(51)),
        (
            "`tags[1].key` is `a`, and another tag has that key",
            json!([{"key": "a"}, {"key": "a"}]),
        ),
        (
            "`tags[0].key` has 129 characters",
            json!([{"key": "k".repeat(129)}]),
        ),
        (
            "`tags[0].value` has 257 characters",
            json!([{"key": "k", "value": "é".repeat(257)}]),
        ),
        ("`tags[0].key` is empty", json!([{"key": "", "value": "x"}])),
        ("`tags[0].key` is missing", json!([{"value": "x"}])),
    ] {
        let (_, said) = refused(|d| d["tags"] = tags);
        assert!(said.contains(expected), "{expected}: {said}");
    }
}
