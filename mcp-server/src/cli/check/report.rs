//! The verdicts as text and as JSON.

use serde_json::{Value, json};

use super::facts::Facts;
use super::verdict::{Group, State, Verdict};
use super::{build, cache, components, profiler, running, security, settings};
use crate::cli::list::{settings_json, settings_table};
use crate::settings::{Settings, Source};
use crate::text_report::{Document, counted};

/// The form of the JSON: what is added to it leaves the number as it is.
const VERSION: u32 = 1;

/// Judges everything, group by group.
pub(super) fn judge(facts: &Facts) -> Vec<Verdict> {
    let groups = [
        build::judge,
        settings::judge,
        security::judge,
        cache::judge,
        profiler::judge,
        components::judge,
        running::judge,
    ];
    groups.iter().flat_map(|judge| judge(facts)).collect()
}

/// Returns whether one of them failed.
pub(super) fn failed(verdicts: &[Verdict]) -> bool {
    verdicts.iter().any(|verdict| verdict.state == State::Fail)
}

/// Shows the verdicts under their headings, how many there are of each kind, and the settings.
pub(super) fn text(verdicts: &[Verdict], settings: &Settings, all_settings: bool) -> Document {
    let mut document = Document::default();
    for group in Group::ALL {
        let mut of_it = verdicts.iter().filter(|verdict| verdict.group == group).peekable();
        if of_it.peek().is_some() {
            document.heading(group.word());
        }
        for verdict in of_it {
            document.line(format!("{} {}: {}", verdict.state.word(), verdict.name, verdict.found));
            if let Some(fix) = &verdict.fix {
                document.below(format!("fix: {fix}"));
            }
        }
    }
    document.heading(sum(verdicts));
    effective(&mut document, settings, all_settings);
    document
}

fn sum(verdicts: &[Verdict]) -> String {
    let count = |state: State| verdicts.iter().filter(|verdict| verdict.state == state).count() as u64;
    let passed = format!("{} passed", count(State::Pass));
    let warnings = counted(count(State::Warn), "warning", "warnings");
    let failures = counted(count(State::Fail), "failure", "failures");
    format!("{passed}, {warnings}, {failures}")
}

/// Shows the settings with where each came from: those that somebody set, or all.
fn effective(document: &mut Document, settings: &Settings, all: bool) {
    let defaults = settings.rows().filter(|(_, _, source)| *source == Source::Default).count();
    let shown = settings.rows().filter(|(_, _, source)| all || *source != Source::Default);
    let mut shown = shown.peekable();
    if shown.peek().is_some() {
        document.heading("effective settings");
        document.table(settings_table(shown));
    }
    if !all && defaults > 0 {
        let settings = counted(defaults as u64, "setting has its default", "settings have their defaults");
        document.line(format!("{settings}: `--settings` shows them"));
    }
}

/// Returns the same for programs.
pub(super) fn json(verdicts: &[Verdict], settings: &Settings) -> Value {
    json!({ "version": VERSION, "checks": verdicts, "settings": settings_json(settings) })
}
