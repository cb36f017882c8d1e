//! What the page reads.

use bytes::Bytes;
use mcp_core::profile::{SlowCall, Span};
use serde::Serialize;
use serde_json::json;

use super::form::field;
use crate::started::Core;
use crate::text_report::{Look, summary};

/// How many columns a text has at most: browsers show it as it is.
const WIDTH: usize = 120;

/// Returns the whole report.
pub(super) fn report(core: &Core) -> Bytes {
    written(&core.report())
}

/// Returns the report for those who read text.
pub(super) fn text(core: &Core) -> Bytes {
    let look = Look { width: Some(WIDTH), ..Look::default() };
    summary(&core.report(), true, Span::Start).text(look).into()
}

/// Returns what was measured of one component, over time; `None` where there is none of that kind and name.
pub(super) fn component(core: &Core, query: &str) -> Option<Bytes> {
    let profiler = &core.dispatch.profiler;
    let measured = profiler.component(&field(query, "kind")?, &field(query, "name")?)?;
    let (fine, coarse) = profiler.series(measured);
    let slow = measured.slow_calls();
    let slow: Vec<&SlowCall> = slow.iter().map(AsRef::as_ref).collect();
    let component = measured.report(profiler.uptime());
    Some(written(&json!({ "component": component, "fine": fine, "coarse": coarse, "slow": slow })))
}

/// Returns a call that was caught; `None` where it is not kept, or not any more.
pub(super) fn slow(core: &Core, query: &str) -> Option<Bytes> {
    let id = field(query, "id")?;
    core.dispatch.profiler.slow_calls().iter().find(|call| call.id == id).map(|call| written(call.as_ref()))
}

fn written(value: &impl Serialize) -> Bytes {
    // Maps with keys of text, and numbers: there is nothing to fail.
    serde_json::to_vec(value).unwrap_or_default().into()
}
