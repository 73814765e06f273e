//! CrowdStrike's clouds.

/// One of CrowdStrike's clouds; each tenant lives in one
/// (<https://falcon.crowdstrike.com/documentation/page/a2a7fc0e/crowdstrike-oauth2-based-apis>).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Region {
    /// The first commercial one.
    Us1,
    /// The second commercial one.
    Us2,
    /// The European one.
    Eu1,
    /// The first of the US government.
    UsGov1,
    /// The second of the US government.
    UsGov2,
}

impl Region {
    /// All of them; nothing beyond this table is ever signed in to because an answer says so.
    pub const ALL: [Self; 5] = [Self::Us1, Self::Us2, Self::Eu1, Self::UsGov1, Self::UsGov2];

    /// The cloud of a name such as `eu-1`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|region| region.name() == name)
    }

    /// The name in the input and in the API's header `X-Cs-Region`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Us1 => "us-1",
            Self::Us2 => "us-2",
            Self::Eu1 => "eu-1",
            Self::UsGov1 => "us-gov-1",
            Self::UsGov2 => "us-gov-2",
        }
    }

    /// The host of the API.
    #[must_use]
    pub fn api_host(self) -> &'static str {
        match self {
            Self::Us1 => "api.crowdstrike.com",
            Self::Us2 => "api.us-2.crowdstrike.com",
            Self::Eu1 => "api.eu-1.crowdstrike.com",
            Self::UsGov1 => "api.laggar.gcw.crowdstrike.com",
            Self::UsGov2 => "api.us-gov-2.crowdstrike.mil",
        }
    }

    /// The host of the registry.
    #[must_use]
    pub fn registry_host(self) -> &'static str {
        match self {
            Self::Us1 | Self::Us2 | Self::Eu1 => "registry.crowdstrike.com",
            Self::UsGov1 => "registry.laggar.gcw.crowdstrike.com",
            Self::UsGov2 => "registry.us-gov-2.crowdstrike.mil",
        }
    }

    /// The repositories of the sensor: since 7.33 one for all regions, before that one for each.
    #[must_use]
    pub fn repositories(self) -> [String; 2] {
        let own = match self {
            Self::Us1 | Self::Us2 | Self::Eu1 => self.name(),
            Self::UsGov1 => "gov1",
            Self::UsGov2 => "gov2",
        };
        [
            "falcon-container/release/falcon-container".to_owned(),
            format!("falcon-container/{own}/release/falcon-sensor"),
        ]
    }
}
