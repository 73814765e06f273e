//! The settings for CrowdStrike, from the inputs or from a service connection, each with the name that problems give it.

use super::check::Check;
use super::input_fault::InputFault;
use crate::flow::inputs::{FalconConnection, Inputs};
use crate::report::secret::Secret;

/// The name of a setting, and its text.
pub(super) type Field<'a> = (&'static str, &'a str);

/// The settings for CrowdStrike.
pub(super) struct FalconFields<'a> {
    /// The place that they come from.
    place: Place,
    client_id: Field<'a>,
    client_secret: Field<'a>,
    /// The customer ID.
    pub(super) customer_id: Field<'a>,
    /// The cloud.
    pub(super) region: Field<'a>,
    /// The address of the API.
    pub(super) api_url: Field<'a>,
    /// The host of the registry.
    pub(super) registry: Field<'a>,
}

/// The place of the settings.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Inputs,
    Connection,
    /// A connection that could not be read, which has been noted.
    Nowhere,
}

impl<'a> FalconFields<'a> {
    /// Reads them from the connection that `falconConnection` names, or else from the inputs. Beside a connection, the
    /// inputs that it replaces are refused.
    pub(super) fn of(check: &mut Check, inputs: &'a Inputs) -> Self {
        if inputs.falcon_connection.trim().is_empty() {
            return Self::of_inputs(inputs);
        }
        let typed = Self::of_inputs(inputs);
        let replaced = typed.all().map(|(name, value)| {
            let default = if name == typed.region.0 { "auto" } else { "" };
            (name, value, default)
        });
        check.without_effect(
            &replaced,
            "`falconConnection`, which holds this setting; set one of the two",
        );
        let stored = inputs.stored_falcon.as_ref();
        match (
            check.text("falconConnection", &inputs.falcon_connection),
            stored,
        ) {
            (Some(_), Some(stored)) => Self::of_connection(stored),
            (Some(_), None) => {
                let message = "the job was not given this service connection";
                check.refuse(
                    InputFault::FalconConnectionMissing,
                    "falconConnection",
                    message,
                );
                Self::nowhere()
            }
            (None, _) => Self::nowhere(),
        }
    }

    fn of_inputs(inputs: &'a Inputs) -> Self {
        Self {
            place: Place::Inputs,
            client_id: ("falconClientId", &inputs.falcon_client_id),
            client_secret: ("falconClientSecret", &inputs.falcon_client_secret),
            customer_id: ("falconCid", &inputs.falcon_cid),
            region: ("falconRegion", &inputs.falcon_region),
            api_url: ("falconApiUrl", &inputs.falcon_api_url),
            registry: ("falconRegistry", &inputs.falcon_registry),
        }
    }

    fn of_connection(stored: &'a FalconConnection) -> Self {
        Self {
            place: Place::Connection,
            client_id: ("falconConnection, client ID", &stored.client_id),
            client_secret: ("falconConnection, client secret", &stored.client_secret),
            customer_id: ("falconConnection, customer ID", &stored.customer_id),
            region: ("falconConnection, cloud", &stored.region),
            api_url: ("falconConnection, API URL", &stored.api_url),
            registry: ("falconConnection, registry", &stored.registry),
        }
    }

    /// Settings that are all empty and that no further problem is noted for.
    fn nowhere() -> Self {
        let none = ("falconConnection", "");
        Self {
            place: Place::Nowhere,
            client_id: none,
            client_secret: none,
            customer_id: none,
            region: none,
            api_url: none,
            registry: none,
        }
    }

    fn all(&self) -> [Field<'a>; 6] {
        [
            self.client_id,
            self.client_secret,
            self.customer_id,
            self.region,
            self.api_url,
            self.registry,
        ]
    }

    /// Returns true if any part of an API client is given.
    pub(super) fn has_client(&self) -> bool {
        is_given(self.client_id) || is_given(self.client_secret)
    }

    /// The API client, both parts of which must be given.
    pub(super) fn client(&self, check: &mut Check) -> Option<(String, Secret)> {
        if self.place == Place::Nowhere {
            return None;
        }
        if self.place == Place::Connection
            && !(is_given(self.client_id) && is_given(self.client_secret))
        {
            incomplete(
                check,
                if self.has_client() {
                    "holds only a part of its API client: it needs the client's ID and its secret"
                } else {
                    "holds no API client, which `sensorSource: crowdstrike` needs"
                },
            );
            return None;
        }
        let id = check.required(self.client_id.0, self.client_id.1);
        let secret = check.required_secret(self.client_secret.0, self.client_secret.1);
        Some((id?.to_owned(), Secret::new(secret?)))
    }

    /// Refuses settings of the API that were typed into the step without a client. A connection may keep them.
    pub(super) fn refuse_settings_without_client(&self, check: &mut Check) {
        if self.place == Place::Inputs {
            let ((region, cloud), (url, address)) = (self.region, self.api_url);
            check.without_effect(
                &[(region, cloud, "auto"), (url, address, "")],
                "no API client; set `falconClientId` and `falconClientSecret`",
            );
        }
    }

    /// Refuses a customer ID that is missing where nothing can look it up. `from_api` is true if the sensor comes by the
    /// API, whose client is demanded elsewhere.
    pub(super) fn demand_customer_id(&self, check: &mut Check, from_api: bool) {
        if from_api {
            return;
        }
        match self.place {
            Place::Inputs if !is_given(self.client_id) => {
                check.refuse(
                    InputFault::Missing,
                    self.customer_id.0,
                    "is required and empty",
                );
            }
            Place::Connection if !self.has_client() => {
                incomplete(check, "holds neither an API client nor a customer ID");
            }
            Place::Inputs | Place::Connection | Place::Nowhere => {}
        }
    }
}

fn is_given((_, value): Field<'_>) -> bool {
    !value.trim().is_empty()
}

fn incomplete(check: &mut Check, what: &str) {
    check.refuse(
        InputFault::FalconConnectionIncomplete,
        "falconConnection",
        format!("the service connection {what}"),
    );
}

#[cfg(test)]
mod tests;
