//! `list` and `config`: what a server is made of.

use std::process::ExitCode;
use std::time::Duration;

use clap::ArgMatches;
use mcp_core::component::{Def, Kind};
use mcp_core::policy::{CachePolicy, RefreshAhead, Scope};
use serde::Serialize;
use serde_json::{Value, json};

use super::{print, print_json};
use crate::error::Error;
use crate::server::Server;
use crate::settings::{Setting, Settings, Source};
use crate::started::Core;
use crate::text_report::{Column, Table};

pub(super) fn run(server: &Server, matches: &ArgMatches) -> Result<ExitCode, Error> {
    let core = server.core()?;
    if matches.get_flag("json") {
        print_json(&definitions(core))?;
        return Ok(ExitCode::SUCCESS);
    }
    let rows = core.dispatch.registry.entries().iter().map(|entry| {
        let def = entry.def;
        let name = match def.kind {
            Kind::Resource(part) => part.uri,
            _ => def.name,
        };
        let cache = def.cache.map_or_else(|| "-".to_owned(), |policy| describe(&policy, core));
        let about = def.description.lines().next().unwrap_or_default();
        [def.kind.word().to_owned(), name.to_owned(), cache, about.to_owned(), def.place.to_string()]
    });
    print(&table(["KIND", "NAME", "CACHE", "WHAT IT DOES", "WHERE"], rows));
    Ok(ExitCode::SUCCESS)
}

/// Returns every definition as clients see it, with what they do not: the policy and the place.
fn definitions(core: &Core) -> Value {
    fn with(def: &Def, listed: &impl Serialize, core: &Core) -> Value {
        let mut value = serde_json::to_value(listed).unwrap_or_default();
        if let Value::Object(map) = &mut value {
            map.insert(
                "cache".to_owned(),
                def.cache.map_or(Value::Null, |policy| policy_json(&policy, core)),
            );
            map.insert(
                "declared".to_owned(),
                json!({ "file": def.place.file, "line": def.place.line, "module": def.place.module }),
            );
        }
        value
    }

    let lists = &core.lists;
    let tools: Vec<_> =
        lists.tools.iter().map(|(entry, forms)| with(entry.def, &forms.modern, core)).collect();
    let resources: Vec<_> =
        lists.resources.iter().map(|(entry, listed)| with(entry.def, listed, core)).collect();
    let templates: Vec<_> =
        lists.templates.iter().map(|(entry, listed)| with(entry.def, listed, core)).collect();
    let prompts: Vec<_> = lists.prompts.iter().map(|(entry, listed)| with(entry.def, listed, core)).collect();
    json!({ "tools": tools, "resources": resources, "resourceTemplates": templates, "prompts": prompts })
}

fn policy_json(policy: &CachePolicy, core: &Core) -> Value {
    let millis = |duration: Duration| duration.as_millis() as u64;
    json!({
        "ttlMs": millis(mcp_core::keying::ttl(policy, core.dispatch.config.cache_duration)),
        "scope": scope(policy.scope),
        "staleMs": millis(policy.stale),
        "staleIfErrorMs": millis(policy.stale_if_error),
        "refreshAhead": match policy.refresh_ahead {
            RefreshAhead::Off => Value::Null,
            RefreshAhead::At(share) => json!(share),
            RefreshAhead::Auto => json!("auto"),
        },
        "negativeMs": millis(policy.negative),
        "maxBytes": policy.max_bytes,
        "version": policy.version,
    })
}

fn describe(policy: &CachePolicy, core: &Core) -> String {
    let ttl = mcp_core::keying::ttl(policy, core.dispatch.config.cache_duration);
    format!("{ttl:?} {}", scope(policy.scope))
}

fn scope(scope: Scope) -> &'static str {
    match scope {
        Scope::Private => "private",
        Scope::Tenant => "tenant",
        Scope::Public => "public",
    }
}

pub(super) fn settings(settings: &Settings, matches: &ArgMatches) -> Result<ExitCode, Error> {
    if matches.get_flag("json") {
        print_json(&settings_json(settings))?;
    } else {
        let (lines, _) = settings_table(settings.rows()).text(None);
        print(&lines.join("\n"));
    }
    Ok(ExitCode::SUCCESS)
}

/// Returns each setting with its effective value and where that came from.
pub(super) fn settings_json(settings: &Settings) -> Value {
    let rows = settings.rows().map(|(setting, value, source)| {
        (setting.key.to_owned(), json!({ "value": value, "from": source.to_string() }))
    });
    Value::Object(rows.collect())
}

/// Returns the same as a table.
pub(super) fn settings_table(rows: impl Iterator<Item = (&'static Setting, String, Source)>) -> Table {
    let rows = rows.map(|(setting, value, source)| [setting.key.to_owned(), value, source.to_string()]);
    Table::new(["SETTING", "VALUE", "FROM"].map(Column::text), rows)
}

/// Writes rows under headings, each column as wide as its widest cell.
pub(super) fn table<const N: usize>(
    headings: [&'static str; N],
    rows: impl Iterator<Item = [String; N]>,
) -> String {
    let (lines, _) = Table::new(headings.map(Column::text), rows).text(None);
    lines.join("\n") + "\n"
}
