//! Lists and discovery, serialised once for each era and mask.

use std::sync::{PoisonError, RwLock};

use bytes::Bytes;
use mcp_core::component::Kind;
use rmcp::model::{DiscoverResult, ProtocolVersion, ServerResult};

use super::envelope::Era;
use super::write::finished;
use crate::protocol::lists::Page;
use crate::started::Core;

/// The results of methods whose answer is the same for everybody.
#[derive(Default)]
pub(crate) struct ReadyLists([RwLock<Option<Ready>>; 2 * METHODS.len()]);

/// A result, and the mask of the registry that it was made under.
struct Ready {
    mask: u64,
    result: Bytes,
}

const METHODS: [&str; 5] =
    ["tools/list", "resources/list", "resources/templates/list", "prompts/list", "server/discover"];

impl ReadyLists {
    /// Returns the first page of a list, or the discovery; `None` for what is not the same for everybody.
    pub(crate) fn get(&self, core: &Core, method: &str, era: Era) -> Option<Bytes> {
        let method = METHODS.iter().position(|known| *known == method)?;
        let slot = self.0.get(2 * method + usize::from(era.is_modern()))?;
        // Before the list is made: a component that is switched meanwhile makes it outdated.
        let mask = core.dispatch.registry.mask();
        let ready = slot.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(ready) = ready.as_ref().filter(|ready| ready.mask == mask) {
            return Some(ready.result.clone());
        }
        drop(ready);
        let result = Bytes::from(serde_json::to_vec(&make(core, METHODS[method], era)?).ok()?);
        *slot.write().unwrap_or_else(PoisonError::into_inner) = Some(Ready { mask, result: result.clone() });
        Some(result)
    }
}

fn make(core: &Core, method: &str, era: Era) -> Option<ServerResult> {
    let (lists, modern) = (&core.lists, era.is_modern());
    let page = Page { cursor: None, size: core.page_size };
    let result = match method {
        "tools/list" => ServerResult::ListToolsResult(lists.tools_page(modern, page).ok()?),
        "resources/list" => {
            let enumerates = |kind: Kind| matches!(kind, Kind::Resource(part) if part.list.is_some());
            if lists.templates.iter().any(|(entry, _)| enumerates(entry.def.kind)) {
                return None;
            }
            ServerResult::ListResourcesResult(lists.resources_page(Vec::new(), modern, page).ok()?)
        }
        "resources/templates/list" => {
            ServerResult::ListResourceTemplatesResult(lists.templates_page(modern, page).ok()?)
        }
        "prompts/list" => ServerResult::ListPromptsResult(lists.prompts_page(modern, page).ok()?),
        _ if modern => {
            let versions = ProtocolVersion::KNOWN_VERSIONS.to_vec();
            ServerResult::DiscoverResult(DiscoverResult::from_server_info(versions, core.info()))
        }
        _ => return None,
    };
    Some(finished(result, modern))
}
