//! The options of a patch one by one, as far as a record may tell them.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::json;

use crate::domain::falcon::options::FalconOptions;
use crate::domain::reference::digest::Digest;
use crate::report::secret::Secret;

/// Input and annotation of each option.
const FIELDS: [(&str, &str); 4] = [
    ("falconCid", "falcon-patch.customer-id"),
    ("cloudService", "falcon-patch.cloud-service"),
    ("containerName", "falcon-patch.container-name"),
    ("falconctlOptions", "falcon-patch.falconctl-options"),
];

/// The options of a patch: the plain ones as JSON, the secret ones as digests. A record of an earlier version has none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OptionFields([Option<String>; FIELDS.len()]);

impl OptionFields {
    /// The options in the form of a record.
    #[must_use]
    pub fn of(options: &FalconOptions) -> Self {
        let customer_id = options.customer_id.reveal().to_ascii_lowercase();
        // The customer ID has too many digits to be guessed, and so the digest gives away neither it nor the options.
        let secret = |input: &str, value: Option<&str>| {
            let text = json!([input, customer_id, value]).to_string();
            Digest::of(text.as_bytes()).to_string()
        };
        let falconctl_options = options.falconctl_options.as_ref().map(Secret::reveal);
        Self([
            Some(secret("falconCid", None)),
            Some(json!(options.cloud_service).to_string()),
            Some(json!(options.container_name).to_string()),
            Some(secret("falconctlOptions", falconctl_options)),
        ])
    }

    /// Reads the annotations of a record.
    pub(super) fn read(annotations: &BTreeMap<String, String>) -> Self {
        Self(FIELDS.map(|(_, annotation)| annotations.get(annotation).cloned()))
    }

    /// The options by the names of their inputs, as a statement holds them.
    pub(super) fn named(&self) -> BTreeMap<&'static str, &str> {
        let fields = FIELDS.iter().zip(&self.0);
        let named = fields.filter_map(|((input, _), value)| Some((*input, value.as_deref()?)));
        named.collect()
    }

    /// The options of a statement, in the order of [`FIELDS`].
    pub(super) fn from_values(values: [Option<String>; FIELDS.len()]) -> Self {
        Self(values)
    }

    /// The annotations that [`OptionFields::read`] reads.
    pub(super) fn annotations(&self) -> impl Iterator<Item = (String, String)> {
        let fields = FIELDS.into_iter().zip(self.0.clone());
        fields.filter_map(|((_, annotation), value)| Some((annotation.to_owned(), value?)))
    }

    /// The options that differ, as far as both sides tell them.
    #[must_use]
    pub fn differences(&self, other: &Self) -> DifferingOptions {
        let differ = |(own, others): (&Option<String>, &Option<String>)| {
            own.is_some() && others.is_some() && own != others
        };
        let mut pairs = self.0.iter().zip(&other.0).map(differ);
        let mut differing = FIELDS.map(|_| pairs.next().unwrap_or_default());
        // The digest of the last one depends on the customer ID too.
        let [other_customer, .., falconctl_options] = &mut differing;
        *falconctl_options &= !*other_customer;
        DifferingOptions(differing)
    }
}

/// Options in which two patches differ; they print as the names of their inputs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DifferingOptions([bool; FIELDS.len()]);

impl DifferingOptions {
    /// Returns true if no differing option is known.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0.iter().all(|differs| !differs)
    }
}

impl fmt::Display for DifferingOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields = FIELDS.iter().zip(self.0).filter(|(_, differs)| *differs);
        let names: Vec<String> = fields.map(|((input, _), _)| format!("`{input}`")).collect();
        f.write_str(&names.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::OptionFields;
    use crate::domain::falcon::options::FalconOptions;
    use crate::report::secret::Secret;

    const CUSTOMER: &str = "0123456789abcdef0123456789abcdef-12";

    fn of(change: impl FnOnce(&mut FalconOptions)) -> OptionFields {
        let mut options = FalconOptions {
            customer_id: CUSTOMER.parse().expect("an ID"),
            cloud_service: Some("ECS_FARGATE".to_owned()),
            container_name: None,
            falconctl_options: Some(Secret::new("--tags=a")),
        };
        change(&mut options);
        OptionFields::of(&options)
    }

    fn differences(change: impl FnOnce(&mut FalconOptions)) -> String {
        of(|_| {}).differences(&of(change)).to_string()
    }

    #[test]
    fn the_options_that_differ_are_named_by_their_inputs() {
        assert_eq!(differences(|_| {}), "");
        assert_eq!(differences(|o| o.cloud_service = None), "`cloudService`");
        assert_eq!(
            differences(|o| {
                o.container_name = Some("null".to_owned());
                o.falconctl_options = None;
            }),
            "`containerName`, `falconctlOptions`"
        );
        let other = CUSTOMER.replace("12", "34");
        let customer = differences(|o| o.customer_id = other.parse().expect("an ID"));
        assert_eq!(customer, "`falconCid`");
        let upper = CUSTOMER.to_uppercase();
        let same = differences(|o| o.customer_id = upper.parse().expect("an ID"));
        assert_eq!(same, "");
    }

    #[test]
    fn annotations_are_read_again_and_hold_no_secret() {
        let fields = of(|_| {});
        let annotations = fields.annotations().collect();
        assert_eq!(OptionFields::read(&annotations), fields);
        let text = format!("{annotations:?}");
        for secret in [CUSTOMER, "--tags"] {
            assert!(!text.contains(secret), "{text}");
        }
    }

    #[test]
    fn a_record_without_the_options_differs_in_none_that_is_known() {
        let unknown = OptionFields::default();
        assert!(of(|_| {}).differences(&unknown).is_empty());
        assert!(unknown.differences(&of(|_| {})).is_empty());
    }
}
