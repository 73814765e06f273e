//! The challenges by which a registry names the credentials that it wants.

use reqwest::header::{HeaderMap, WWW_AUTHENTICATE};

use super::header_value::parameter;

/// A way to sign in that a registry offers
/// (<https://www.rfc-editor.org/rfc/rfc9110#section-11.6.1>).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Challenge {
    /// User and password with each request.
    Basic,
    /// A token that is fetched elsewhere
    /// (<https://distribution.github.io/distribution/spec/auth/token/>).
    Bearer {
        /// Address where the token is fetched.
        realm: String,
        /// The registry's name for the one who issues it.
        service: Option<String>,
        /// Rights that the registry wants to see in the token.
        scope: Option<String>,
    },
}

/// The challenges of an answer, in its order; schemes that we do not know are left out.
pub(super) fn challenges(headers: &HeaderMap) -> Vec<Challenge> {
    let lines = headers.get_all(WWW_AUTHENTICATE).iter();
    lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(parse)
        .filter_map(understand)
        .collect()
}

/// A scheme and its parameters, whose names are in lower case.
type Parsed = (String, Vec<(String, String)>);

fn understand((scheme, parameters): Parsed) -> Option<Challenge> {
    let value = |name: &str| {
        let found = parameters.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.clone())
    };
    match scheme.to_ascii_lowercase().as_str() {
        "basic" => Some(Challenge::Basic),
        "bearer" => Some(Challenge::Bearer {
            realm: value("realm")?,
            service: value("service").filter(|service| !service.is_empty()),
            scope: value("scope").filter(|scope| !scope.is_empty()),
        }),
        _ => None,
    }
}

/// Takes a line apart: commas separate parameters as well as challenges, so only what follows a
/// word tells whether it names a parameter or the next scheme.
fn parse(line: &str) -> Vec<Parsed> {
    let mut all: Vec<Parsed> = Vec::new();
    let mut rest = line;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let end = rest.find([' ', '\t', ',', '=']).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        if word.is_empty() {
            return all;
        }
        let after = after.trim_start_matches([' ', '\t']);
        match (after.strip_prefix('='), all.last_mut()) {
            (Some(value), Some((_, parameters))) => {
                let (value, after) = parameter(value.trim_start_matches([' ', '\t']), &[',']);
                parameters.push((word.to_ascii_lowercase(), value));
                rest = after;
            }
            // A value without a scheme before it.
            (Some(_), None) => return all,
            (None, _) => {
                all.push((word.to_owned(), Vec::new()));
                rest = after;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Challenge, challenges};
    use reqwest::header::{HeaderMap, HeaderValue, WWW_AUTHENTICATE};

    fn check(lines: &[&str], expected: &[Challenge]) {
        let mut headers = HeaderMap::new();
        for line in lines {
            let value = HeaderValue::from_str(line).expect("a value");
            headers.append(WWW_AUTHENTICATE, value);
        }
        assert_eq!(challenges(&headers), expected, "{lines:?}");
    }

    fn bearer(realm: &str, service: Option<&str>) -> Challenge {
        Challenge::Bearer {
            realm: realm.to_owned(),
            service: service.map(str::to_owned),
            scope: None,
        }
    }

    #[test]
    fn challenges_of_real_registries_are_understood() {
        check(
            &[
                r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/nginx:pull""#,
            ],
            &[Challenge::Bearer {
                realm: "https://auth.docker.io/token".to_owned(),
                service: Some("registry.docker.io".to_owned()),
                scope: Some("repository:library/nginx:pull".to_owned()),
            }],
        );
        check(&[r#"Basic realm="Registry Realm""#], &[Challenge::Basic]);
        check(
            &[
                r#"bearer service = ghcr.io , realm = "https://ghcr.io/token", error="invalid_token""#,
            ],
            &[bearer("https://ghcr.io/token", Some("ghcr.io"))],
        );
    }

    #[test]
    fn several_challenges_come_in_one_line_or_in_several() {
        let token = bearer("https://a.example/t?a=1,2", None);
        check(
            &[r#"Bearer realm="https://a.example/t?a=1,2",service="",Basic realm="a\"b""#],
            &[token.clone(), Challenge::Basic],
        );
        check(
            &[
                "Negotiate",
                r"Basic realm=x",
                r#"Bearer realm="https://a.example/t?a=1,2""#,
            ],
            &[Challenge::Basic, token],
        );
    }

    #[test]
    fn what_cannot_be_understood_is_no_challenge() {
        for line in [
            "",
            ",",
            "=",
            "realm=x",
            r#"Bearer service="x""#,
            "Digest realm=x",
            "Bearer realm=\"unclosed",
        ] {
            let expected: &[Challenge] = if line.contains("unclosed") {
                &[bearer("unclosed", None)]
            } else {
                &[]
            };
            check(&[line], expected);
        }
    }
}
