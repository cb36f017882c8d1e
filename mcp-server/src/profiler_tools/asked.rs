//! How a question is answered: from a report, in a limited number of bytes.

use std::marker::PhantomData;

use mcp_core::component::Component;
use mcp_core::invocation::Invocation;
use mcp_core::profile::{Profiler, Report};
use mcp_core::{Content, ToolError, ToolOutput};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::text_report::{clean, cut};

/// The largest answer, in bytes; what is around text and JSON has room in the rest of 32 KiB.
pub(super) const MOST: usize = 31 << 10;

/// The longest text of an answer, in bytes as it is sent.
const MOST_TEXT: usize = 8 << 10;

/// How much is shown of one line.
const LINE: usize = 600;

/// A question about what was measured, with its arguments.
pub(super) trait Question: DeserializeOwned + JsonSchema + Send + 'static {
    /// Answers it.
    fn answer(self, report: &Report) -> Result<Answer, ToolError>;
}

/// What a question is answered with: lines to be read, and the same as JSON.
#[derive(Default)]
pub(super) struct Answer {
    lines: Vec<String>,
    json: Map<String, Value>,
}

impl Answer {
    /// Adds a line.
    pub(super) fn say(&mut self, line: impl AsRef<str>) {
        self.lines.push(cut(&clean(line.as_ref()), LINE));
    }

    /// Adds a value; of lists, the end may be left off for want of room.
    pub(super) fn set(&mut self, key: &str, value: Value) {
        self.json.insert(key.to_owned(), value);
    }

    /// Returns the text and the JSON, with what there is no room for left off.
    pub(super) fn bounded(mut self) -> (String, Value) {
        let mut text = String::new();
        for line in &self.lines {
            if written(&text) + written(line) > MOST_TEXT {
                text += "…\n";
                break;
            }
            text += &format!("{line}\n");
        }
        let mut left_off = 0_u64;
        while written(&text) + written(&self.json) > MOST {
            // The longest list, from its end: what is most important stands first.
            let lists = self.json.values_mut().filter_map(Value::as_array_mut);
            let lists = lists.filter(|list| !list.is_empty());
            let Some(longest) = lists.max_by_key(written) else { break };
            longest.pop();
            left_off += 1;
            self.json.insert("left_off".to_owned(), left_off.into());
        }
        (text, Value::Object(self.json))
    }
}

/// Returns how many bytes a value takes as JSON.
fn written(value: &(impl serde::Serialize + ?Sized)) -> usize {
    serde_json::to_string(value).map_or(usize::MAX / 4, |text| text.len())
}

/// The component that a question is.
pub(super) struct Asked<Q>(PhantomData<fn(Q)>);

impl<Q: Question> Component for Asked<Q> {
    type Arguments = Q;
    type Output = ToolOutput;

    async fn call(question: Q, cx: Invocation) -> Result<ToolOutput, ToolError> {
        let profiler = cx.dep::<Profiler>().await?;
        // A report of a thousand components takes a while.
        let answer = cx.blocking(move || question.answer(&profiler.report("", ""))).await??;
        let (text, json) = answer.bounded();
        ToolOutput::new([Content::text(text)]).structured(&json)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_never_longer_than_it_may_be() {
        let mut answer = Answer::default();
        answer.set("fixed", "stays".into());
        answer.set("short", vec![Value::from("x"); 3].into());
        answer.set("long", (0..5_000).map(|n| Value::from(format!("\"{n}\\"))).collect::<Vec<_>>().into());
        (0..500).for_each(|n| answer.say(format!("{n} \"\\\u{1b}{}", "ü".repeat(700))));
        let (text, json) = answer.bounded();
        assert!(written(&text) + written(&json) <= MOST);
        assert!(text.ends_with("…\n") && !text.contains('\u{1b}'));
        assert_eq!((&json["fixed"], json["short"].as_array().map(Vec::len)), (&"stays".into(), Some(3)));
        let kept = json["long"].as_array().map_or(0, Vec::len) as u64;
        assert!(kept > 1_000 && json["left_off"] == 5_000 - kept, "{kept}");
        assert_eq!(json["long"][0], "\"0\\");
    }

    #[test]
    fn one_thing_that_is_too_long_is_left_off_too() {
        let mut answer = Answer::default();
        answer.set("calls", vec![Value::from("x".repeat(MOST))].into());
        let (_, json) = answer.bounded();
        assert_eq!(json, serde_json::json!({ "calls": [], "left_off": 1 }));
    }
}
