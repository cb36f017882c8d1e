//! The request, as a component sees it.

use std::collections::{BTreeMap, HashMap};
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::ask::{Asked, Question};
use crate::component::BoxFuture;
use crate::content::{Content, Message, Role};
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
}

/// Answers of earlier rounds, and the questions of this one.
#[derive(Default)]
struct Rounds {
    answers: HashMap<String, Value>,
    asked: Vec<(String, Question)>,
    count: usize,
}

/// What is known of a request beside its arguments.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct RequestInfo {
    /// The protocol revision, such as `2026-07-28`; empty where a call came without the protocol.
    pub protocol_version: String,
    /// The HTTP headers, names in lower case.
    pub headers: BTreeMap<String, String>,
    /// `traceparent`, `tracestate` and `baggage` of the request's `_meta` (SEP-414).
    pub trace: BTreeMap<&'static str, String>,
    /// Answers of earlier rounds by the key of their question.
    pub answers: HashMap<String, Value>,
}

/// The way from a component to the client of its call.
///
/// The protocol implements it; a component uses it through [`Ctx`].
pub trait Client: Send + Sync {
    /// Reports progress, where the client asked for it.
    fn progress(&self, done: f64, total: Option<f64>, message: Option<String>) -> BoxFuture<'_, ()>;

    /// Sends a log message, where the client wants its level.
    fn log(&self, level: LogLevel, data: Value) -> BoxFuture<'_, ()>;

    /// Returns how questions reach the client.
    fn asking(&self) -> Asking;

    /// Returns whether the client answers questions of a method.
    fn answers(&self, method: &str) -> bool;

    /// Asks a question and waits for the answer; only where [`Asking::Directly`].
    fn ask(&self, question: Question) -> BoxFuture<'_, Result<Value, ToolError>>;
}

/// How a question reaches the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asking {
    /// As a request of the server, within a session (revisions before 2026-07-28).
    Directly,
    /// As the result of the call, which the client then repeats with the answers (since 2026-07-28).
    InRounds,
    /// Not at all.
    Never,
}

/// The importance of a log message (RFC 5424).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum LogLevel {
    Debug,
    Info,
    Notice,
    Warning,
    Error,
    Critical,
    Alert,
    Emergency,
}

impl LogLevel {
    /// Returns the protocol's word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Notice => "notice",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Critical => "critical",
            Self::Alert => "alert",
            Self::Emergency => "emergency",
        }
    }
}

/// What the user made of a question.
#[derive(Clone, Debug, PartialEq)]
pub enum Elicited<T> {
    /// The user answered.
    Accepted(T),
    /// The user said no.
    Declined,
    /// The user closed the question without a choice.
    Cancelled,
}

impl<T> Elicited<T> {
    /// Returns the answer, if there is one.
    pub fn accepted(self) -> Option<T> {
        match self {
            Self::Accepted(answer) => Some(answer),
            Self::Declined | Self::Cancelled => None,
        }
    }
}

/// A request for a completion by the client's model.
///
/// # Examples
///
/// ```
/// use mcp_core::{Message, Sample};
///
/// let request = Sample::new([Message::user("Sum this up: ..")]).system("Be brief.").max_tokens(200);
/// # let _ = request;
/// ```
#[derive(Clone, Debug)]
pub struct Sample(serde_json::Map<String, Value>);

impl Sample {
    /// Creates a request of at most 1,000 tokens for the answer to these messages.
    pub fn new(messages: impl IntoIterator<Item = Message>) -> Self {
        let messages: Vec<_> = messages.into_iter().collect();
        Self(serde_json::Map::from_iter([
            ("messages".to_owned(), json!(messages)),
            ("maxTokens".to_owned(), json!(1000)),
        ]))
    }

    /// Creates a request for the answer to one message of the user.
    pub fn user(text: impl Into<String>) -> Self {
        Self::new([Message::user(Content::text(text))])
    }

    /// Sets the system prompt.
    #[must_use]
    pub fn system(self, prompt: impl Into<String>) -> Self {
        self.with("systemPrompt", json!(prompt.into()))
    }

    /// Sets the largest number of tokens.
    #[must_use]
    pub fn max_tokens(self, tokens: u32) -> Self {
        self.with("maxTokens", json!(tokens))
    }

    /// Sets the temperature.
    #[must_use]
    pub fn temperature(self, temperature: f64) -> Self {
        self.with("temperature", json!(temperature))
    }

    /// Sets any other parameter of `sampling/createMessage`.
    #[must_use]
    pub fn with(mut self, name: &str, value: Value) -> Self {
        self.0.insert(name.to_owned(), value);
        self
    }
}

/// The completion that the client's model gave.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Sampled {
    /// Who speaks: the model.
    pub role: Role,
    /// What it said.
    pub content: Vec<Content>,
    /// Which model it was.
    pub model: String,
    /// Why it stopped.
    pub stop_reason: Option<String>,
}

impl Sampled {
    /// Returns the text of the answer.
    pub fn text(&self) -> String {
        let texts = self.content.iter().filter_map(|content| match content {
            Content::Text { text, .. } => Some(text.as_str()),
            _ => None,
        });
        texts.collect()
    }
}

