//! From a call's answer to the protocol's result, in the form of the request's revision.

use std::borrow::Cow;
use std::time::Duration;

use bytes::Bytes;
use mcp_core::ask::Asked;
use mcp_core::policy::Scope;
use mcp_core::registry::Entry;
use mcp_core::{ErrorKind, Failure, ToolError};
use rmcp::ErrorData;
use rmcp::model::{
    CacheScope, CallToolResponse, CallToolResult, ContentBlock, GetPromptResponse, GetPromptResult,
    InputRequiredResult, ReadResourceResponse, ReadResourceResult, ResultType,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::client;
use super::lists::WRAPPER;
use super::rounds::{Round, Seal};
use crate::dispatch::Answer;

/// What an answer is rendered for.
pub(crate) struct Target<'a> {
    pub(crate) entry: &'a Entry,
    /// The revision, as the protocol writes it.
    pub(super) revision: Cow<'static, str>,
    pub(super) modern: bool,
    /// What questions are asked with, where the component may ask some.
    pub(super) asking: Option<(&'a Seal, Round<'a>)>,
}

/// Renders the answer of a tool.
///
/// What the model can act on is a result with `isError`; a panic and a missing capability are errors
/// of the protocol.
pub(super) fn tool(target: &Target<'_>, answer: Answer) -> Result<CallToolResponse, ErrorData> {
    match answer.result {
        Ok(body) => {
            let mut result: CallToolResult = parsed(&body)?;
            result.result_type = Some(ResultType::COMPLETE);
            fit(&mut result, target);
            Ok(result.into())
        }
        Err(Failure::InputRequired(asked)) => questions(target, &asked).map(Into::into),
        Err(failure) => match refused(&failure, answer.log_id.as_deref(), target) {
            Some(error) => Err(error),
            None => {
                let text = message(&failure, answer.log_id.as_deref(), target.entry);
                Ok(CallToolResult::error(vec![ContentBlock::text(text)]).into())
            }
        },
    }
}

/// Renders the answer of a resource, with the life that is left of it.
pub(super) fn resource(
    target: &Target<'_>,
    uri: &str,
    answer: Answer,
) -> Result<ReadResourceResponse, ErrorData> {
    match answer.result {
        Ok(body) => {
            let mut result: ReadResourceResult = parsed_value(read(&body, uri)?)?;
            result.result_type = Some(ResultType::COMPLETE);
            if target.modern {
                result.ttl_ms = Some(millis(answer.fresh_for));
                result.cache_scope = Some(scope(answer.scope));
            }
            Ok(result.into())
        }
        Err(Failure::InputRequired(asked)) => questions(target, &asked).map(Into::into),
        Err(failure) => Err(error(&failure, answer.log_id.as_deref(), target, Some(uri))),
    }
}

/// Renders the answer of a prompt.
pub(super) fn prompt(target: &Target<'_>, answer: Answer) -> Result<GetPromptResponse, ErrorData> {
    match answer.result {
        Ok(body) => {
            let mut result: GetPromptResult = parsed(&body)?;
            result.result_type = Some(ResultType::COMPLETE);
            if !target.entry.def.description.is_empty() {
                result.description = Some(target.entry.def.description.to_owned());
            }
            for message in &mut result.messages {
                degrade(&mut message.content, &target.revision);
            }
            Ok(result.into())
        }
        Err(Failure::InputRequired(asked)) => questions(target, &asked).map(Into::into),
        Err(failure) => Err(error(&failure, answer.log_id.as_deref(), target, None)),
    }
}

/// Renders the questions that a call cannot go on without.
fn questions(target: &Target<'_>, asked: &Asked) -> Result<InputRequiredResult, ErrorData> {
    let Some((seal, round)) = &target.asking else {
        return Err(ErrorData::internal_error("the call asks a question, and has no client to ask", None));
    };
    seal.ask(round, asked).map_err(|error| ErrorData::internal_error(error, None))
}

/// Renders the answer to a call in process: the result of the newest revision.
pub(crate) fn value(entry: &Entry, uri: Option<&str>, answer: &Answer) -> Result<Value, ErrorData> {
    match &answer.result {
        Ok(body) => uri.map_or_else(|| parsed(body), |uri| read(body, uri)),
        Err(failure) => {
            let text = message(failure, answer.log_id.as_deref(), entry);
            Ok(json!({ "content": [{ "type": "text", "text": text }], "isError": true }))
        }
    }
}

