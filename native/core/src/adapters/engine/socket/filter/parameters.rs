use url::form_urlencoded;

use crate::adapters::engine::socket::refusals::shortened;

/// The parameters of a request that mean something.
///
/// Clients send every parameter that they know, most of them empty (`memory=0`, `ulimits=null`). Those are dropped.
#[derive(Debug)]
pub(in crate::adapters::engine::socket) struct Parameters(Vec<(String, String)>);

impl Parameters {
    pub(super) fn read(query: &str) -> Self {
        let parameters = form_urlencoded::parse(query.as_bytes()).into_owned();
        Self(
            parameters
                .filter(|(_, value)| !means_nothing(value))
                .collect(),
        )
    }

    /// Takes a parameter; one that is repeated has no one meaning.
    pub(super) fn take(&mut self, name: &str) -> Result<Option<String>, String> {
        let at = self.0.iter().position(|(known, _)| known == name);
        let Some(at) = at else {
            return Ok(None);
        };
        let (_, value) = self.0.swap_remove(at);
        if self.0.iter().any(|(known, _)| known == name) {
            return Err(format!("the parameter `{name}` is repeated"));
        }
        Ok(Some(value))
    }

    /// Takes a parameter that is `1` or `true`, or means nothing.
    pub(super) fn take_switch(&mut self, name: &str) -> Result<bool, String> {
        match self.take(name)?.as_deref() {
            None => Ok(false),
            Some("1" | "true" | "True" | "TRUE" | "t" | "T") => Ok(true),
            Some(_) => Err(format!("the parameter `{name}` is neither on nor off")),
        }
    }

    /// Refuses what is left: each parameter that was not taken is one that nothing here allows.
    pub(super) fn finish(self) -> Result<(), String> {
        self.0.first().map_or(Ok(()), |(name, _)| {
            Err(format!(
                "the parameter `{}` is not allowed",
                shortened(name)
            ))
        })
    }
}

fn means_nothing(value: &str) -> bool {
    matches!(
        value.trim(),
        "" | "0" | "false" | "null" | "{}" | "[]" | "default"
    )
}

#[cfg(test)]
mod tests {
    use super::Parameters;

    #[test]
    fn what_means_nothing_is_dropped_and_what_is_left_is_refused() {
        let query = "t=a&t=&memory=0&ulimits=null&labels=%7B%7D&cachefrom=[]&isolation=default&q=1";
        let mut parameters = Parameters::read(query);
        assert_eq!(parameters.take("t"), Ok(Some("a".to_owned())));
        assert_eq!(parameters.take("memory"), Ok(None));
        assert_eq!(parameters.take_switch("q"), Ok(true));
        assert_eq!(parameters.finish(), Ok(()));
        let refusal = Parameters::read("memory=1")
            .finish()
            .expect_err("a refusal");
        assert!(refusal.contains("`memory`"), "{refusal}");
    }

    #[test]
    fn what_is_repeated_is_refused() {
        for query in ["t=a&t=b", "t=a&%74=b", "t=&t=a&t=a"] {
            let refusal = Parameters::read(query).take("t").expect_err(query);
            assert!(refusal.contains("repeated"), "{refusal}");
        }
        let refusal = Parameters::read("q=maybe").take_switch("q");
        assert!(refusal.is_err(), "{refusal:?}");
    }
}
