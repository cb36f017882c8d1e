//! What the components say of themselves.

use mcp_core::policy::{Levels, Scope};

use super::facts::{Component, Facts};
use super::verdict::{Group, Verdict, first};
use crate::text_report::counted;

const OF: Group = Group::Components;

/// Nothing where they could not be sorted: why is said of the settings.
pub(super) fn judge(facts: &Facts) -> Vec<Verdict> {
    let Some(all) = &facts.components else { return Vec::new() };
    if all.is_empty() {
        return vec![OF.fail(
            "linked",
            "there is none",
            "annotate a function with `#[tool]`; where they are in a crate of their own, write `use my_tools as _;`",
        )];
    }
    let mut verdicts = vec![linked(all), described(all)];
    verdicts.extend(hinted(all));
    verdicts.push(timeouts(all));
    verdicts.extend(kept(all, facts));
    verdicts
}

fn linked(all: &[Component]) -> Verdict {
    let count = |kind: &str| all.iter().filter(|component| component.kind == kind).count() as u64;
    let counts = [
        counted(count("tool"), "tool", "tools"),
        counted(count("resource"), "resource", "resources"),
        counted(count("prompt"), "prompt", "prompts"),
    ];
    OF.pass("linked", counts.join(", "))
}

fn described(all: &[Component]) -> Verdict {
    let name = "descriptions";
    let without = those(all, |component| !component.is_described);
    if without.is_empty() {
        return OF.pass(name, "each says what it does");
    }
    OF.warn(
        name,
        format!("without one: {}; a model chooses by them", first(without.into_iter())),
        "write a doc comment on the function, or `description = \"..\"`",
    )
}

/// Nothing where there is no tool.
fn hinted(all: &[Component]) -> Option<Verdict> {
    let name = "hints";
    if all.iter().all(|component| component.kind != "tool") {
        return None;
    }
    let without = those(all, |component| !component.is_hinted);
    if without.is_empty() {
        return Some(OF.pass(name, "each tool says whether it only reads or may destroy"));
    }
    Some(OF.warn(
        name,
        format!("without one: {}; clients take such a tool for destructive", first(without.into_iter())),
        "write `#[tool(read_only)]` or `#[tool(destructive)]`",
    ))
}

fn timeouts(all: &[Component]) -> Verdict {
    let name = "timeouts";
    let without = those(all, |component| !component.has_timeout);
    if without.is_empty() {
        return OF.pass(name, "each call ends");
    }
    let found = format!(
        "{} of {} have none, and may hang: {}",
        without.len(),
        counted(all.len() as u64, "component", "components"),
        first(without.into_iter())
    );
    OF.warn(name, found, "write `#[tool(timeout = \"30s\")]`, the same on resources and prompts")
}

/// Results for shared levels alone, which no level keeps; nothing where there are none.
fn kept(all: &[Component], facts: &Facts) -> Option<Verdict> {
    let name = "levels";
    let is_shared =
        |component: &Component| component.cache.is_some_and(|policy| policy.levels == Levels::Shared);
    let shared = those(all, is_shared);
    if shared.is_empty() || !facts.config.cache_enabled {
        return None;
    }
    if !facts.has_levels() {
        return Some(OF.warn(
            name,
            format!("{}: kept nowhere, as no level is shared", first(shared.into_iter())),
            "set `MCP_CACHE_REDIS_URL` or `MCP_CACHE_DATABASE_URL`, or remove `levels = \"shared\"`",
        ));
    }
    let may_share = facts.config.cache_secret.is_some() || facts.config.cache_share_private;
    let stays = |component: &Component| {
        is_shared(component) && component.cache.is_some_and(|policy| policy.scope != Scope::Public)
    };
    let private = those(all, stays);
    if may_share || private.is_empty() {
        return Some(OF.pass(name, "what is for shared levels alone has one"));
    }
    Some(OF.warn(
        name,
        format!("{}: kept nowhere, as private results are not shared", first(private.into_iter())),
        "set `MCP_CACHE_SECRET`, or remove `levels = \"shared\"`",
    ))
}

fn those(all: &[Component], which: impl Fn(&Component) -> bool) -> Vec<&str> {
    all.iter().filter(|component| which(component)).map(|component| component.name.as_str()).collect()
}
