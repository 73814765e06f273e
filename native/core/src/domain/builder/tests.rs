use super::{BuilderName, BuilderNameError};

#[test]
fn names_are_those_that_buildx_accepts() {
    for (text, expected) in [
        ("arm64builder", Ok("arm64builder")),
        ("A.b_c-1", Ok("A.b_c-1")),
        ("1builder", Err(BuilderNameError::Malformed)),
        ("-x", Err(BuilderNameError::Malformed)),
        ("--use", Err(BuilderNameError::Malformed)),
        ("a/b", Err(BuilderNameError::Malformed)),
        ("a b", Err(BuilderNameError::Malformed)),
        ("", Err(BuilderNameError::Malformed)),
        ("default", Err(BuilderNameError::Reserved)),
        ("Default", Err(BuilderNameError::Reserved)),
    ] {
        let name = text.parse::<BuilderName>().map(|name| name.to_string());
        assert_eq!(name, expected.map(str::to_owned), "{text}");
    }
    assert!("a".repeat(129).parse::<BuilderName>().is_err());
}
