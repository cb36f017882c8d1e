//! The arguments of a component, read back from its schema.

use serde_json::Value;

use super::def::{Contract, Def};
use super::parts::Kind;
use crate::uri::Template;

/// An argument, as its schema describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Argument {
    /// The name.
    pub name: String,
    /// The type in a word or two, for people and models.
    pub type_name: String,
    /// What it is.
    pub description: Option<String>,
    /// Whether a call must have it.
    pub required: bool,
}

/// Returns the arguments of a component, in the order of their declaration where the schema keeps it.
pub fn known_arguments(def: &Def) -> Vec<Argument> {
    let Some(schema) = def.arguments else {
        let Kind::Resource(part) = def.kind else { return Vec::new() };
        let template = Template::parse(part.uri);
        let variables = template.iter().flat_map(Template::variables);
        return variables
            .map(|name| Argument {
                name: name.to_owned(),
                type_name: "in the URI".to_owned(),
                description: None,
                required: true,
            })
            .collect();
    };
    let schema = schema(Contract::Deserialize).to_value();
    let required: Vec<_> = schema.get("required").and_then(Value::as_array).into_iter().flatten().collect();
    let properties = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
    properties
        .map(|(name, property)| Argument {
            name: name.clone(),
            type_name: type_name(property),
            description: property.get("description").and_then(Value::as_str).map(ToOwned::to_owned),
            required: required.iter().any(|required| *required == name),
        })
        .collect()
}

/// Returns the type of a schema in a word or two.
fn type_name(schema: &Value) -> String {
    match schema.get("type") {
        Some(Value::String(name)) => name.clone(),
        Some(Value::Array(names)) => {
            let names = names.iter().filter_map(Value::as_str).filter(|name| *name != "null");
            names.collect::<Vec<_>>().join(" or ")
        }
        _ => match schema.get("$ref").and_then(Value::as_str).and_then(|target| target.rsplit('/').next()) {
            Some(target) => target.to_owned(),
            None => "any".to_owned(),
        },
    }
}
