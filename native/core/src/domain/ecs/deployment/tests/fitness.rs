use crate::domain::ecs::deployment::service::{Guards, Service};

fn check(change: impl FnOnce(&mut Service)) -> Option<String> {
    let mut service = Service {
        name: "web".to_owned(),
        status: "ACTIVE".to_owned(),
        launch_type: Some("FARGATE".to_owned()),
        ..Service::default()
    };
    change(&mut service);
    service.check().err().map(|unfit| unfit.to_string())
}

#[test]
fn services_on_fargate_that_ecs_controls_are_fit() {
    let cases: [fn(&mut Service); 4] = [
        |_| (),
        |s| s.controller = Some("ECS".to_owned()),
        |s| s.launch_type = None,
        |s| {
            s.launch_type = None;
            s.capacity_providers = vec!["FARGATE".to_owned(), "FARGATE_SPOT".to_owned()];
        },
    ];
    for change in cases {
        assert_eq!(check(change), None);
    }
}

#[test]
fn others_are_refused_by_name() {
    type Change = fn(&mut Service);
    let cases: [(Change, &str); 6] = [
        (|s| s.status = "DRAINING".to_owned(), "is DRAINING"),
        (|s| s.status = "INACTIVE".to_owned(), "is INACTIVE"),
        (
            |s| s.controller = Some("CODE_DEPLOY".to_owned()),
            "by CODE_DEPLOY",
        ),
        (
            |s| s.controller = Some("EXTERNAL".to_owned()),
            "by EXTERNAL",
        ),
        (|s| s.launch_type = Some("EC2".to_owned()), "on EC2"),
        (
            |s| {
                s.launch_type = None;
                s.capacity_providers = vec!["FARGATE".to_owned(), "spot-fleet".to_owned()];
            },
            "provider spot-fleet",
        ),
    ];
    for (change, part) in cases {
        let message = check(change).expect(part);
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn either_guard_is_enough() {
    let guards = |circuit_breaker, alarms| Guards {
        circuit_breaker,
        alarms,
        rolls_back: false,
    };
    assert!(guards(false, false).are_missing());
    assert!(!guards(true, false).are_missing());
    assert!(!guards(false, true).are_missing());
}
