//! Refuses JSON with keys that engines take for the same field.
//!
//! Engines are written in Go, whose JSON ignores the case of keys: `entrypoint` behind `Entrypoint` replaces it
//! (<https://pkg.go.dev/encoding/json#Unmarshal>). Of such an image, a reader that does not ignore the case sees
//! another image than the engine that starts it.

use std::collections::HashMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// The objects whose keys are texts of the user's, and not fields.
const MAPS: [&str; 4] = ["annotations", "exposedports", "labels", "volumes"];

/// Refuses a manifest or configuration in which an object has the same field twice.
///
/// # Errors
/// The two keys, as the end of a sentence about the JSON.
pub fn refuse_twin_keys(json: &[u8]) -> Result<(), String> {
    let shape: Shape = serde_json::from_slice(json).map_err(|e| format!("cannot be read: {e}"))?;
    shape.refuse_twins()
}

/// The keys of a JSON value, repeated ones included.
#[derive(Default)]
struct Shape {
    fields: Vec<(String, Shape)>,
    items: Vec<Shape>,
}

impl Shape {
    fn refuse_twins(&self) -> Result<(), String> {
        let mut seen = HashMap::new();
        for (key, value) in &self.fields {
            let folded = fold(key);
            let is_map = MAPS.contains(&folded.as_str());
            match seen.insert(folded, key) {
                Some(twin) if twin == key => return Err(format!("has `{key}` twice")),
                Some(twin) => {
                    return Err(format!(
                        "has both `{twin}` and `{key}`, which engines take for the same field"
                    ));
                }
                None if is_map => {}
                None => value.refuse_twins()?,
            }
        }
        self.items.iter().try_for_each(Self::refuse_twins)
    }
}

/// Folds the case as Go does: `\u{17f}` is an `s`, and `\u{212a}` a `k`.
fn fold(key: &str) -> String {
    key.to_uppercase().to_lowercase()
}

impl<'de> Deserialize<'de> for Shape {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ShapeVisitor)
    }
}

struct ShapeVisitor;

impl<'de> Visitor<'de> for ShapeVisitor {
    type Value = Shape;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Shape, A::Error> {
        let mut shape = Shape::default();
        while let Some(field) = map.next_entry()? {
            shape.fields.push(field);
        }
        Ok(shape)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Shape, A::Error> {
        let mut shape = Shape::default();
        while let Some(item) = list.next_element()? {
            shape.items.push(item);
        }
        Ok(shape)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Shape, E> {
        Ok(Shape::default())
    }

    fn visit_i64<E>(self, _: i64) -> Result<Shape, E> {
        Ok(Shape::default())
    }

    fn visit_u64<E>(self, _: u64) -> Result<Shape, E> {
        Ok(Shape::default())
    }

    fn visit_f64<E>(self, _: f64) -> Result<Shape, E> {
        Ok(Shape::default())
    }

    fn visit_str<E>(self, _: &str) -> Result<Shape, E> {
        Ok(Shape::default())
    }

    fn visit_unit<E>(self) -> Result<Shape, E> {
        Ok(Shape::default())
    }
}

#[cfg(test)]
mod tests {
    use super::refuse_twin_keys;

    #[test]
    fn the_same_field_twice_is_refused() {
        let cases = [
            (
                r#"{"config":{"Entrypoint":["a"],"entrypoint":["b"]}}"#,
                "`Entrypoint` and `entrypoint`",
            ),
            (r#"{"config":{"Env":[],"Env":["A=1"]}}"#, "`Env` twice"),
            (r#"{"config":{},"Config":{}}"#, "`config` and `Config`"),
            (
                r#"{"rootfs":{"diff_ids":[],"DIFF_IDS":[]}}"#,
                "`diff_ids` and `DIFF_IDS`",
            ),
            (
                r#"{"config":{"User":"a","u\u017fer":"root"}}"#,
                "`User` and `u\u{17f}er`",
            ),
            (
                r#"{"layers":[{"digest":"a","Digest":"b"}]}"#,
                "`digest` and `Digest`",
            ),
            (
                r#"{"config":{"Healthcheck":{"Test":[],"test":[]}}}"#,
                "`Test` and `test`",
            ),
            (
                r#"{"config":{"Labels":{},"labels":{}}}"#,
                "`Labels` and `labels`",
            ),
        ];
        for (json, keys) in cases {
            let why = refuse_twin_keys(json.as_bytes()).expect_err(json);
            assert!(why.contains(keys), "{why}");
        }
    }

    #[test]
    fn keys_of_the_user_may_differ_in_case() {
        let json = r#"{"config":{"Labels":{"Team":"a","team":"b"},"Volumes":{"/A":{},"/a":{}},
            "Cmd":null,"Tty":false,"Shell":[1,-1,0.5]},"annotations":{"A":"1","a":"2"}}"#;
        assert_eq!(refuse_twin_keys(json.as_bytes()), Ok(()));
    }

    #[test]
    fn what_is_not_json_is_refused() {
        assert!(refuse_twin_keys(b"{").is_err());
    }
}
