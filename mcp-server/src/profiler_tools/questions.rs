//! The questions, and what they are answered with.

use mcp_core::ToolError;
use mcp_core::profile::{Finding, Report, SlowCall, Span};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::asked::{Answer, Question};
use super::shown::{call_json, figures_json, found, found_json, in_words, said, short, shorten, unmeasured};
use crate::text_report::{Figures, by_busy_time, counted, is_named, time};

/// How many components, findings and statements a summary has.
const SUMMARY: usize = 20;

/// How many calls or statements there are where nothing is said, and at most.
const FEW: u32 = 5;
const MANY: u32 = 50;

/// A span of time up to now.
#[derive(Clone, Copy, Default, Deserialize, Serialize, JsonSchema)]
enum Window {
    #[serde(rename = "1m")]
    Minute,
    #[serde(rename = "5m")]
    FiveMinutes,
    #[serde(rename = "1h")]
    Hour,
    #[default]
    #[serde(rename = "start")]
    Start,
}

impl Window {
    const fn span(self) -> Span {
        match self {
            Self::Minute => Span::Minute,
            Self::FiveMinutes => Span::FiveMinutes,
            Self::Hour => Span::Hour,
            Self::Start => Span::Start,
        }
    }
}

/// The kind of a component.
#[derive(Clone, Copy, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Tool,
    Resource,
    Prompt,
}

impl Kind {
    const fn word(self) -> &'static str {
        match self {
            Self::Tool => "tool",
            Self::Resource => "resource",
            Self::Prompt => "prompt",
        }
    }
}

/// `profile_summary`.
#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Summary {
    /// The span of time that the figures are of; all since the start where it is left out.
    #[serde(default)]
    window: Window,
}

impl Question for Summary {
    fn answer(self, report: &Report) -> Result<Answer, ToolError> {
        let span = self.window.span();
        let all = by_busy_time(report, span);
        let mut answer = Answer::default();
        let components = counted(all.len() as u64, "component", "components");
        answer.say(match report.findings.len() as u64 {
            0 => format!("Nothing was found to be wrong in {components}."),
            found => format!("{} in {components}, the newest first:", counted(found, "finding", "findings")),
        });
        found(&mut answer, report.findings.iter().take(SUMMARY));
        answer.say(format!("Where the time goes ({}), by busy time:", span.word()));
        all.iter().take(SUMMARY).for_each(|figures| answer.say(format!("- {}", in_words(figures))));
        answer.say(
            match report
                .findings
                .first()
                .map(|finding| &finding.component)
                .and_then(|name| name.split_once(' '))
            {
                Some((kind, name)) => {
                    format!("Ask next: `profile_component` with {}.", json!({ "kind": kind, "name": name }))
                }
                None => "Ask next: `profile_slow_calls`, or `profile_component` of the first.".to_owned(),
            },
        );
        unmeasured(&mut answer, report);
        answer.set("window", span.word().into());
        answer.set("profiling", report.profiling.into());
        answer.set("findings", report.findings.iter().take(SUMMARY).map(found_json).collect());
        answer.set("components", all.iter().take(SUMMARY).map(figures_json).collect());
        answer.set("components_in_all", all.len().into());
        answer.set("sql", json!(report.sql));
        answer.set("dropped", json!(report.dropped));
        Ok(answer)
    }
}

/// `profile_component`.
#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OfComponent {
    /// What it is.
    kind: Kind,
    /// Its name, as `profile_summary` shows it.
    name: String,
}

