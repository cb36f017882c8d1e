//! The components of every linked crate; the only file that knows linkme.
//!
//! A linked slice is gathered by the linker: no code runs before `main`, and a platform without
//! support is a compile error. Its name is global to the binary, hence the long one.

use linkme::distributed_slice;

use crate::component::{Def, PromptDef, ResourceDef, ToolDef};
use crate::provider::ProviderDef;

/// One registration.
///
/// Pointers, not structs: padding between entries (address sanitizers add some) would break them.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Item {
    /// A tool.
    Tool(&'static ToolDef),
    /// A resource.
    Resource(&'static ResourceDef),
    /// A prompt.
    Prompt(&'static PromptDef),
    /// A provider.
    Provider(&'static ProviderDef),
}

impl Item {
    /// Returns the component, unless it is a provider.
    pub fn component(&self) -> Option<&'static Def> {
        match self {
            Self::Tool(def) => Some(def),
            Self::Resource(def) => Some(def),
            Self::Prompt(def) => Some(def),
            Self::Provider(_) => None,
        }
    }
}

#[doc(hidden)]
#[allow(unsafe_code, reason = "linkme places the slice in a section of the binary")]
#[distributed_slice]
pub static MCP_CORE_ITEMS: [Item];

/// Returns what the attributes of all linked crates registered, in no particular order.
pub fn linked() -> &'static [Item] {
    &MCP_CORE_ITEMS
}

/// Registers one definition; the attributes write it.
#[doc(hidden)]
#[macro_export]
macro_rules! __register {
    (tool: $def:expr) => { $crate::__register!(@ Tool, $def); };
    (resource: $def:expr) => { $crate::__register!(@ Resource, $def); };
    (prompt: $def:expr) => { $crate::__register!(@ Prompt, $def); };
    (provider: $def:expr) => { $crate::__register!(@ Provider, $def); };
    (@ $kind:ident, $def:expr) => {
        #[$crate::__private::linkme::distributed_slice($crate::__private::MCP_CORE_ITEMS)]
        #[linkme(crate = $crate::__private::linkme)]
        static __ITEM: $crate::__private::Item = $crate::__private::Item::$kind($def);
    };
}
