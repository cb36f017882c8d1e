//! What the profiler adds to a call, on this machine: an empty tool, called with it and without.

use std::time::{Duration, Instant};

use mcp_core::__private::place;
use mcp_core::arguments::Input;
use mcp_core::component::Component;
use mcp_core::ctx::{Nobody, RequestInfo};
use mcp_core::invocation::Invocation;
use mcp_core::{Config, Identity, ToolDef, ToolError};

use crate::dispatch::{Arguments, Call, Caller};
use crate::server::Server;
use crate::started::Core;

/// How often some calls are timed: the quickest time is the one that nothing else was part of.
const ROUNDS: usize = 100;

/// How many calls are timed at once, so that there are 1,000.
const CALLS: u32 = 10;

/// How often all that is done where others keep the processor busy, and how long these are waited for.
const ATTEMPTS: usize = 3;
const PAUSE: Duration = Duration::from_millis(100);

/// Not by `#[tool]`, whose tools are linked into every server.
static EMPTY: ToolDef = ToolDef::new::<Empty>("empty", "Does nothing.", place!());

struct Empty;

impl Component for Empty {
    type Arguments = serde_json::Map<String, serde_json::Value>;
    type Output = ();

    async fn call(_arguments: Self::Arguments, _cx: Invocation) -> Result<(), ToolError> {
        Ok(())
    }
}

/// Returns what a call takes with the profiler and without, in nanoseconds.
pub(super) async fn measured() -> Option<(u64, u64)> {
    let server = Server::builder().tool(&EMPTY).config(Config::default());
    let core = server.core().ok()?;
    let profiler = &core.dispatch.profiler;
    crate::measured::calibrated(profiler).await;
    let (mut on, mut off) = attempt(core).await?;
    for _ in 1..ATTEMPTS {
        tokio::time::sleep(PAUSE).await;
        let again = attempt(core).await?;
        (on, off) = (on.min(again.0), off.min(again.1));
    }
    Some((on, off))
}

async fn attempt(core: &Core) -> Option<(u64, u64)> {
    let mut quickest = [u64::MAX; 2];
    for _ in 0..ROUNDS {
        for (quickest, enabled) in quickest.iter_mut().zip([true, false]) {
            core.dispatch.profiler.set_enabled(enabled);
            *quickest = (*quickest).min(round(core).await?);
        }
    }
    let [on, off] = quickest;
    Some((on, off))
}

/// Returns what one of some calls took; `None` where they failed, which they do not.
async fn round(core: &Core) -> Option<u64> {
    let entry = core.dispatch.registry.tool("empty")?;
    let begun = Instant::now();
    for _ in 0..CALLS {
        let request = (RequestInfo::default(), std::sync::Arc::new(Nobody) as std::sync::Arc<_>);
        let caller = Caller { identity: Identity::anonymous(), request: Some(request), cancelled: None };
        let arguments = Arguments::Raw(Input::Json("{}"));
        core.dispatch
            .answer(Call { entry, arguments, uri: None, caller, continues: false })
            .await
            .result
            .ok()?;
    }
    u64::try_from(begun.elapsed().as_nanos() / u128::from(CALLS)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn calls_take_time_and_succeed() {
        let (on, off) = measured().await.unwrap();
        assert!(on > 0 && off > 0 && on < 1_000_000, "{on} {off}");
    }
}
