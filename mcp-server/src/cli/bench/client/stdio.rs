//! Requests over the pipes of a server that is started for them.

use std::collections::HashMap;
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::oneshot;

use super::answer::Trouble;
use super::message::Message;

/// How long a line of the server may be, in bytes.
const MOST: u64 = 64 << 20;

/// How long a server has to end by itself when its stdin does.
const GRACE: Duration = Duration::from_secs(2);

/// A server, and the requests that it has not answered.
pub(super) struct Pipe {
    /// Of a server whose end has come there is none.
    stdin: tokio::sync::Mutex<Option<ChildStdin>>,
    waiting: Mutex<Waiting>,
    next: AtomicU64,
    child: tokio::sync::Mutex<Child>,
}

#[derive(Default)]
struct Waiting {
    answers: HashMap<u64, oneshot::Sender<Vec<u8>>>,
    ended: bool,
}

impl Pipe {
    /// Starts the server.
    pub(super) fn start(words: &[String]) -> Result<Arc<Self>, String> {
        let (program, arguments) = words.split_first().ok_or("the command has no words: write one")?;
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        // Ctrl-C at the terminal is for `bench`, which then ends the server.
        #[cfg(unix)]
        command.process_group(0);
        let mut child = command.spawn().map_err(|error| format!("`{program}` cannot be started: {error}"))?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let stdout = stdout.ok_or("the server has no stdout")?;
        let pipe = Arc::new(Self {
            stdin: tokio::sync::Mutex::new(stdin),
            waiting: Mutex::default(),
            next: AtomicU64::new(1),
            child: tokio::sync::Mutex::new(child),
        });
        tokio::spawn(Self::read(Arc::downgrade(&pipe), stdout));
        Ok(pipe)
    }

    /// Sends a request and returns the line that answers it.
    pub(super) async fn exchange(&self, message: &Message) -> Result<Vec<u8>, Trouble> {
        let gone = || Trouble::Gone("the server has ended, or closed its stdout".to_owned());
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let (sender, answer) = oneshot::channel();
        {
            let mut waiting = self.waiting();
            if waiting.ended {
                return Err(gone());
            }
            waiting.answers.insert(id, sender);
        }
        self.write(message.text(id)).await?;
        answer.await.map_err(|_| gone())
    }

    /// Sends a message as it is.
    pub(super) async fn write(&self, mut line: String) -> Result<(), Trouble> {
        line.push('\n');
        let mut stdin = self.stdin.lock().await;
        let Some(stdin) = stdin.as_mut() else {
            return Err(Trouble::Gone("the server was ended".to_owned()));
        };
        let written = stdin.write_all(line.as_bytes()).await;
        written.map_err(|error| Trouble::Gone(format!("the server reads no more: {error}")))
    }

    /// Ends the server: by the end of its stdin, or, where it stays, by force.
    pub(super) async fn end(&self) {
        let closing = async {
            self.stdin.lock().await.take();
        };
        // Who writes at the moment may wait for a server that does not read.
        let _ = tokio::time::timeout(GRACE, closing).await;
        let mut child = self.child.lock().await;
        if tokio::time::timeout(GRACE, child.wait()).await.is_err() {
            let _ = child.kill().await;
        }
    }

    /// Reads what the server says; holds nothing of it, so that it is killed where all others let go.
    async fn read(pipe: Weak<Self>, stdout: ChildStdout) {
        #[derive(Deserialize)]
        struct Head<'a> {
            #[serde(borrow)]
            id: Option<&'a RawValue>,
            #[serde(borrow)]
            method: Option<&'a RawValue>,
        }

        let mut stdout = BufReader::with_capacity(64 << 10, stdout);
        loop {
            let mut line = Vec::new();
            let read = (&mut stdout).take(MOST).read_until(b'\n', &mut line).await;
            if !read.is_ok_and(|length| length > 0) || !line.ends_with(b"\n") {
                break;
            }
            let Some(pipe) = pipe.upgrade() else { return };
            let Ok(Head { id: Some(id), method }) = serde_json::from_slice(&line) else { continue };
            if method.is_some() {
                // A question of the server, which would wait for its answer.
                let id: Value = serde_json::from_str(id.get()).unwrap_or_default();
                let refusal = serde_json::json!({
                    "jsonrpc": "2.0", "id": id,
                    "error": { "code": -32601, "message": "a benchmark answers no questions" },
                });
                if pipe.write(refusal.to_string()).await.is_err() {
                    break;
                }
                continue;
            }
            let waits = id.get().parse().ok().and_then(|id| pipe.waiting().answers.remove(&id));
            if let Some(waits) = waits {
                let _ = waits.send(line);
            }
        }
        let Some(pipe) = pipe.upgrade() else { return };
        let mut waiting = pipe.waiting();
        waiting.ended = true;
        // Whoever waits hears that nothing comes.
        waiting.answers.clear();
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Splits a command as a shell does: at white space, but for quotes and what follows a `\`; nothing else is special.
pub(in crate::cli::bench) fn words(text: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        match (char, quote) {
            (_, Some(open)) if char == open => quote = None,
            // Within single quotes it is a letter like others.
            ('\\', None | Some('"')) => {
                let escaped = chars.next().ok_or("the command ends with a `\\`: write one character more")?;
                // Within double quotes only these are escaped (POSIX, "Shell Command Language", 2.2.3).
                if quote.is_some() && !matches!(escaped, '"' | '\\' | '$' | '`') {
                    word.get_or_insert_default().push('\\');
                }
                word.get_or_insert_default().push(escaped);
            }
            ('"' | '\'', None) => {
                quote = Some(char);
                word.get_or_insert_default();
            }
            (_, None) if char.is_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(char),
        }
    }
    if let Some(open) = quote {
        return Err(format!("a quote is not closed: write a second `{open}`"));
    }
    words.extend(word);
    if words.is_empty() { Err("the command has no words: write one".to_owned()) } else { Ok(words) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_split_as_a_shell_splits_it() {
        for (text, expected) in [
            ("server serve", &["server", "serve"][..]),
            ("  a\t'b c'd \"e f\"  ", &["a", "b cd", "e f"]),
            (r#"a '' "\"x\" \n" 'y\'"#, &["a", "", r#""x" \n"#, r"y\"]),
            (r#""a\\b" "\$x""#, &[r"a\b", "$x"]),
            (r"my\ server $HOME *", &["my server", "$HOME", "*"]),
        ] {
            assert_eq!(words(text).unwrap(), expected, "{text}");
        }
        for (text, expected) in
            [("a 'b", "write a second `'`"), ("  ", "no words"), ("a\\", "ends with a `\\`")]
        {
            assert!(words(text).unwrap_err().contains(expected), "{text}");
        }
    }
}
