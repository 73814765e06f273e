use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use super::{Part, SecretTexts};
use crate::domain::falcon::options::FalconOptions;
use crate::report::secret::Secret;
use crate::test_support::config::CUSTOMER;

const TOKEN: &str = "Zq7?wL~3xK9v";

fn secrets(falconctl: Option<&str>) -> SecretTexts {
    SecretTexts::of(&FalconOptions {
        customer_id: CUSTOMER.parse().expect("an ID"),
        cloud_service: None,
        container_name: None,
        falconctl_options: falconctl.map(Secret::new),
    })
}

fn text(text: &str) -> Part {
    Part::Text(text.to_owned())
}

#[test]
fn secrets_are_replaced_by_their_numbers_and_filled_in_again() {
    let options = format!("--tags=a,b --provisioning-token={TOKEN}");
    let secrets = secrets(Some(&options));
    let token = format!("--provisioning-token={TOKEN}");
    for (whole, parts) in [
        (
            format!("FALCONCTL_OPTS=--cid={CUSTOMER} {options}"),
            vec![
                text("FALCONCTL_OPTS=--cid="),
                Part::Secret(0),
                text(" "),
                Part::Secret(1),
            ],
        ),
        (
            format!("{token} --tags=a,b"),
            vec![Part::Secret(3), text(" "), Part::Secret(2)],
        ),
        ("nothing".to_owned(), vec![text("nothing")]),
        (String::new(), vec![]),
        (
            format!("ä{CUSTOMER}ö"),
            vec![text("ä"), Part::Secret(0), text("ö")],
        ),
    ] {
        assert_eq!(secrets.replace(&whole), parts, "{whole}");
        assert_eq!(secrets.fill(&parts), Some(whole));
    }
    assert_eq!(secrets.fill(&[Part::Secret(4)]), None);
}

#[test]
fn a_secret_is_found_in_any_form() {
    let secrets = secrets(Some(&format!(
        "--provisioning-token={TOKEN} --tags=production"
    )));
    let digits = &CUSTOMER[..32];
    let as_uuid = format!(
        "{}-{}-{}-{}-{}",
        &digits[..8],
        &digits[8..12],
        &digits[12..16],
        &digits[16..20],
        &digits[20..]
    );
    let url = "Zq7%3FwL%7E3xK9v";
    let mut forms = vec![
        CUSTOMER.to_owned(),
        CUSTOMER.to_uppercase(),
        digits.to_owned(),
        as_uuid,
        CUSTOMER.replace('-', "%2D"),
        TOKEN.to_owned(),
        TOKEN.to_lowercase(),
        url.to_owned(),
        "Z q 7 ? w L ~ 3 x K 9 v".to_owned(),
        super::hex(TOKEN).to_uppercase(),
    ];
    for secret in [CUSTOMER, TOKEN] {
        for front in ["", "a", "ab", "abc"] {
            let whole = format!("{front}{secret} and more");
            forms.push(STANDARD.encode(&whole));
            forms.push(URL_SAFE_NO_PAD.encode(&whole));
        }
    }
    for form in forms {
        assert!(secrets.are_in(&format!("x={form};")), "{form}");
    }
}

#[test]
fn other_texts_are_no_secrets() {
    let secrets = secrets(Some(
        "--provisioning-token A1B2C3D4 --tags=production --trace info --aid=1",
    ));
    for text in [
        "",
        "production",
        "info",
        "1",
        "FALCONCTL_OPTS=--cid=",
        "--provisioning-token",
        "/opt/CrowdStrike/rootfs",
        &CUSTOMER[..20],
    ] {
        assert!(!secrets.are_in(text), "{text}");
    }
    assert!(secrets.are_in("a1b2c3d4"));
}
