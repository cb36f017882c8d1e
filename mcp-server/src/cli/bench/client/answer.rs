//! What a server answers.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::cli::bench::load::Did;

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// To this request.
    Refused(String),
    /// To any.
    Gone(String),
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (Self::Refused(why) | Self::Gone(why)) = self;
        f.write_str(why)
    }
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    result: Option<&'a RawValue>,
    error: Option<Failure>,
}

#[derive(Deserialize)]
struct Failure {
    #[serde(default)]
    message: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Outcome {
    #[serde(default)]
    is_error: bool,
    result_type: Option<String>,
}

#[derive(Deserialize)]
struct Contents {
    #[serde(default)]
    content: Vec<Value>,
}

/// Says what a call came to.
pub(super) fn judge(answer: Result<Vec<u8>, Trouble>) -> Did {
    let text = match answer {
        Ok(text) => text,
        Err(Trouble::Refused(why)) => return Did::Failed(why),
        Err(Trouble::Gone(why)) => return Did::Gone(why),
    };
    let result = match result(&text) {
        Ok(result) => result,
        Err(why) => return Did::Failed(why),
    };
    match serde_json::from_str::<Outcome>(result.get()) {
        Ok(Outcome { is_error: true, .. }) => Did::Failed(said(result)),
        Ok(Outcome { result_type: Some(kind), .. }) if kind != "complete" => {
            Did::Failed(format!("the answer is no result but `{kind}`, which `bench` cannot go on with"))
        }
        Ok(_) => Did::Counted,
        Err(error) => Did::Failed(format!("the result is none: {error}")),
    }
}

/// Returns the result of an answer, or what its error says.
pub(super) fn result(text: &[u8]) -> Result<&RawValue, String> {
    match serde_json::from_slice(text) {
        Ok(Message { result: Some(result), error: None }) => Ok(result),
        Ok(Message { error: Some(error), .. }) => Err(error.message),
        Ok(_) => Err("the answer has neither a result nor an error".to_owned()),
        Err(error) => Err(format!("the answer is no JSON: {error}")),
    }
}

fn said(result: &RawValue) -> String {
    let contents: Option<Contents> = serde_json::from_str(result.get()).ok();
    let texts = contents.iter().flat_map(|contents| &contents.content);
    let texts = texts.filter_map(|block| block.get("text")?.as_str());
    let text = texts.collect::<Vec<_>>().join(" ");
    if text.is_empty() { "the result says that it failed, and no more".to_owned() } else { text }
}

/// Returns the answer with an id from the text of an event stream.
///
/// What other events carry, as progress, is passed over.
#[cfg_attr(not(feature = "http"), allow(dead_code, reason = "only HTTP has streams"))]
pub(super) fn of_stream(text: &str, id: u64) -> Option<String> {
    #[derive(Deserialize)]
    struct Id {
        id: Option<Value>,
        method: Option<String>,
    }

    let mut data = String::new();
    // The last event may lack the empty line behind it.
    for line in text.lines().chain([""]) {
        if let Some(more) = line.strip_prefix("data:") {
            if !data.is_empty() {
                data.push('\n');
            }
            data.push_str(more.strip_prefix(' ').unwrap_or(more));
        } else if line.is_empty() && !data.is_empty() {
            let read = serde_json::from_str::<Id>(&data);
            let is_it = read.is_ok_and(|read| read.method.is_none() && read.id == Some(id.into()));
            if is_it {
                return Some(data);
            }
            data.clear();
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_result_without_an_error_counts() {
        let failed = |text: &str| Did::Failed(text.to_owned());
        for (text, expected) in [
            (r#"{"id":1,"result":{"content":[],"resultType":"complete"}}"#, Did::Counted),
            (r#"{"id":1,"result":{"contents":[]}}"#, Did::Counted),
            (
                r#"{"id":1,"result":{"isError":true,"content":[{"type":"text","text":"no paper"}]}}"#,
                failed("no paper"),
            ),
            (r#"{"id":1,"error":{"code":-32602,"message":"no such tool"}}"#, failed("no such tool")),
            (
                r#"{"id":1,"result":{"resultType":"input_required"}}"#,
                failed("the answer is no result but `input_required`, which `bench` cannot go on with"),
            ),
            (r#"{"id":1}"#, failed("the answer has neither a result nor an error")),
        ] {
            assert_eq!(judge(Ok(text.into())), expected);
        }
        assert!(matches!(judge(Ok(b"<html>".into())), Did::Failed(why) if why.contains("no JSON")));
        assert_eq!(judge(Err(Trouble::Gone("it ended".into()))), Did::Gone("it ended".into()));
    }

    #[test]
    fn the_answer_is_found_among_other_events() {
        let stream = "id: 0\nretry: 3\ndata:\n\n: ping\ndata: {\"method\":\"notifications/progress\"}\n\n\
                      data: {\"id\":7,\"method\":\"ping\"}\n\ndata: {\"id\":8,\"result\":{}}\n\n\
                      data: {\"id\":7,\ndata: \"result\":{}}\n";
        assert_eq!(of_stream(stream, 7).as_deref(), Some("{\"id\":7,\n\"result\":{}}"));
        assert_eq!(of_stream(stream, 9), None);
    }
}
