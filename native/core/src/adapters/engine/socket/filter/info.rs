use serde_json::{Map, Value};

/// The facts about an engine that a client may need for a patch. All others, such as proxies and registries, are not its
/// concern.
const SHOWN: &[&str] = &[
    "Architecture",
    "Driver",
    "DriverStatus",
    "MemTotal",
    "NCPU",
    "OSType",
    "OperatingSystem",
    "SecurityOptions",
    "ServerVersion",
];

/// Reduces the answer to `GET /info` to what a patch may need.
pub(super) fn trimmed(info: &Value) -> Value {
    let shown = SHOWN.iter().filter_map(|name| {
        let value = info.get(name)?;
        Some(((*name).to_owned(), value.clone()))
    });
    Value::Object(shown.collect::<Map<_, _>>())
}

#[cfg(test)]
mod tests {
    use super::trimmed;
    use serde_json::json;

    #[test]
    fn only_what_is_needed_is_shown() {
        let info = json!({"OSType": "linux", "HttpProxy": "http://u:p@proxy", "NCPU": 2});
        assert_eq!(trimmed(&info), json!({"NCPU": 2, "OSType": "linux"}));
        assert_eq!(trimmed(&json!("odd")), json!({}));
    }
}
