//! From the words of a command line to what the cache knows a call by.

use std::sync::Arc;

use mcp_core::arguments::Input;
use mcp_core::cache::{Lookup, TagId};
use mcp_core::component::Prepared;
use mcp_core::registry::Entry;
use mcp_core::{Identity, keying};
use serde_json::Value;

use crate::started::Core;

impl Core {
    /// Finds a component by its name, or by the URI of a resource, and reads arguments for it.
    fn prepared(
        &self,
        name: &str,
        arguments: Option<&str>,
    ) -> Result<(&Arc<Entry>, Box<dyn Prepared>), String> {
        let registry = &self.dispatch.registry;
        let arguments = arguments.unwrap_or("{}");
        let text: Vec<(String, String)>;
        let (entry, input) = match (registry.tool(name), registry.prompt(name), registry.resource(name)) {
            (Some(entry), ..) => (entry, Input::Json(arguments)),
            (None, Some(entry), _) => {
                let map: serde_json::Map<String, Value> =
                    serde_json::from_str(arguments).map_err(|error| error.to_string())?;
                let plain =
                    |value: Value| value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
                text = map.into_iter().map(|(name, value)| (name, plain(value))).collect();
                (entry, Input::Text(&text))
            }
            (None, None, Some((entry, values))) => {
                text = values;
                (entry, Input::Text(&text))
            }
            (None, None, None) => {
                return Err(format!("no component is named `{name}`: `list` shows what there is"));
            }
        };
        (entry.def.prepare)(input).map(|prepared| (entry, prepared)).map_err(|error| error.message())
    }

    /// Returns where the result is that an anonymous caller gets.
    pub(super) fn lookup(&self, name: &str, arguments: Option<&str>) -> Result<Lookup, String> {
        let (entry, prepared) = self.prepared(name, arguments)?;
        let cache = &self.dispatch.cache;
        let keyed = keying::keyed(entry.def, entry.root(cache), &*prepared, &Identity::anonymous());
        let uri = Some(name).filter(|_| entry.def.kind.word() == "resource");
        let lookup = keyed.map(|keyed| keyed.lookup(entry.def, &*prepared, uri));
        lookup.ok_or_else(|| format!("`{name}` does not cache this call"))
    }

    /// Returns the tag of a component's results: of all, or of those for some arguments.
    pub(super) fn tag(&self, name: &str, arguments: Option<&str>) -> Result<TagId, String> {
        let registry = &self.dispatch.registry;
        let whole = registry
            .tool(name)
            .or_else(|| registry.prompt(name))
            .or_else(|| registry.resource_declared(name));
        if let (Some(entry), None) = (whole, arguments) {
            return Ok(entry.def.tag());
        }
        let (entry, prepared) = self.prepared(name, arguments)?;
        keying::arguments_tag(entry.def, entry.root(&self.dispatch.cache), &*prepared)
            .ok_or_else(|| format!("`{name}` does not cache this call"))
    }
}
