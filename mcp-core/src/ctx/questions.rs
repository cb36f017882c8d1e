//! What a component asks of the user, the model or the client, and what it is answered.

use serde_json::{Value, json};

use crate::content::{Content, Message, Role};

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
pub struct Sample(pub(super) serde_json::Map<String, Value>);

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
