//! The cloud services that falconutil knows.

/// The values of `--cloud-service` in falconutil's documentation
/// (<https://github.com/CrowdStrike/Container-Security/blob/main/aws-ecs/ecs-fargate-guide.md>). A later falconutil may
/// know more.
const KNOWN: [&str; 4] = ["ACA", "ACI", "CLOUDRUN", "ECS_FARGATE"];

/// Likeness from which a text counts as a known service with a slip.
const ALIKE: f64 = 0.75;

/// Returns the known service that was probably meant; none for one that is known, and for one that resembles none.
#[must_use]
pub fn probably_meant(text: &str) -> Option<&'static str> {
    if KNOWN.contains(&text) {
        return None;
    }
    let plain = text.to_uppercase().replace(['-', ' ', '.'], "_");
    let nearest = KNOWN
        .into_iter()
        .map(|known| (strsim::normalized_damerau_levenshtein(known, &plain), known))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    let fargate = || plain.contains("FARGATE").then_some("ECS_FARGATE");
    nearest.map(|(_, known)| known).or_else(fargate)
}

#[cfg(test)]
mod tests {
    use super::probably_meant;

    #[test]
    fn a_slip_is_told_from_a_known_service_and_from_one_to_come() {
        for (text, meant) in [
            ("ECS_FARGATE", None),
            ("CLOUDRUN", None),
            ("ECS_FARGETE", Some("ECS_FARGATE")),
            ("ecs-fargate", Some("ECS_FARGATE")),
            ("ECSFARGATE", Some("ECS_FARGATE")),
            ("fargate", Some("ECS_FARGATE")),
            ("AWS_FARGATE", Some("ECS_FARGATE")),
            ("CLOUD_RUN", Some("CLOUDRUN")),
            ("GKE_AUTOPILOT", None),
            ("AKS", None),
        ] {
            assert_eq!(probably_meant(text), meant, "{text}");
        }
    }
}
