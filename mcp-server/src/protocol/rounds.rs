//! `requestState`: what a call that asks questions must know when it comes back.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use mcp_core::Identity;
use mcp_core::ask::Asked;
use rmcp::model::{InputRequest, InputRequests, InputRequiredResult, RequestStateCodec, SealOptions};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// How long a client may take to answer.
const LIFETIME: Duration = Duration::from_secs(3600);

/// Seals states, so that a client can neither change one nor use it for another call.
pub(crate) struct Seal(RequestStateCodec);

/// The call that a state belongs to.
pub(crate) struct Round<'a> {
    pub(crate) kind: &'static str,
    pub(crate) name: &'a str,
    /// The arguments as text.
    pub(crate) arguments: &'a str,
    pub(crate) identity: Identity,
}

#[derive(Serialize, Deserialize)]
struct State {
    answered: Vec<(String, Value)>,
    /// Makes the states of two rounds differ also where neither has answers yet.
    asked: Vec<String>,
}

impl Seal {
    /// Creates a seal that no other process has.
    pub(crate) fn new() -> Result<Self, String> {
        let secret: Vec<u8> = [mcp_core::cache::random_secret(), mcp_core::cache::random_secret()].concat();
        RequestStateCodec::try_new(secret).map(Self).map_err(|error| format!("cannot make a secret: {error}"))
    }

    /// Returns the answers that a call comes with: those of this round and of those before.
    ///
    /// # Errors
    ///
    /// Fails where the state was changed, is too old, or belongs to another call or caller.
    pub(crate) fn answers(
        &self,
        round: &Round<'_>,
        responses: Option<BTreeMap<String, Value>>,
        state: Option<&str>,
    ) -> Result<HashMap<String, Value>, String> {
        let mut answers = HashMap::new();
        if let Some(sealed) = state {
            let state: State = self
                .0
                .open_json_with(sealed, &round.bytes())
                .map_err(|_| "`requestState` is not what this server sent for this call, or too old: start again without it")?;
            answers.extend(state.answered);
        }
        answers.extend(responses.into_iter().flatten());
        Ok(answers)
    }

    /// Returns the result of a call that has questions.
    ///
    /// # Errors
    ///
    /// Fails where a question has no form in the protocol.
    pub(crate) fn ask(&self, round: &Round<'_>, asked: &Asked) -> Result<InputRequiredResult, String> {
        let mut requests = InputRequests::new();
        for (key, question) in &asked.questions {
            let request = json!({ "method": question.method, "params": question.params });
            let request: InputRequest =
                serde_json::from_value(request).map_err(|error| format!("`{}`: {error}", question.method))?;
            requests.insert(key.clone(), request);
        }
        let keys = asked.questions.iter().map(|(key, _)| key.clone()).collect();
        let state = State { answered: asked.answered.clone(), asked: keys };
        let bytes = round.bytes();
        let options = SealOptions::new().associated_data(&bytes).ttl(LIFETIME);
        let sealed = self.0.seal_json_with(&state, &options).map_err(|error| error.to_string())?;
        Ok(InputRequiredResult::new(Some(requests), Some(sealed)))
    }
}

impl Round<'_> {
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for part in [
            self.kind.as_bytes(),
            self.name.as_bytes(),
            self.arguments.as_bytes(),
            &self.identity.fingerprint(),
        ] {
            bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
            bytes.extend_from_slice(part);
        }
        bytes
    }
}