/// A directory or file that the client opens to the server.
#[derive(Clone, Debug, PartialEq, serde::Deserialize)]
#[non_exhaustive]
pub struct Root {
    /// A `file:` URI.
    pub uri: String,
    /// A name for people.
    pub name: Option<String>,
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
        Self(Arc::new(Inner { identity, client, request, cancelled, rounds, stuck: Notify::new() }))
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
        let answer = self.0.client.ask(question).await?;
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

/// Returns the schema of a form: flat, and in the few words that the protocol has for its fields.
fn form_schema<T: JsonSchema>() -> Value {
    let mut schema = schemars::generate::SchemaSettings::draft2020_12()
        .with(|settings| settings.inline_subschemas = true)
        .into_generator()
        .into_root_schema_for::<T>();
    for field in ["$schema", "title", "description"] {
        schema.remove(field);
    }
    let mut schema = schema.to_value();
    let fields = schema.get_mut("properties").and_then(Value::as_object_mut);
    fields
        .into_iter()
        .flat_map(|fields| fields.values_mut())
        .filter_map(Value::as_object_mut)
        .for_each(form_field);
    schema
}

/// Brings a field of a form into the protocol's words, which know no `null` and no mixed choices.
fn form_field(field: &mut serde_json::Map<String, Value>) {
    // `Option<_>`: that it may be absent, `required` says.
    if let Some(Value::Array(either)) = field.remove("anyOf") {
        let some = either.into_iter().find(|one| one.get("type").is_none_or(|kind| kind != "null"));
        if let Some(Value::Object(some)) = some {
            let own = std::mem::replace(field, some);
            field.extend(own);
        }
    }
    if let Some(Value::Array(kinds)) = field.get("type")
        && let Some(kind) = kinds.iter().find(|kind| *kind != "null").cloned()
    {
        field.insert("type".to_owned(), kind);
    }
    if let Some(Value::Array(values)) = field.get_mut("enum") {
        values.retain(|value| !value.is_null());
    }
    if field.get("default").is_some_and(Value::is_null) {
        field.remove("default");
    }

    if let Some(choices) = titled_choices(field) {
        field.insert("type".to_owned(), json!("string"));
        field.insert("oneOf".to_owned(), choices);
    }
    if let Some(items) = field.get_mut("items").and_then(Value::as_object_mut)
        && let Some(choices) = titled_choices(items)
    {
        *items = serde_json::Map::from_iter([("anyOf".to_owned(), choices)]);
    }
}

/// Returns the variants of an enum of which some have a title or a doc comment, each with its title.
fn titled_choices(schema: &serde_json::Map<String, Value>) -> Option<Value> {
    let mut choices = Vec::new();
    for variant in schema.get("oneOf")?.as_array()? {
        let title = variant.get("title").or_else(|| variant.get("description"));
        let values = variant.get("enum").and_then(Value::as_array).map(Vec::as_slice);
        let values = values.or_else(|| variant.get("const").map(std::slice::from_ref))?;
        choices.extend(values.iter().map(|value| json!({ "const": value, "title": title.unwrap_or(value) })));
    }
    choices.iter().all(|choice| choice["const"].is_string()).then(|| choices.into())
}

/// The client of a call that came without one.
#[derive(Debug)]
pub struct Nobody;

impl Client for Nobody {
    fn progress(&self, _: f64, _: Option<f64>, _: Option<String>) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }

    fn log(&self, _: LogLevel, _: Value) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }

    fn asking(&self) -> Asking {
        Asking::Never
    }

    fn answers(&self, _: &str) -> bool {
        false
    }

    fn ask(&self, question: Question) -> BoxFuture<'_, Result<Value, ToolError>> {
        Box::pin(std::future::ready(Err(ToolError::missing_capability(question.method))))
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(JsonSchema, Deserialize)]
    enum Size {
        Small,
        Large,
    }

    #[derive(JsonSchema, Deserialize)]
    enum Way {
        /// By sea
        Ship,
        #[schemars(title = "By rail")]
        Train,
        Foot,
    }

    fn field<T: JsonSchema>() -> Value {
        #[derive(JsonSchema)]
        struct Form<T> {
            #[expect(dead_code, reason = "only its schema is looked at")]
            field: T,
        }

        form_schema::<Form<T>>()["properties"]["field"].clone()
    }

    /// The `PrimitiveSchemaDefinition` of the protocol's schema.
    #[test]
    fn forms_keep_to_the_words_of_the_protocol() {
        let ways = json!([
            { "const": "Foot", "title": "Foot" },
            { "const": "Ship", "title": "By sea" },
            { "const": "Train", "title": "By rail" },
        ]);
        for (field, expected) in [
            (field::<String>(), json!({ "type": "string" })),
            (field::<Option<String>>(), json!({ "type": "string" })),
            (field::<Option<bool>>(), json!({ "type": "boolean" })),
            (field::<Size>(), json!({ "type": "string", "enum": ["Small", "Large"] })),
            (field::<Option<Size>>(), json!({ "type": "string", "enum": ["Small", "Large"] })),
            (field::<Way>(), json!({ "type": "string", "oneOf": ways })),
            (field::<Option<Way>>(), json!({ "type": "string", "oneOf": ways })),
            (
                field::<Vec<Size>>(),
                json!({ "type": "array", "items": { "type": "string", "enum": ["Small", "Large"] } }),
            ),
            (field::<Vec<Way>>(), json!({ "type": "array", "items": { "anyOf": ways } })),
        ] {
            assert_eq!(field, expected);
        }
    }

    #[test]
    fn a_field_that_may_be_absent_keeps_its_notes() {
        #[derive(JsonSchema, Deserialize)]
        #[expect(dead_code, reason = "only its schema is looked at")]
        struct Trip {
            /// How to travel.
            #[serde(default)]
            way: Option<Way>,
            days: Option<u8>,
        }

        let form = form_schema::<Trip>();
        assert_eq!(form["properties"]["way"]["description"], "How to travel.");
        assert_eq!(form["properties"]["way"].get("default"), None);
        assert_eq!(form["properties"]["days"]["type"], "integer");
        assert_eq!(form.get("required"), None);
    }
}
