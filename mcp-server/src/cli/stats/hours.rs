//! `stats --hours N`: what all processes of an application measured, from its history.

use mcp_core::profile::history::Past;
use mcp_core::profile::{Window, unix_ms};

use super::page::Page;
use crate::cli::{print, print_json};
use crate::error::Error;
use crate::history::configured;
use crate::server::Server;
use crate::text_report::hours;

/// Prints the last hours, of all components or of one.
pub(super) async fn run(
    server: &Server,
    last: u32,
    component: Option<&str>,
    form: &str,
) -> Result<(), Error> {
    let Some(history) = configured(server.core()?)? else {
        return Err(Error::start("there is no history: set `MCP_REDIS_URL`, where servers keep it"));
    };
    let past = history.read(last.into(), unix_ms()).await;
    let mut past = past.map_err(|error| Error::Transport(format!("the history cannot be read: {error}")))?;
    past.retain(|past| {
        component.is_none_or(|name| past.name == name || format!("{} {}", past.kind, past.name) == name)
    });
    match form {
        "json" => return print_json(&past.iter().map(json).collect::<Vec<_>>()),
        "markdown" => print(&hours(&past).markdown()),
        _ => print(&hours(&past).text(Page::of_stdout().look)),
    }
    Ok(())
}

fn json(past: &Past) -> serde_json::Value {
    let window = Window::of(&past.totals, 3600.0, true);
    serde_json::json!({
        "hour": past.hour.to_string(),
        "kind": past.kind,
        "name": past.name,
        "instances": past.instances,
        "window": window,
    })
}
