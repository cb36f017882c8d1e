//! Questions that a running component has for the user or the model of its client.

use serde_json::Value;

/// The questions of one round of a call that cannot go on without their answers.
///
/// Written by [`Ctx`](crate::Ctx) where the protocol has no requests from the server to the client
/// (revision 2026-07-28): the call ends with these questions, and the client repeats it with answers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Asked {
    /// The questions by the key under which their answers come back.
    pub questions: Vec<(String, Question)>,
    /// The answers of earlier rounds, which the repeated call needs as well.
    pub answered: Vec<(String, Value)>,
}

/// One question, in the protocol's terms: its method and its parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// `elicitation/create`, `sampling/createMessage` or `roots/list`.
    pub method: &'static str,
    /// The parameters of that method.
    pub params: Value,
}
