//! A server that runs elsewhere: what it speaks, what it has, and calls of it.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;

use super::answer::{self, Trouble};
#[cfg(feature = "http")]
use super::http::{Connection, Site};
use super::message::{Era, INITIALIZED, Message};
use super::stdio::Pipe;
use crate::cli::bench::load::{Caller, Did, Measured, Plan, load};
use crate::cli::bench::options::{Options, Over};
use crate::cli::bench::target::{Kind, Known, Target};

/// How long a server may take for what is not measured, its start included.
const PATIENCE: Duration = Duration::from_secs(30);

/// How many pages of a list are read.
const PAGES: usize = 100;

/// A server that runs elsewhere.
pub(in crate::cli::bench) struct Remote {
    line: Line,
    era: Era,
}

/// What requests go by.
enum Line {
    #[cfg(feature = "http")]
    Http(Box<Connection>, Arc<Site>),
    Stdio(Arc<Pipe>),
}

impl Remote {
    /// Finds the server and what it speaks; `None`: it is within this process.
    pub(in crate::cli::bench) async fn connect(over: &Over) -> Result<Option<Self>, String> {
        match over {
            Over::Process => Ok(None),
            #[cfg(feature = "http")]
            Over::Http(site) => Self::connect_http(Arc::new(Site::clone(site))).await.map(Some),
            Over::Stdio(words) => Self::start(words).await.map(Some),
        }
    }

    #[cfg(feature = "http")]
    async fn connect_http(site: Arc<Site>) -> Result<Self, String> {
        let connection = Box::new(Connection::new(Arc::clone(&site)));
        let mut remote = Self { line: Line::Http(connection, site), era: Era::Modern };
        let trouble = match remote.discover().await {
            Ok(()) => return Ok(remote),
            Err(trouble @ Trouble::Gone(_)) => return Err(trouble.to_string()),
            Err(trouble) => trouble,
        };
        let Line::Http(connection, site) = &mut remote.line else { return Err(trouble.to_string()) };
        let opened = tokio::time::timeout(PATIENCE, connection.initialize()).await;
        match opened {
            Ok(Ok(opened)) => *site = Arc::new(opened),
            Ok(Err(second)) => {
                return Err(format!("the server speaks no revision that `bench` does: {trouble}; {second}"));
            }
            Err(_) => return Err(format!("the server did not answer in {PATIENCE:?}")),
        }
        remote.era = Era::Legacy;
        Ok(remote)
    }

    async fn start(words: &[String]) -> Result<Self, String> {
        let mut remote = Self { line: Line::Stdio(Pipe::start(words)?), era: Era::Modern };
        let Err(trouble) = remote.discover().await else { return Ok(remote) };
        // An older server may have ended for a message that it does not know as the first: a new one is started.
        remote.end().await;
        let pipe = Pipe::start(words)?;
        let remote = Self { line: Line::Stdio(Arc::clone(&pipe)), era: Era::Legacy };
        let greeted = async {
            let answer = pipe.exchange(&Message::initialize()).await?;
            answer::result(&answer).map_err(Trouble::Refused)?;
            pipe.write(INITIALIZED.to_owned()).await
        };
        match tokio::time::timeout(PATIENCE, greeted).await {
            Ok(Ok(())) => Ok(remote),
            Ok(Err(second)) => {
                remote.end().await;
                Err(format!("the command starts no server that `bench` can speak to: {trouble}; {second}"))
            }
            Err(_) => {
                remote.end().await;
                Err(format!("the server did not answer in {PATIENCE:?}"))
            }
        }
    }

    async fn discover(&mut self) -> Result<(), Trouble> {
        self.ask("server/discover", Map::new()).await.map(|_| ())
    }

    /// Asks what is not measured.
    async fn ask(&mut self, method: &'static str, params: Map<String, Value>) -> Result<Value, Trouble> {
        let message = Message::new(self.era, method, params);
        let asked = async {
            match &mut self.line {
                #[cfg(feature = "http")]
                Line::Http(connection, _) => connection.exchange(&message, 0).await,
                Line::Stdio(pipe) => pipe.exchange(&message).await,
            }
        };
        let late = || Trouble::Refused(format!("`{method}` had no answer in {PATIENCE:?}"));
        let answer = tokio::time::timeout(PATIENCE, asked).await.map_err(|_| late())??;
        let result = answer::result(&answer).map_err(Trouble::Refused)?;
        serde_json::from_str(result.get()).map_err(|error| Trouble::Refused(error.to_string()))
    }

    /// Returns the components that the server lists.
    pub(in crate::cli::bench) async fn known(&mut self) -> Result<Vec<Known>, String> {
        let mut known = Vec::new();
        let lists = [
            ("tools/list", "tools", Kind::Tool),
            ("resources/list", "resources", Kind::Resource),
            ("resources/templates/list", "resourceTemplates", Kind::Resource),
            ("prompts/list", "prompts", Kind::Prompt),
        ];
        for (method, key, kind) in lists {
            let mut params = Map::new();
            for _ in 0..PAGES {
                let page = match self.ask(method, params.clone()).await {
                    Ok(page) => page,
                    // A server that has none of a kind need not know the list.
                    Err(Trouble::Refused(_)) => break,
                    Err(Trouble::Gone(why)) => return Err(why),
                };
                let listed = page.get(key).and_then(Value::as_array).into_iter().flatten();
                known.extend(listed.filter_map(|listed| read(kind, listed)));
                let Some(cursor) = page.get("nextCursor").filter(|cursor| cursor.is_string()) else { break };
                params.insert("cursor".to_owned(), cursor.clone());
            }
        }
        if known.is_empty() {
            return Err(
                "the server lists no components: is a token missing? write `--token TOKEN`".to_owned()
            );
        }
        Ok(known)
    }

