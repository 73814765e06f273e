//! Marks of the sensor in an image's configuration.

use serde_json::Value;

use super::options::{FALCON_ENTRYPOINT, SENSOR_ROOT_VARIABLE};

/// Marks that falconutil leaves in the configuration of every image that it patches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SensorMarks {
    /// The sensor's program is the first that the image starts.
    pub by_entrypoint: bool,
    /// The environment says where the sensor is.
    pub by_variable: bool,
}

impl SensorMarks {
    /// Reads the `config` object of a configuration.
    #[must_use]
    pub fn of(config: &Value) -> Self {
        let first = config["Entrypoint"][0].as_str();
        Self {
            by_entrypoint: first == Some(FALCON_ENTRYPOINT),
            by_variable: variable(config, SENSOR_ROOT_VARIABLE).is_some(),
        }
    }
}

/// Finds a variable of the sensor that the environment has several times, with different values.
#[must_use]
pub fn contradiction(config: &Value) -> Option<&str> {
    let is_of_sensor = |name: &str| {
        name == "FALCONCTL_OPTS" || name.starts_with("CS_") || name.starts_with("__CS_")
    };
    let mut names = variables(config).filter(|(name, _)| is_of_sensor(name));
    names.find_map(|(name, value)| (variable(config, name) != Some(value)).then_some(name))
}

/// The first value of a variable in the `config` object of a configuration.
#[must_use]
pub fn variable<'a>(config: &'a Value, name: &str) -> Option<&'a str> {
    variables(config).find_map(|(key, value)| (key == name).then_some(value))
}

/// The variables in the `config` object of a configuration, in order, repeated ones included.
pub fn variables(config: &Value) -> impl Iterator<Item = (&str, &str)> {
    let list = config["Env"].as_array().into_iter().flatten();
    list.filter_map(Value::as_str)
        .map(|text| text.split_once('=').unwrap_or((text, "")))
}
