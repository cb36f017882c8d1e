//! `Ctx`: who asks, and the way back to the client.

use std::collections::HashMap;
use std::future::pending;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::client::{Asking, Client, LogLevel, Nobody, RequestInfo};
use super::form::form_schema;
use super::questions::{Elicited, Root, Sample, Sampled};
use crate::ask::{Asked, Question};
use crate::content::{Content, Role};
use crate::error::ToolError;
use crate::identity::Identity;

/// The request that a component answers: who asks, and the way back to the client.
///
/// A function that takes a `Ctx` is told of cancellation instead of being dropped by it, so it can
/// clean up; one that takes none is dropped at its next await.
#[derive(Clone)]
pub struct Ctx(Arc<Inner>);

struct Inner {
    identity: Identity,
    client: Arc<dyn Client>,
    request: RequestInfo,
    cancelled: CancellationToken,
    rounds: Mutex<Rounds>,
    stuck: Notify,
    asked: AtomicBool,
}

/// How long a question waits for its answer, where the component has no shorter `timeout`.
const PATIENCE: Duration = Duration::from_secs(600);

/// Answers of earlier rounds, and the questions of this one.
#[derive(Default)]
struct Rounds {
    answers: HashMap<String, Value>,
    asked: Vec<(String, Question)>,
    count: usize,
}
impl Ctx {
    /// Creates the context of a request; the protocol does.
    #[doc(hidden)]
    pub fn new(
        identity: Identity,
        client: Arc<dyn Client>,
        mut request: RequestInfo,
        cancelled: CancellationToken,
    ) -> Self {
        let answers = std::mem::take(&mut request.answers);
        let rounds = Mutex::new(Rounds { answers, ..Rounds::default() });
        Self(Arc::new(Inner {
            identity,
            client,
            request,
            cancelled,
            rounds,
            stuck: Notify::new(),
            asked: AtomicBool::new(false),
        }))
    }

    /// Creates a context without a client, for unit tests of a function that takes one.
    ///
    /// Progress and log messages go nowhere, and a question is an error.
    pub fn detached() -> Self {
        Self::new(Identity::anonymous(), Arc::new(Nobody), RequestInfo::default(), CancellationToken::new())
    }

    /// Reports progress to a client that asked for it; never fails.
    ///
    /// `done` must grow with every report; `total` is in the same unit.
    pub async fn progress(&self, done: f64, total: Option<f64>, message: Option<&str>) {
        self.0.client.progress(done, total, message.map(ToOwned::to_owned)).await;
    }

    /// Sends a log message to a client that wants its level; never fails.
    pub async fn log(&self, level: LogLevel, message: impl Into<Value>) {
        self.0.client.log(level, message.into()).await;
    }

    /// Asks the user for a `T`, whose schema becomes the form.
    ///
    /// Since revision 2026-07-28 a server has no requests of its own: the call ends with the
    /// question, and the client repeats it with the answer. The function then **runs again from its
    /// start**, and this call returns at once. What stands before the first question must therefore
    /// be harmless to repeat. Questions asked side by side (`tokio::join!`) make one round.
    ///
    /// # Errors
    ///
    /// Fails where the client does not answer such questions, or with something that is no `T`.
    pub async fn elicit<T: JsonSchema + DeserializeOwned>(
        &self,
        message: &str,
    ) -> Result<Elicited<T>, ToolError> {
        self.form(None, message, form_schema::<T>()).await
    }

    /// Asks as [`elicit`](Ctx::elicit) does, under a key of one's own.
    ///
    /// Without one, questions are numbered in the order in which they are asked: give keys to
    /// questions whose order may change from one run to the next.
    ///
    /// # Errors
    ///
    /// As [`elicit`](Ctx::elicit).
    pub async fn elicit_as<T: JsonSchema + DeserializeOwned>(
        &self,
        key: &str,
        message: &str,
    ) -> Result<Elicited<T>, ToolError> {
        self.form(Some(key), message, form_schema::<T>()).await
    }