/// Returns the text that tells a caller what went wrong.
pub(crate) fn message(failure: &Failure, log_id: Option<&str>, entry: &Entry) -> String {
    let id = log_id.map(|id| format!(" (id {id}, see the server's log)")).unwrap_or_default();
    match failure {
        Failure::Error(error) if error.is_hidden() => format!("internal error{id}"),
        Failure::Error(error) => error.message(),
        Failure::Panic => format!("internal error{id}"),
        Failure::Timeout => {
            let limit = entry.def.timeout.unwrap_or_default();
            format!("`{}` took longer than {limit:?} and was ended", entry.def.name)
        }
        Failure::Cancelled => "the call was cancelled".to_owned(),
        Failure::Busy => format!("`{}` is busy: try again later", entry.def.name),
        Failure::Forbidden(scopes) => format!("`{}` needs the scope `{}`", entry.def.name, scopes.join(" ")),
        Failure::InputRequired(_) => {
            format!("`{}` asks the user a question, and there is no client to pass it on", entry.def.name)
        }
        other => format!("{other:?}"),
    }
}

/// Returns the protocol's error for failures that are no result of a tool in any case.
fn refused(failure: &Failure, log_id: Option<&str>, target: &Target<'_>) -> Option<ErrorData> {
    match failure {
        Failure::Panic | Failure::Cancelled => {
            let id = log_id.map(|id| format!(" (id {id})")).unwrap_or_default();
            Some(ErrorData::internal_error(format!("internal error{id}"), None))
        }
        Failure::Forbidden(_) => Some(forbidden(target.entry, failure)),
        Failure::Error(error) if target.modern => {
            client::missing(error).map(ErrorData::missing_required_client_capability)
        }
        _ => None,
    }
}

/// Returns the protocol's error for a caller who lacks a scope.
pub(super) fn forbidden(entry: &Entry, failure: &Failure) -> ErrorData {
    ErrorData::invalid_request(message(failure, None, entry), None)
}

/// Returns the protocol's error for a resource or a prompt, which have no other way to fail.
fn error(failure: &Failure, log_id: Option<&str>, target: &Target<'_>, uri: Option<&str>) -> ErrorData {
    if let Some(error) = refused(failure, log_id, target) {
        return error;
    }
    let text = message(failure, log_id, target.entry);
    let kind = match failure {
        Failure::Error(error) => error.kind(),
        _ => None,
    };
    match (kind, uri) {
        (Some(ErrorKind::NotFound), Some(uri)) => {
            ErrorData::resource_not_found(text, Some(json!({ "uri": uri })))
        }
        (Some(ErrorKind::NotFound | ErrorKind::Invalid), _) => ErrorData::invalid_params(text, None),
        _ => ErrorData::internal_error(text, None),
    }
}

/// Returns the error for a resource that no component has.
pub(super) fn unknown_resource(uri: &str) -> ErrorData {
    let error = ToolError::not_found(format_args!("no resource has the URI `{uri}`: see `resources/list`"));
    ErrorData::resource_not_found(error.message(), Some(json!({ "uri": uri })))
}

pub(super) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

pub(super) fn scope(scope: Scope) -> CacheScope {
    match scope {
        Scope::Public => CacheScope::Public,
        Scope::Private | Scope::Tenant => CacheScope::Private,
    }
}

/// Puts the URI that was asked for into the parts of a resource that have none of their own.
fn read(body: &Bytes, uri: &str) -> Result<Value, ErrorData> {
    let mut result: Value = parsed(body)?;
    let contents = result.get_mut("contents").and_then(Value::as_array_mut);
    for part in contents.into_iter().flatten().filter_map(Value::as_object_mut) {
        part.entry("uri").or_insert_with(|| uri.into());
    }
    Ok(result)
}

fn parsed<T: DeserializeOwned>(body: &Bytes) -> Result<T, ErrorData> {
    serde_json::from_slice(body).map_err(|error| formless(&error))
}

fn parsed_value<T: DeserializeOwned>(value: Value) -> Result<T, ErrorData> {
    serde_json::from_value(value).map_err(|error| formless(&error))
}

fn formless(error: &serde_json::Error) -> ErrorData {
    tracing::error!(%error, "a result has no form in the protocol");
    ErrorData::internal_error("the result has no form in the protocol", None)
}

/// Brings a tool's result into the form of an older revision.
fn fit(result: &mut CallToolResult, target: &Target<'_>) {
    if target.modern {
        return;
    }
    for block in &mut result.content {
        degrade(block, &target.revision);
    }
    if let Some(structured) = result.structured_content.take() {
        let is_object = target.entry.object_output.unwrap_or(structured.is_object());
        result.structured_content = match &*target.revision {
            "2024-11-05" | "2025-03-26" => None,
            _ if is_object => Some(structured),
            _ => Some(json!({ WRAPPER: structured })),
        };
    }
}

/// Replaces a block that a revision does not know by text that says what it was.
fn degrade(block: &mut ContentBlock, revision: &str) {
    let text = match (&*block, revision) {
        (ContentBlock::Audio(audio), "2024-11-05") => {
            format!("[audio, {}, not supported by this client]", audio.mime_type)
        }
        (ContentBlock::ResourceLink(link), "2024-11-05" | "2025-03-26") => {
            format!("[{}]({})", link.name, link.uri)
        }
        _ => return,
    };
    *block = ContentBlock::text(text);
}
