//! Which requests the lane takes, and how it answers them.

use std::sync::Arc;

use bytes::Bytes;
use mcp_core::Identity;
use mcp_core::arguments::Input;
use mcp_core::component::Prepared;
use mcp_core::registry::Entry;
use serde_json::{Map, Value};

use super::envelope::{Envelope, Era};
use super::write::{Written, list, result};
use crate::dispatch::{Arguments, Call, Caller};
use crate::operation::{Arrival, Begun, Ending};
use crate::protocol::handler::text;
use crate::protocol::render::Target;
use crate::started::Core;

/// A request that the lane has taken, with nothing borrowed from its message.
pub(crate) struct Taken {
    id: Box<str>,
    era: Era,
    wanted: Wanted,
    begun: Begun,
}

enum Wanted {
    /// A list or the discovery: written already.
    Ready(Bytes),
    Call {
        entry: Arc<Entry>,
        prepared: Box<dyn Prepared>,
        uri: Option<Box<str>>,
    },
}

impl Taken {
    /// Takes a request, or leaves it to rmcp.
    ///
    /// Arguments that do not fit are left as well: rmcp reads them once more and words the refusal.
    pub(crate) fn new(core: &Core, arrival: &Arrival, envelope: &Envelope<'_>, era: Era) -> Option<Self> {
        if core.stopping.is_cancelled() {
            return None;
        }
        let params = &envelope.params;
        let call = |entry: &Arc<Entry>, input: Input<'_>, uri: Option<&str>| {
            if entry.def.uses_ctx {
                return None;
            }
            let prepared = entry.read(input).ok()?;
            Some(Wanted::Call { entry: Arc::clone(entry), prepared, uri: uri.map(Box::from) })
        };
        let registry = &core.dispatch.registry;
        let arguments = params.arguments.map_or("{}", |arguments| arguments.get());
        let wanted = match envelope.method {
            "tools/call" if arguments.starts_with('{') => {
                call(registry.tool(params.name.as_deref()?)?, Input::Json(arguments), None)?
            }
            "resources/read" => {
                let uri = params.uri.as_deref()?;
                let (entry, values) = registry.resource(uri)?;
                call(entry, Input::Text(&values), Some(uri))?
            }
            "prompts/get" => {
                let entry = registry.prompt(params.name.as_deref()?)?;
                let given: Map<String, Value> = serde_json::from_str(arguments).ok()?;
                let given: Vec<_> = given.into_iter().map(|(name, value)| (name, text(&value))).collect();
                call(entry, Input::Text(&given), None)?
            }
            method => Wanted::Ready(core.ready.get(core, method, era)?),
        };
        let asked = envelope.asked(era);
        let asked = match &wanted {
            Wanted::Ready(_) => asked,
            Wanted::Call { entry, .. } => asked.of_entry(entry),
        };
        let begun = core.operations.begin(arrival, &asked);
        Some(Self { id: envelope.id().into(), era, wanted, begun })
    }

    /// Returns the id as it was written.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// Returns the component that is called, where one is.
    pub(crate) fn entry(&self) -> Option<&Arc<Entry>> {
        match &self.wanted {
            Wanted::Ready(_) => None,
            Wanted::Call { entry, .. } => Some(entry),
        }
    }

    /// Answers the request; who wants no answer any more drops this.
    pub(crate) async fn answer(self, core: &Core, identity: Identity) -> Written {
        let Self { id, era, wanted, begun } = self;
        let operation = core.operations.operation(begun);
        let (entry, prepared, uri) = match wanted {
            Wanted::Ready(result) => {
                operation.finish(&Ending::OK.into());
                return list(&id, result);
            }
            Wanted::Call { entry, prepared, uri } => (entry, prepared, uri),
        };
        let uri = uri.as_deref();
        let caller = Caller { identity, request: None, cancelled: None };
        let arguments = Arguments::Read(prepared);
        let call = Call { entry: &entry, arguments, uri, caller, continues: false };
        let answer = operation.within(async { core.dispatch.answer(call).await }).await;
        let revision = era.revision().into();
        let target = Target { entry: &entry, revision, modern: era.is_modern(), asking: None };
        let (written, ended) = result(&id, &target, uri, answer);
        operation.finish(&ended);
        written
    }
}