    /// Asks the user with a schema made by hand; see [`elicit`](Ctx::elicit).
    ///
    /// # Errors
    ///
    /// As [`elicit`](Ctx::elicit).
    pub async fn elicit_with(&self, message: &str, schema: Value) -> Result<Elicited<Value>, ToolError> {
        self.form(None, message, schema).await
    }

    async fn form<T: DeserializeOwned>(
        &self,
        key: Option<&str>,
        message: &str,
        schema: Value,
    ) -> Result<Elicited<T>, ToolError> {
        let params = json!({ "mode": "form", "message": message, "requestedSchema": schema });
        self.ask(key, "elicitation/create", params, |answer| {
            match answer.get("action").and_then(Value::as_str) {
                Some("accept") => {
                    let content = answer.get("content").cloned().unwrap_or_else(|| json!({}));
                    let content = serde_json::from_value(content);
                    content
                        .map(Elicited::Accepted)
                        .map_err(|error| format!("the user's answer does not fit: {error}"))
                }
                Some("decline") => Ok(Elicited::Declined),
                Some("cancel") => Ok(Elicited::Cancelled),
                _ => Err("its `action` is none of `accept`, `decline` and `cancel`".to_owned()),
            }
        })
        .await
    }

    /// Asks the client's model for a completion; see [`elicit`](Ctx::elicit) for how often the function runs.
    ///
    /// # Errors
    ///
    /// Fails where the client does not offer its model, or answers with something else.
    pub async fn sample(&self, request: Sample) -> Result<Sampled, ToolError> {
        self.completion(None, request).await
    }

    /// Asks as [`sample`](Ctx::sample) does, under a key of one's own; see [`elicit_as`](Ctx::elicit_as).
    ///
    /// # Errors
    ///
    /// As [`sample`](Ctx::sample).
    pub async fn sample_as(&self, key: &str, request: Sample) -> Result<Sampled, ToolError> {
        self.completion(Some(key), request).await
    }

    async fn completion(&self, key: Option<&str>, request: Sample) -> Result<Sampled, ToolError> {
        #[derive(serde::Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Answer {
            role: Role,
            content: OneOrMany,
            model: String,
            stop_reason: Option<String>,
        }

        #[derive(serde::Deserialize)]
        #[serde(untagged)]
        enum OneOrMany {
            One(Box<Content>),
            Many(Vec<Content>),
        }

