//! The definitions of the tools.

use mcp_core::__private::{Need, place};
use mcp_core::ToolDef;
use mcp_core::link::Item;
use mcp_core::profile::Profiler;

use super::asked::Asked;
use super::questions::{OfComponent, SlowCalls, Sql, Summary};

/// The tools, to be added to the components of a server.
pub(crate) static ITEMS: [Item; 4] =
    [Item::Tool(&SUMMARY), Item::Tool(&COMPONENT), Item::Tool(&SLOW_CALLS), Item::Tool(&SQL)];

static SUMMARY: ToolDef = asking(ToolDef::new::<Asked<Summary>>(
    "profile_summary",
    "What is slow in this server, why, where, and what to change: findings, and the figures of each component. Ask this first.",
    place!(),
));

static COMPONENT: ToolDef = asking(ToolDef::new::<Asked<OfComponent>>(
    "profile_component",
    "Where the time of one component goes: its phases, outcomes, latencies, findings and the calls that were worth a look.",
    place!(),
));

static SLOW_CALLS: ToolDef = asking(ToolDef::new::<Asked<SlowCalls>>(
    "profile_slow_calls",
    "The newest calls that were slow, failed, blocked or repeated statements, each with its phases, checkpoints, steps and statements.",
    place!(),
));

static SQL: ToolDef = asking(ToolDef::new::<Asked<Sql>>(
    "profile_sql",
    "The SQL statements that took longest in total, without their values, and those that calls repeat.",
    place!(),
));

const fn asking(def: ToolDef) -> ToolDef {
    def.title("Profiler").read_only(true).idempotent(true).open_world(false).unprofiled().needs(NEEDS)
}

const NEEDS: &[Need] = &[Need::dep::<Profiler>()];
