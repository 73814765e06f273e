use crate::flow::config::patch::PatchConfig;
use crate::flow::services::Services;
use crate::report::code::Code;
use crate::report::event::StepEvents;

/// Warns of a customer ID that is not the API client's: nothing notices a wrong one before the
/// sensor fails to register.
pub(super) fn compare_customer_ids(config: &PatchConfig, services: &Services, events: &StepEvents) {
    let given = config.falcon.customer_id.as_ref();
    let known = services.tenant().known_customer_id();
    let (Some(given), Some(known)) = (given, known) else {
        return;
    };
    if !given.reveal().eq_ignore_ascii_case(known.reveal()) {
        events.warning(
            Code::FalconCustomerIdDiffers,
            "The customer ID is not that of the API client's tenant",
            Some("Leave `falconCid`, or the customer ID of `falconConnection`, empty to have it looked up, unless the containers belong to another tenant".to_owned()),
        );
    }
}