impl Question for OfComponent {
    fn answer(self, report: &Report) -> Result<Answer, ToolError> {
        let kind = self.kind.word();
        let mut components = report.components.iter();
        let Some(component) = components.find(|found| found.kind == kind && found.name == self.name) else {
            let called = report
                .components
                .iter()
                .take(SUMMARY)
                .map(|found| format!("`{} {}`", found.kind, found.name));
            let called = called.collect::<Vec<_>>().join(", ");
            let called =
                if called.is_empty() { "nothing was".to_owned() } else { format!("called were {called}") };
            return Err(ToolError::not_found(format_args!("no {kind} of this name was called; {called}")));
        };
        let mut answer = Answer::default();
        answer.say(format!("{kind} {}, declared at {}", component.name, component.place));
        for span in Span::ALL {
            if let Some(figures) = Figures::of(component, span) {
                answer.say(format!("- {}: {}", span.word(), in_words(&figures)));
            }
        }
        let own = format!("{kind} {}", component.name);
        let findings: Vec<_> = report.findings.iter().filter(|finding| finding.component == own).collect();
        let calls: Vec<_> =
            report.slow.iter().filter(|call| call.kind == kind && call.name == component.name).collect();
        if findings.is_empty() {
            answer.say("Nothing was found to be wrong with it.");
        }
        found(&mut answer, findings.iter().copied());
        said(&mut answer, report, calls.iter().take(FEW as usize).copied());
        answer.set("kind", kind.into());
        answer.set("name", component.name.clone().into());
        answer.set("place", component.place.clone().into());
        answer.set("active", component.active.into());
        answer.set("slow_ns", component.slow_ns.into());
        answer.set("windows", json!(component.windows));
        answer.set("findings", findings.iter().map(|finding| found_json(finding)).collect());
        answer.set("calls", calls.iter().take(FEW as usize).map(|call| call_json(call)).collect());
        Ok(answer)
    }
}

/// `profile_slow_calls`.
#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SlowCalls {
    /// Of one component alone: its name, or `tool search` where a resource or prompt has the same.
    component: Option<String>,
    /// How many calls, up to 50; 5 where it is left out.
    limit: Option<u32>,
}

impl Question for SlowCalls {
    fn answer(self, report: &Report) -> Result<Answer, ToolError> {
        let meant = |call: &&SlowCall| {
            self.component.as_ref().is_none_or(|name| is_named(&call.kind, &call.name, name))
        };
        let calls: Vec<_> = report.slow.iter().filter(meant).collect();
        let shown = || calls.iter().take(limited(self.limit)).copied();
        let mut answer = Answer::default();
        if calls.is_empty() {
            answer.say("No call was worth a look.");
        }
        said(&mut answer, report, shown());
        let ids: Vec<_> = shown().map(|call| Some(call.id.clone())).collect();
        found(&mut answer, report.findings.iter().filter(|finding| ids.contains(&finding.call)));
        answer.set("calls", shown().map(call_json).collect());
        answer.set("calls_in_all", calls.len().into());
        Ok(answer)
    }
}

/// `profile_sql`.
#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Sql {
    /// How many statements, up to 50; 5 where it is left out.
    limit: Option<u32>,
}

impl Question for Sql {
    fn answer(self, report: &Report) -> Result<Answer, ToolError> {
        let of_sql =
            |finding: &&Finding| matches!(&*finding.kind, "repeated_sql" | "slow_sql" | "many_queries");
        let findings: Vec<_> = report.findings.iter().filter(of_sql).collect();
        let statements: Vec<_> = report.statements.iter().take(limited(self.limit)).collect();
        let mut answer = Answer::default();
        found(&mut answer, findings.iter().copied());
        answer.say(if statements.is_empty() {
            "No statement was seen."
        } else {
            "Statements, by their time in total:"
        });
        for statement in &statements {
            answer.say(format!(
                "- {} in {} runs, {} at most, {} slow, repeated by {} calls, in {}: {}",
                time(statement.total_ns),
                statement.calls,
                time(statement.max_ns),
                statement.slow,
                statement.repeated,
                statement.components.join(", "),
                short(&statement.fingerprint)
            ));
        }
        unmeasured(&mut answer, report);
        let shortened = |statement: &&mcp_core::profile::sql::StatementFigures| {
            let mut statement = (*statement).clone();
            shorten(&mut statement.fingerprint);
            json!(statement)
        };
        answer.set("sql", json!(report.sql));
        answer.set("pool", json!(report.pool));
        answer.set("findings", findings.iter().map(|finding| found_json(finding)).collect());
        answer.set("statements", statements.iter().map(shortened).collect());
        answer.set("statements_in_all", report.statements.len().into());
        Ok(answer)
    }
}

fn limited(limit: Option<u32>) -> usize {
    limit.unwrap_or(FEW).clamp(1, MANY) as usize
}
