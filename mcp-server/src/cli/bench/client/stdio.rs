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
use tokio::sync::{mpsc, oneshot};

use super::answer::Trouble;
use super::group::Group;
use super::message::Message;

/// How long a line of the server may be, in bytes.
const MOST: u64 = 64 << 20;

/// How long a server has to end by itself when its stdin does.
const GRACE: Duration = Duration::from_secs(2);

/// How often it is looked whether the server is there.
const LOOK: Duration = Duration::from_millis(200);

/// How many lines may wait for the server to read them: no more requests than connections are under way.
const QUEUE: usize = 1_024;

/// A server, and the requests that it has not answered.
pub(super) struct Pipe {
    /// To the one that writes; of a server whose end has come there is none.
    lines: Mutex<Option<mpsc::Sender<String>>>,
    waiting: Mutex<Waiting>,
    next: AtomicU64,
    child: tokio::sync::Mutex<Child>,
    /// The server and what it started, ended when this is let go.
    group: Mutex<Option<Group>>,
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
        let group = Group::of(&child);
        let stdin = child.stdin.take().ok_or("the server has no stdin")?;
        let stdout = child.stdout.take().ok_or("the server has no stdout")?;
        let (lines, to_write) = mpsc::channel(QUEUE);
        let pipe = Arc::new(Self {
            lines: Mutex::new(Some(lines)),
            waiting: Mutex::default(),
            next: AtomicU64::new(1),
            child: tokio::sync::Mutex::new(child),
            group: Mutex::new(group),
        });
        tokio::spawn(Self::write_all(Arc::downgrade(&pipe), stdin, to_write));
        tokio::spawn(Self::read(Arc::downgrade(&pipe), stdout));
        tokio::spawn(Self::watch(Arc::downgrade(&pipe)));
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

    /// Sends a message as it is: all of it or, where the wait for its turn is given up, nothing.
    pub(super) async fn write(&self, mut line: String) -> Result<(), Trouble> {
        line.push('\n');
        let lines = self.lines();
        let lines = lines.ok_or_else(|| Trouble::Gone("the server was ended".to_owned()))?;
        lines.send(line).await.map_err(|_| Trouble::Gone("the server reads no more".to_owned()))
    }

    /// Writes line after line, until none can come or the server reads no more.
    async fn write_all(pipe: Weak<Self>, mut stdin: ChildStdin, mut lines: mpsc::Receiver<String>) {
        while let Some(line) = lines.recv().await {
            if stdin.write_all(line.as_bytes()).await.is_err() {
                if let Some(pipe) = pipe.upgrade() {
                    pipe.ended();
                }
                return;
            }
        }
    }

    /// Ends the server: by the end of its stdin, or, where it stays, by force.
    pub(super) async fn end(&self) {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).take();
        let mut child = self.child.lock().await;
        let is_over = tokio::time::timeout(GRACE, child.wait()).await.is_ok();
        // What it started may have stayed.
        drop(self.group.lock().unwrap_or_else(PoisonError::into_inner).take());
        if !is_over {
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
                // Not waited for: a server that asks and does not read would never be heard again.
                if let Some(lines) = pipe.lines() {
                    let _ = lines.try_send(format!("{refusal}\n"));
                }
                continue;
            }
            let waits = id.get().parse().ok().and_then(|id| pipe.waiting().answers.remove(&id));
            if let Some(waits) = waits {
                let _ = waits.send(line);
            }
        }
        if let Some(pipe) = pipe.upgrade() {
            pipe.ended();
        }
    }

    /// Finds that the server has ended though its stdout has not, as what it started may hold that open.
    async fn watch(pipe: Weak<Self>) {
        loop {
            tokio::time::sleep(LOOK).await;
            let Some(pipe) = pipe.upgrade() else { return };
            let is_over = pipe.child.try_lock().is_ok_and(|mut child| !matches!(child.try_wait(), Ok(None)));
            if is_over {
                // What it said last is read meanwhile.
                tokio::time::sleep(LOOK).await;
                return pipe.ended();
            }
        }
    }

    fn ended(&self) {
        let mut waiting = self.waiting();
        waiting.ended = true;
        // Whoever waits hears that nothing comes.
        waiting.answers.clear();
    }

    fn lines(&self) -> Option<mpsc::Sender<String>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).clone()
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
