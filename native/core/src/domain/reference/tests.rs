use super::digest::Digest;
use super::error::ReferenceError;
use super::image_name::ImageName;

type Parts<'a> = (Option<&'a str>, &'a str, Option<&'a str>);

fn check(text: &str, expected: &Result<Parts<'_>, ReferenceError>) {
    let parsed = text.parse::<ImageName>();
    let seen = match &parsed {
        Ok(name) => Ok((
            name.registry.as_deref(),
            name.repository.as_str(),
            name.tag.as_ref().map(super::tag::Tag::as_str),
        )),
        Err(error) => Err(error.clone()),
    };
    assert_eq!(&seen, expected, "{text}");
    if let Ok(name) = parsed {
        assert_eq!(name.to_string(), text);
    }
}

#[test]
fn references_that_users_type() {
    check("app/web:1.4.2", &Ok((None, "app/web", Some("1.4.2"))));
    check("web", &Ok((None, "web", None)));
    check(
        "123456789012.dkr.ecr.eu-west-1.amazonaws.com/app/web:1.4.2",
        &Ok((
            Some("123456789012.dkr.ecr.eu-west-1.amazonaws.com"),
            "app/web",
            Some("1.4.2"),
        )),
    );
    check(
        "localhost:5000/a__b/c-d.e:x",
        &Ok((Some("localhost:5000"), "a__b/c-d.e", Some("x"))),
    );
    let digest = Digest::of(b"");
    check(
        &format!("app/web:1@{digest}"),
        &Ok((None, "app/web", Some("1"))),
    );
}

#[test]
fn references_that_cannot_be() {
    check(
        "App/web:1",
        &Err(ReferenceError::UpperCase("App/web".into())),
    );
    check(
        "app//web:1",
        &Err(ReferenceError::Repository("app//web".into())),
    );
    check(
        "app/-web:1",
        &Err(ReferenceError::Repository("app/-web".into())),
    );
    check("app/web:", &Err(ReferenceError::Tag(String::new())));
    check("app/web:a b", &Err(ReferenceError::Tag("a b".into())));
    check(
        "app/web@sha256:12",
        &Err(ReferenceError::Digest("sha256:12".into())),
    );
    check(
        "https://host.example/app:1",
        &Err(ReferenceError::Scheme("https://".into())),
    );
    check(
        "host.example:port/app:1",
        &Err(ReferenceError::Host("host.example:port".into())),
    );
    check("", &Err(ReferenceError::Repository(String::new())));
}

#[test]
fn the_digest_of_nothing_is_the_known_one() {
    assert_eq!(
        Digest::of(b"").as_str(),
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    );
}