        self.ask(key, "sampling/createMessage", Value::Object(request.0), |answer| {
            let Answer { role, content, model, stop_reason } = serde_json::from_value(answer.clone())
                .map_err(|error| format!("it is no completion: {error}"))?;
            let content = match content {
                OneOrMany::One(content) => vec![*content],
                OneOrMany::Many(content) => content,
            };
            Ok(Sampled { role, content, model, stop_reason })
        })
        .await
    }

    /// Asks the client for the directories and files that it opens to the server.
    ///
    /// # Errors
    ///
    /// Fails where the client has none to offer, or answers with something else.
    pub async fn roots(&self) -> Result<Vec<Root>, ToolError> {
        self.ask(None, "roots/list", json!({}), |answer| {
            let roots = answer.get("roots").cloned().unwrap_or_default();
            serde_json::from_value(roots).map_err(|error| format!("it holds no roots: {error}"))
        })
        .await
    }

    /// Returns whether the client passes questions to its user.
    pub fn can_elicit(&self) -> bool {
        self.can_ask("elicitation/create")
    }

    /// Returns whether the client lends its model.
    pub fn can_sample(&self) -> bool {
        self.can_ask("sampling/createMessage")
    }

    fn can_ask(&self, method: &str) -> bool {
        self.0.client.asking() != Asking::Never && self.0.client.answers(method)
    }

    /// Asks a question and reads its answer.
    ///
    /// In rounds, an answer that cannot be read is no answer: the client is asked again.
    async fn ask<T>(
        &self,
        key: Option<&str>,
        method: &'static str,
        params: Value,
        read: impl Fn(&Value) -> Result<T, String>,
    ) -> Result<T, ToolError> {
        let question = Question { method, params };
        let asking = self.0.client.asking();
        if asking == Asking::InRounds
            && let Some(answer) = self.answer(key, &question, &read)
        {
            return Ok(answer);
        }
        if !self.can_ask(method) {
            if asking == Asking::InRounds {
                self.rounds().asked.pop();
            }
            return Err(ToolError::missing_capability(method));
        }
        if asking == Asking::InRounds {
            self.0.stuck.notify_one();
            return pending().await;
        }
        self.0.asked.store(true, Ordering::Relaxed);
        let answer = tokio::select! {
            answer = self.0.client.ask(question) => answer?,
            () = self.cancelled() => return Err(ToolError::new("the call was cancelled")),
            () = tokio::time::sleep(PATIENCE) => {
                return Err(ToolError::new(format_args!("`{method}` was not answered within {PATIENCE:?}")));
            }
        };
        read(&answer).map_err(|error| {
            ToolError::new(format!("the client's answer to `{method}` cannot be read: {error}"))
        })
    }

    /// Returns what an earlier round answered, or notes the question for this one.
    fn answer<T>(
        &self,
        key: Option<&str>,
        question: &Question,
        read: impl Fn(&Value) -> Result<T, String>,
    ) -> Option<T> {
        let mut rounds = self.rounds();
        rounds.count += 1;
        let key = key.map_or_else(
            || format!("{}-{}", question.method.replace('/', "-"), rounds.count),
            ToOwned::to_owned,
        );
        if let Some(answer) = rounds.answers.get(&key).and_then(|answer| read(answer).ok()) {
            return Some(answer);
        }
        rounds.answers.remove(&key);
        rounds.asked.push((key, question.clone()));
        None
    }

    /// Waits until the function asks what only the next round can answer; dispatch does.
    ///
    /// Polled after the function, so that questions asked side by side make one round.
    #[doc(hidden)]
    pub async fn asked(&self) -> Arc<Asked> {
        self.0.stuck.notified().await;
        let rounds = self.rounds();
        let answered = rounds.answers.iter().map(|(key, answer)| (key.clone(), answer.clone())).collect();
        Arc::new(Asked { questions: rounds.asked.clone(), answered })
    }

    /// Returns whether the user, the model or the client was asked something, directly.
    #[doc(hidden)]
    pub fn has_asked(&self) -> bool {
        self.0.asked.load(Ordering::Relaxed)
    }

    fn rounds(&self) -> MutexGuard<'_, Rounds> {
        self.0.rounds.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the client cancels the call or goes away.
    pub async fn cancelled(&self) {
        self.0.cancelled.cancelled().await;
    }

    /// Returns whether the client cancelled the call or went away.
    pub fn is_cancelled(&self) -> bool {
        self.0.cancelled.is_cancelled()
    }

    /// Returns the protocol revision of the request, such as `2026-07-28`.
    pub fn protocol_version(&self) -> &str {
        &self.0.request.protocol_version
    }

    /// Returns a header of the HTTP request, by its name in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.0.request.headers.get(&name.to_ascii_lowercase()).map(String::as_str)
    }

    /// Returns `traceparent`, `tracestate` or `baggage` of the request's `_meta`.
    pub fn trace(&self, name: &str) -> Option<&str> {
        self.0.request.trace.get(name).map(String::as_str)
    }

    /// Returns who calls.
    pub fn identity(&self) -> &Identity {
        &self.0.identity
    }
}

impl std::fmt::Debug for Ctx {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ctx").field("protocol_version", &self.protocol_version()).finish_non_exhaustive()
    }
}
