//! How the arguments of a call become their types.

use std::fmt;

use serde::de::value::MapDeserializer;
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, VariantAccess,
    Visitor,
};

use crate::error::ToolError;

/// The arguments of a call as they arrive.
#[derive(Clone, Copy, Debug)]
pub enum Input<'a> {
    /// A JSON object: the arguments of a tool.
    Json(&'a str),
    /// Names and text: the arguments of a prompt, the variables of a URI.
    Text(&'a [(String, String)]),
}

/// The whole argument object as a type of the user's.
///
/// # Examples
///
/// ```
/// use mcp_core::Args;
///
/// struct Search { query: String }
///
/// fn search(Args(search): Args<Search>) -> String {
///     search.query
/// }
///
/// assert_eq!(search(Args(Search { query: "nails".into() })), "nails");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Args<T>(pub T);

impl<T> From<T> for Args<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

/// Reads arguments into their type.
///
/// # Errors
///
/// [`ToolError::invalid`] with serde's message, which names the argument or lists the known ones.
pub(crate) fn read<T: DeserializeOwned>(input: Input<'_>) -> Result<T, ToolError> {
    match input {
        Input::Json(text) => {
            // An empty object stands for absent arguments; serde_json bounds the depth at 128.
            let text = if text.is_empty() { "{}" } else { text };
            serde_json::from_str(text).map_err(|error| ToolError::invalid(without_position(&error)))
        }
        Input::Text(pairs) => {
            let pairs = pairs.iter().map(|(name, value)| (name.as_str(), Text { name, value }));
            T::deserialize(MapDeserializer::<_, TextError>::new(pairs))
                .map_err(|error| ToolError::invalid(error.0))
        }
    }
}

/// Positions mean nothing to a model that wrote an object, not a line.
fn without_position(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let suffix = format!(" at line {} column {}", error.line(), error.column());
    text.strip_suffix(&suffix).unwrap_or(&text).to_owned()
}

/// One textual argument, which turns itself into the type that is asked for.
struct Text<'a> {
    name: &'a str,
    value: &'a str,
}

/// The message of an argument that does not fit.
#[derive(Debug)]
struct TextError(String);

impl fmt::Display for TextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for TextError {}

impl de::Error for TextError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

impl Text<'_> {
    fn parse<T: std::str::FromStr>(&self, expected: &str) -> Result<T, TextError> {
        self.value
            .parse()
            .map_err(|_| TextError(format!("`{}` is `{}`: write {expected}", self.name, self.value)))
    }
}

impl<'de> IntoDeserializer<'de, TextError> for Text<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

macro_rules! parsed {
    ($($method:ident, $visit:ident, $expected:literal;)+) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TextError> {
            visitor.$visit(self.parse($expected)?)
        })+
    };
}

impl<'de> Deserializer<'de> for Text<'de> {
    type Error = TextError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TextError> {
        visitor.visit_borrowed_str(self.value)
    }

    parsed! {
        deserialize_bool, visit_bool, "`true` or `false`";
        deserialize_i8, visit_i8, "a whole number from -128 to 127";
        deserialize_i16, visit_i16, "a whole number from -32768 to 32767";
        deserialize_i32, visit_i32, "a whole number of 32 bits";
        deserialize_i64, visit_i64, "a whole number of 64 bits";
        deserialize_i128, visit_i128, "a whole number of 128 bits";
        deserialize_u8, visit_u8, "a whole number from 0 to 255";
        deserialize_u16, visit_u16, "a whole number from 0 to 65535";
        deserialize_u32, visit_u32, "a whole number from 0 to 4294967295";
        deserialize_u64, visit_u64, "a whole number from 0 on, of 64 bits";
        deserialize_u128, visit_u128, "a whole number from 0 on, of 128 bits";
        deserialize_f32, visit_f32, "a number";
        deserialize_f64, visit_f64, "a number";
        deserialize_char, visit_char, "one character";
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TextError> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, TextError> {
        visitor.visit_newtype_struct(self)
    }

    /// A list is written with commas, as an RFC 6570 expansion of one is.
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TextError> {
        let Self { name, value } = self;
        let items = value.split(',').filter(|_| !value.is_empty()).map(|value| Text { name, value });
        visitor.visit_seq(de::value::SeqDeserializer::new(items))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, TextError> {
        visitor.visit_enum(self)
    }

    serde::forward_to_deserialize_any! {
        str string bytes byte_buf unit unit_struct tuple tuple_struct map struct identifier ignored_any
    }
}

impl<'de> EnumAccess<'de> for Text<'de> {
    type Error = TextError;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self), TextError> {
        let variant: de::value::StrDeserializer<'_, TextError> = self.value.into_deserializer();
        Ok((seed.deserialize(variant)?, self))
    }
}

impl<'de> VariantAccess<'de> for Text<'de> {
    type Error = TextError;

    fn unit_variant(self) -> Result<(), TextError> {
        Ok(())
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, _seed: S) -> Result<S::Value, TextError> {
        Err(self.has_content())
    }

    fn tuple_variant<V: Visitor<'de>>(self, _len: usize, _visitor: V) -> Result<V::Value, TextError> {
        Err(self.has_content())
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _fields: &'static [&'static str],
        _visitor: V,
    ) -> Result<V::Value, TextError> {
        Err(self.has_content())
    }
}

impl Text<'_> {
    fn has_content(&self) -> TextError {
        TextError(format!(
            "`{}` is `{}`, a variant with content, which text cannot hold",
            self.name, self.value
        ))
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Order {
        Up,
        Down,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Wanted {
        id: u64,
        ratio: f32,
        deep: bool,
        order: Order,
        tags: Vec<String>,
        note: Option<String>,
    }

    fn text(pairs: &[(&str, &str)]) -> Result<Wanted, String> {
        let pairs: Vec<_> =
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        read(Input::Text(&pairs)).map_err(|error| error.message())
    }

    const GOOD: [(&str, &str); 5] =
        [("id", "7"), ("ratio", "0.5"), ("deep", "true"), ("order", "down"), ("tags", "a,b")];

    #[test]
    fn text_becomes_what_the_type_asks_for() {
        let wanted = Wanted {
            id: 7,
            ratio: 0.5,
            deep: true,
            order: Order::Down,
            tags: vec!["a".into(), "b".into()],
            note: None,
        };
        assert_eq!(text(&GOOD), Ok(wanted));
    }

    #[test]
    fn text_that_does_not_fit_says_what_to_write() {
        let mut pairs = GOOD;
        pairs[0].1 = "-1";
        assert_eq!(text(&pairs).unwrap_err(), "`id` is `-1`: write a whole number from 0 on, of 64 bits");
        pairs = GOOD;
        pairs[3].1 = "sideways";
        assert_eq!(text(&pairs).unwrap_err(), "unknown variant `sideways`, expected `up` or `down`");
        assert_eq!(text(&GOOD[1..]).unwrap_err(), "missing field `id`");
    }

    #[test]
    fn json_errors_name_the_argument_and_no_position() {
        let error = read::<Wanted>(Input::Json(r#"{"id":7,"oder":"up"}"#)).unwrap_err();
        assert_eq!(
            error.message(),
            "unknown field `oder`, expected one of `id`, `ratio`, `deep`, `order`, `tags`, `note`"
        );
    }
}
