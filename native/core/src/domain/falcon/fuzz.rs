use proptest::prop_assert;

use super::customer_id::CustomerId;
use super::version::{SensorVersion, sensor_version};
use crate::domain::aws::denial::Denial;
use crate::test_support::fuzz::{changed_text, fuzz};

#[test]
fn versions_ids_and_denials_of_any_form_are_read_or_refused() {
    let samples = [
        "7.39.0-7802.container.x86_64.Release.US-1",
        "0123456789abcdef0123456789abcdef-12",
        "User: arn:aws:iam::1:user/ci is not authorized to perform: ecr:BatchGetImage on resource: * with an explicit deny in an identity-based policy",
    ];
    let pieces = [
        ".",
        "-",
        "99999999999999999999",
        "v",
        "n-1",
        "\u{202e}",
        " on resource: arn:",
        "\n",
        "é",
        "0",
    ];
    fuzz("versions", &changed_text(&samples, &pieces), |text| {
        if let Some(version) = SensorVersion::parse(&text) {
            prop_assert!(version.is_at_least(&version) == Some(true));
        }
        if let Some(found) = sensor_version(&text) {
            prop_assert!(text.contains(&found), "{found}");
        }
        let _ = text.parse::<CustomerId>();
        let _ = Denial::of(&text, "ecr:X").to_string();
        Ok(())
    });
}
