//! The inputs that concern AWS, completed by the images that they name.

use super::region::{account, region, region_variable};
use super::sign_in::{SignIn, sign_in};
use crate::domain::aws::settings::AwsSettings;
use crate::domain::reference::image_name::ImageName;
use crate::flow::config::check::Check;
use crate::flow::inputs::Inputs;

/// The inputs that concern AWS.
pub struct AwsInputs {
    sign_in: SignIn,
    region: Option<String>,
    region_variable: Option<String>,
    account: Option<String>,
}

pub(in crate::flow::config) fn read(check: &mut Check, inputs: &Inputs) -> AwsInputs {
    AwsInputs {
        sign_in: sign_in(check, inputs),
        region: region(check, inputs),
        region_variable: region_variable(check, inputs),
        account: account(check, inputs),
    }
}

impl AwsInputs {
    /// The sign-in and the account. Where no input names the account or the region, the first image with its registry
    /// does. The sensor may be in the registry of another account.
    pub fn complete(
        self,
        images: &[&ImageName],
        sensor: Option<&ImageName>,
    ) -> (AwsSettings, Option<String>) {
        let first = images.iter().find_map(|name| name.ecr());
        let account = first.as_ref().map(|host| host.account.clone());
        let region = first.or_else(|| sensor?.ecr()).map(|host| host.region);
        let (credentials, roles) = self.sign_in;
        let settings = AwsSettings {
            credentials,
            roles,
            region: self.region.or(region).or(self.region_variable),
        };
        (settings, self.account.or(account))
    }
}
