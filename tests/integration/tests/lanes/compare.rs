//! What came back, without what differs from run to run, and what two servers differ in.

use mcp_server::serde_json::{self, Map, Value};

/// What came back for a request.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// 0 over pipes.
    pub status: u16,
    pub headers: Vec<(String, String)>,
    /// Whether it came as an event stream.
    pub streamed: bool,
    /// The messages, and text that is none.
    pub messages: Vec<Value>,
}

/// Headers that must be the same; of `mcp-session-id` only whether it is there. Only JSON is compressed, so
/// that it alone varies by `accept-encoding` (RFC 9110, section 12.5.5).
const HEADERS: [&str; 6] =
    ["www-authenticate", "allow", "retry-after", "mcp-session-id", "content-type", "vary"];

impl Answer {
    /// Returns whether this is what the lane says, where the other server is as `plain`.
    pub fn is_of_the_lane(&self, plain: &Self) -> bool {
        self.status == 200 && !self.streamed && plain.streamed && !self.messages.is_empty()
    }

    /// Writes out what must be the same.
    pub fn normal(&self) -> String {
        let mut lines: Vec<_> =
            self.headers.iter().filter_map(|(name, value)| self.header(name, value)).collect();
        lines.sort();
        lines.insert(0, self.status.to_string());
        lines.extend(self.messages.iter().map(ToString::to_string));
        lines.join("\n")
    }

    fn header(&self, name: &str, value: &str) -> Option<String> {
        if !HEADERS.contains(&name) && !name.starts_with("access-control-") {
            return None;
        }
        match name {
            "mcp-session-id" => Some(format!("{name}: *")),
            // An answer alone may come as JSON or as a stream of one.
            "content-type" if self.status == 200 && (self.streamed || value == "application/json") => None,
            "vary" if value == "accept-encoding" => None,
            _ => Some(format!("{name}: {value}")),
        }
    }
}

/// Reads messages; text that is no JSON stays text, and a member that comes twice is told.
pub fn messages<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<Value> {
    texts
        .map(|text| {
            let mut message = match serde_json::from_str::<Once>(text) {
                Ok(Once(value)) => value,
                Err(error) if error.to_string().starts_with("twice") => {
                    Value::String(format!("{error}: {text}"))
                }
                Err(_) => Value::String(text.to_owned()),
            };
            mask(&mut message);
            message
        })
        .collect()
}

/// Replaces what is random: ids of log lines, and the sealed state of a call.
fn mask(value: &mut Value) {
    match value {
        Value::String(text) => {
            while let Some(at) = text.find("(id ") {
                let behind = at + "(id ".len();
                let end = text[behind..].find([',', ')']).map_or(text.len(), |end| behind + end);
                text.replace_range(at..end, "(an id");
            }
        }
        Value::Array(items) => items.iter_mut().for_each(mask),
        Value::Object(members) => {
            for (name, member) in members {
                if name == "requestState" {
                    *member = Value::String("*".to_owned());
                }
                mask(member);
            }
        }
        _ => {}
    }
}

/// JSON in which no member comes twice.
struct Once(Value);

impl<'de> serde::Deserialize<'de> for Once {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Visitor).map(Self)
    }
}

use mcp_server::serde;

struct Visitor;

impl<'de> serde::de::Visitor<'de> for Visitor {
    type Value = Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut all = Vec::new();
        while let Some(Once(item)) = items.next_element()? {
            all.push(item);
        }
        Ok(all.into())
    }

    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut all = Map::new();
        while let Some((name, Once(member))) = members.next_entry::<String, Once>()? {
            if all.contains_key(&name) {
                return Err(serde::de::Error::custom(format_args!("twice `{name}`")));
            }
            all.insert(name, member);
        }
        // The order of members says nothing.
        all.sort_keys();
        Ok(all.into())
    }
}