    /// Measures a component, as its answers come.
    pub(in crate::cli::bench) async fn measure(
        &self,
        target: &Target,
        options: &Options,
        stop: &CancellationToken,
    ) -> Measured {
        let messages: Arc<[_]> = Message::calls(self.era, target).into();
        let callers = (0..options.connections).map(|_| Call {
            line: self.line.another(),
            messages: Arc::clone(&messages),
            number: 0,
        });
        let plan = Plan { duration: options.duration, rate: options.rate };
        let warm = Plan { duration: options.warmup, ..plan };
        let (callers, warmed) = load(callers.collect(), warm, stop).await;
        // Nothing would come of more.
        if warmed.gone.is_some() {
            return warmed;
        }
        load(callers, plan, stop).await.1
    }

    /// Ends what was started.
    pub(in crate::cli::bench) async fn end(&self) {
        match &self.line {
            #[cfg(feature = "http")]
            Line::Http(..) => {}
            Line::Stdio(pipe) => pipe.end().await,
        }
    }
}

impl Line {
    fn another(&self) -> Self {
        match self {
            #[cfg(feature = "http")]
            Self::Http(_, site) => Self::Http(Box::new(Connection::new(Arc::clone(site))), Arc::clone(site)),
            Self::Stdio(pipe) => Self::Stdio(Arc::clone(pipe)),
        }
    }
}

/// One connection.
struct Call {
    line: Line,
    messages: Arc<[Message]>,
    number: u64,
}

impl Caller for Call {
    type Answer = Result<Vec<u8>, Trouble>;

    fn ready(&mut self, number: u64) {
        self.number = number;
    }

    async fn call(&mut self) -> Self::Answer {
        let place = (self.number % self.messages.len().max(1) as u64) as usize;
        let message = self.messages.get(place);
        let message = message.ok_or_else(|| Trouble::Gone("there is nothing to send".to_owned()))?;
        match &mut self.line {
            #[cfg(feature = "http")]
            Line::Http(connection, _) => connection.exchange(message, self.number).await,
            Line::Stdio(pipe) => pipe.exchange(message).await,
        }
    }

    fn judge(&self, answer: Self::Answer) -> Did {
        answer::judge(answer)
    }
}

/// Reads a listed component.
fn read(kind: Kind, listed: &Value) -> Option<Known> {
    let text = |value: &Value, key: &str| value.get(key)?.as_str().map(ToOwned::to_owned);
    let name = match kind {
        Kind::Resource => text(listed, "uri").or_else(|| text(listed, "uriTemplate"))?,
        _ => text(listed, "name")?,
    };
    let list = |value: Option<&Value>| value.and_then(Value::as_array).cloned().unwrap_or_default();
    let required = match kind {
        Kind::Tool => {
            let schema = listed.get("inputSchema").cloned().unwrap_or_default();
            let required = list(schema.get("required"));
            let required = required.iter().filter_map(Value::as_str).map(|name| {
                let found = schema.pointer(&format!("/properties/{name}/type")).and_then(Value::as_str);
                (name.to_owned(), found.unwrap_or("any").to_owned())
            });
            required.collect()
        }
        Kind::Resource => {
            let template = mcp_core::uri::Template::parse(&name);
            let variables = template.iter().flat_map(mcp_core::uri::Template::variables);
            variables.map(|name| (name.to_owned(), "string".to_owned())).collect()
        }
        Kind::Prompt => {
            let wanted = list(listed.get("arguments"));
            let wanted = wanted.iter().filter(|argument| argument.get("required") == Some(&json!(true)));
            wanted.filter_map(|argument| Some((text(argument, "name")?, "string".to_owned()))).collect()
        }
    };
    let hint = listed.pointer("/annotations/readOnlyHint").and_then(Value::as_bool);
    Some(Known { kind, name, read_only: kind != Kind::Tool || hint == Some(true), required, hindered: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listed_component_says_what_it_takes_and_whether_it_is_safe() {
        let read = |kind, listed: Value| {
            let known = read(kind, &listed).unwrap();
            (known.name, known.read_only, known.required)
        };
        let pair = |name: &str, kind: &str| (name.to_owned(), kind.to_owned());
        let tool = json!({
            "name": "add", "annotations": { "readOnlyHint": true },
            "inputSchema": { "properties": { "a": { "type": "integer" } }, "required": ["a"] },
        });
        assert_eq!(read(Kind::Tool, tool), ("add".to_owned(), true, vec![pair("a", "integer")]));
        assert_eq!(read(Kind::Tool, json!({ "name": "wipe" })), ("wipe".to_owned(), false, Vec::new()));
        let template = json!({ "name": "product", "uriTemplate": "product://{id}" });
        assert_eq!(
            read(Kind::Resource, template),
            ("product://{id}".to_owned(), true, vec![pair("id", "string")])
        );
        let prompt =
            json!({ "name": "p", "arguments": [{ "name": "code", "required": true }, { "name": "x" }] });
        assert_eq!(read(Kind::Prompt, prompt), ("p".to_owned(), true, vec![pair("code", "string")]));
    }
}
