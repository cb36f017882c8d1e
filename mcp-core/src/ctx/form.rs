//! From a type to the form that asks for it.

use schemars::JsonSchema;
use serde_json::{Value, json};

use crate::component::dialect;

/// Returns the schema of a form: flat, and in the few words that the protocol has for its fields.
pub(super) fn form_schema<T: JsonSchema>() -> Value {
    let mut schema = dialect()
        .with(|settings| settings.inline_subschemas = true)
        .into_generator()
        .into_root_schema_for::<T>();
    for field in ["title", "description"] {
        schema.remove(field);
    }
    let mut schema = schema.to_value();
    let fields = schema.get_mut("properties").and_then(Value::as_object_mut);
    fields
        .into_iter()
        .flat_map(|fields| fields.values_mut())
        .filter_map(Value::as_object_mut)
        .for_each(form_field);
    schema
}

/// Brings a field of a form into the protocol's words, which know no `null` and no mixed choices.
fn form_field(field: &mut serde_json::Map<String, Value>) {
    // `Option<_>`: that it may be absent, `required` says.
    if let Some(Value::Array(either)) = field.remove("anyOf") {
        let some = either.into_iter().find(|one| one.get("type").is_none_or(|kind| kind != "null"));
        if let Some(Value::Object(some)) = some {
            let own = std::mem::replace(field, some);
            field.extend(own);
        }
    }
    if let Some(Value::Array(kinds)) = field.get("type")
        && let Some(kind) = kinds.iter().find(|kind| *kind != "null").cloned()
    {
        field.insert("type".to_owned(), kind);
    }
    if let Some(Value::Array(values)) = field.get_mut("enum") {
        values.retain(|value| !value.is_null());
    }
    if field.get("default").is_some_and(Value::is_null) {
        field.remove("default");
    }

    if let Some(choices) = titled_choices(field) {
        field.insert("type".to_owned(), json!("string"));
        field.insert("oneOf".to_owned(), choices);
    }
    if let Some(items) = field.get_mut("items").and_then(Value::as_object_mut)
        && let Some(choices) = titled_choices(items)
    {
        *items = serde_json::Map::from_iter([("anyOf".to_owned(), choices)]);
    }
}

/// Returns the variants of an enum of which some have a title or a doc comment, each with its title.
fn titled_choices(schema: &serde_json::Map<String, Value>) -> Option<Value> {
    let mut choices = Vec::new();
    for variant in schema.get("oneOf")?.as_array()? {
        let title = variant.get("title").or_else(|| variant.get("description"));
        let values = variant.get("enum").and_then(Value::as_array).map(Vec::as_slice);
        let values = values.or_else(|| variant.get("const").map(std::slice::from_ref))?;
        choices.extend(values.iter().map(|value| json!({ "const": value, "title": title.unwrap_or(value) })));
    }
    choices.iter().all(|choice| choice["const"].is_string()).then(|| choices.into())
}
#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(JsonSchema, Deserialize)]
    enum Size {
        Small,
        Large,
    }

    #[derive(JsonSchema, Deserialize)]
    enum Way {
        /// By sea
        Ship,
        #[schemars(title = "By rail")]
        Train,
        Foot,
    }

    fn field<T: JsonSchema>() -> Value {
        #[derive(JsonSchema)]
        struct Form<T> {
            #[expect(dead_code, reason = "only its schema is looked at")]
            field: T,
        }

        form_schema::<Form<T>>()["properties"]["field"].clone()
    }

    /// The `PrimitiveSchemaDefinition` of the protocol's schema.
    #[test]
    fn forms_keep_to_the_words_of_the_protocol() {
        let ways = json!([
            { "const": "Foot", "title": "Foot" },
            { "const": "Ship", "title": "By sea" },
            { "const": "Train", "title": "By rail" },
        ]);
        for (field, expected) in [
            (field::<String>(), json!({ "type": "string" })),
            (field::<Option<String>>(), json!({ "type": "string" })),
            (field::<Option<bool>>(), json!({ "type": "boolean" })),
            (field::<Size>(), json!({ "type": "string", "enum": ["Small", "Large"] })),
            (field::<Option<Size>>(), json!({ "type": "string", "enum": ["Small", "Large"] })),
            (field::<Way>(), json!({ "type": "string", "oneOf": ways })),
            (field::<Option<Way>>(), json!({ "type": "string", "oneOf": ways })),
            (
                field::<Vec<Size>>(),
                json!({ "type": "array", "items": { "type": "string", "enum": ["Small", "Large"] } }),
            ),
            (field::<Vec<Way>>(), json!({ "type": "array", "items": { "anyOf": ways } })),
        ] {
            assert_eq!(field, expected);
        }
    }

    #[test]
    fn a_field_that_may_be_absent_keeps_its_notes() {
        #[derive(JsonSchema, Deserialize)]
        #[expect(dead_code, reason = "only its schema is looked at")]
        struct Trip {
            /// How to travel.
            #[serde(default)]
            way: Option<Way>,
            days: Option<u8>,
        }

        let form = form_schema::<Trip>();
        assert_eq!(form["properties"]["way"]["description"], "How to travel.");
        assert_eq!(form["properties"]["way"].get("default"), None);
        assert_eq!(form["properties"]["days"]["type"], "integer");
        assert_eq!(form.get("required"), None);
    }
}
