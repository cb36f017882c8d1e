//! JSON as it is written: members may come twice, and numbers and text keep their spelling.

use std::fmt;

use mcp_server::serde::{Deserialize, Deserializer, de};
use mcp_server::serde_json::value::RawValue;
use mcp_server::serde_json::{self, Value};

#[derive(Clone, Debug)]
pub enum Tree {
    /// A number, text, `true`, `false` or `null`, or whatever else stands in their place.
    Leaf(String),
    Array(Vec<Tree>),
    Object(Vec<(String, Tree)>),
}

impl Tree {
    pub fn read(text: &str) -> Option<Self> {
        Some(match text.trim_start().as_bytes().first()? {
            b'{' => {
                let Members(members) = serde_json::from_str(text).ok()?;
                let read = |(name, member): (String, &RawValue)| Some((name, Self::read(member.get())?));
                Self::Object(members.into_iter().map(read).collect::<Option<_>>()?)
            }
            b'[' => {
                let items: Vec<&RawValue> = serde_json::from_str(text).ok()?;
                Self::Array(items.into_iter().map(|item| Self::read(item.get())).collect::<Option<_>>()?)
            }
            _ => Self::Leaf(serde_json::from_str::<&RawValue>(text).ok()?.get().to_owned()),
        })
    }

    /// Returns how many values there are, this one among them.
    pub fn len(&self) -> usize {
        1 + match self {
            Self::Leaf(_) => 0,
            Self::Array(items) => items.iter().map(Self::len).sum(),
            Self::Object(members) => members.iter().map(|(_, member)| member.len()).sum(),
        }
    }

    /// Returns one of the values by its number, in the order in which they are written.
    pub fn at(&mut self, number: usize) -> Option<&mut Self> {
        if number == 0 {
            return Some(self);
        }
        let mut before = 1;
        let inner: Vec<&mut Self> = match self {
            Self::Leaf(_) => Vec::new(),
            Self::Array(items) => items.iter_mut().collect(),
            Self::Object(members) => members.iter_mut().map(|(_, member)| member).collect(),
        };
        for value in inner {
            let len = value.len();
            if number < before + len {
                return value.at(number - before);
            }
            before += len;
        }
        None
    }
}

impl fmt::Display for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Leaf(text) => f.write_str(text),
            Self::Array(items) => {
                let items: Vec<_> = items.iter().map(ToString::to_string).collect();
                write!(f, "[{}]", items.join(","))
            }
            Self::Object(members) => {
                let members = members.iter().map(|(name, member)| {
                    let name = Value::from(name.as_str());
                    format!("{name}:{member}")
                });
                write!(f, "{{{}}}", members.collect::<Vec<_>>().join(","))
            }
        }
    }
}

/// The members of an object, all of them, in their order.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Visitor)
    }
}
