//! The way from `stats`, `top` and `cache` to a server that runs: a Unix socket of its own.
//!
//! Only the same user reaches it (a folder with mode 0700). A server that ends leaves its figures in
//! a file beside it. Elsewhere than on Unix there is neither, and the commands say so.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mcp_core::cache::EntryInfo;
use mcp_core::profile::Report;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::error::Error;
use crate::started::Core;

/// The largest question and answer, in bytes.
const MAX_MESSAGE: u64 = 16 << 20;

/// What a server measured.
#[derive(Serialize, Deserialize)]
pub(super) struct Seen {
    pub(super) running: bool,
    pub(super) report: Report,
}

impl Seen {
    fn of(core: &Core, running: bool) -> Self {
        Self { running, report: core.report() }
    }
}

/// A server that runs.
pub(super) struct Running {
    pub(super) pid: u32,
    #[cfg_attr(not(unix), expect(dead_code, reason = "sockets are found on Unix only"))]
    socket: PathBuf,
}

/// Removes the socket when the server ends.
pub(super) struct Socket(
    #[cfg_attr(not(unix), expect(dead_code, reason = "sockets are made on Unix only"))] PathBuf,
    #[cfg_attr(not(unix), expect(dead_code, reason = "sockets are made on Unix only"))]
    tokio::task::AbortHandle,
);

impl Drop for Socket {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
        self.1.abort();
    }
}

/// Leaves the figures of a server that ends.
pub(super) fn write_last(core: &Core) {
    let seen = Seen::of(core, false);
    if seen.report.components.is_empty() {
        return;
    }
    let written = folder().and_then(|folder| {
        let text = serde_json::to_vec(&seen).map_err(std::io::Error::other)?;
        let name = stem(&core.name);
        // Renamed into place, so that a reader never sees half of it.
        let draft = folder.join(format!("{name}-{}.draft", seen.report.pid));
        let _ = std::fs::remove_file(&draft);
        std::fs::File::create_new(&draft)?.write_all(&text)?;
        std::fs::rename(draft, folder.join(format!("{name}.last.json")))
    });
    if let Err(error) = written {
        tracing::debug!(%error, "the figures were not left behind");
    }
}

/// Returns the figures of the last server of a name that ended.
pub(super) fn last(name: &str) -> Option<Seen> {
    let text = std::fs::read(folder().ok()?.join(format!("{}.last.json", stem(name)))).ok()?;
    serde_json::from_slice(&text).ok()
}

/// Returns the servers of a name that have a socket.
pub(super) fn running(name: &str, pid: Option<u32>) -> Vec<Running> {
    let prefix = format!("{}-", stem(name));
    let Ok(entries) = folder().and_then(std::fs::read_dir) else { return Vec::new() };
    let found = entries.flatten().filter_map(|entry| {
        let file = entry.file_name();
        let found = file.to_str()?.strip_prefix(&prefix)?.strip_suffix(".sock")?.parse().ok()?;
        (pid.is_none_or(|pid| pid == found)).then(|| Running { pid: found, socket: entry.path() })
    });
    let mut found: Vec<_> = found.collect();
    found.sort_by_key(|running| running.pid);
    found
}

/// Returns the folder of the sockets: of this user alone.
fn folder() -> std::io::Result<PathBuf> {
    let folder = match std::env::var_os("XDG_RUNTIME_DIR") {
        Some(folder) => PathBuf::from(folder).join("mcp-server"),
        None => {
            let user = std::env::var("USER").or_else(|_| std::env::var("USERNAME")).unwrap_or_default();
            std::env::temp_dir().join(format!("mcp-server-{}", stem(&user)))
        }
    };
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(&folder)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

        let metadata = std::fs::symlink_metadata(&folder)?;
        if !metadata.is_dir()
            || metadata.permissions().mode() & 0o077 != 0
            || metadata.uid() != own_uid(&folder)?
        {
            let reason = format!("{} is open to others, or theirs: remove it", folder.display());
            return Err(std::io::Error::other(reason));
        }
    }
    Ok(folder)
}

/// Returns whose files this process makes, by making one.
#[cfg(unix)]
fn own_uid(folder: &Path) -> std::io::Result<u32> {
    use std::os::unix::fs::MetadataExt as _;

    let probe = folder.join(format!(".{}-{:?}", std::process::id(), std::thread::current().id()));
    let uid =
        std::fs::File::create_new(&probe).and_then(|file| file.metadata()).map(|metadata| metadata.uid());
    let _ = std::fs::remove_file(&probe);
    uid
}

/// Returns a name that is safe in a path, and short: a socket's path has room for 100 bytes or so.
fn stem(name: &str) -> String {
    let safe = |char: char| if char.is_ascii_alphanumeric() || "-_.".contains(char) { char } else { '_' };
    name.chars().map(safe).take(40).collect()
}

/// Answers the commands of the command line, beside the protocol, while the server runs.
#[cfg(unix)]
pub(super) fn open(core: &Arc<Core>) -> Option<Socket> {
    let path =
        folder().map(|folder| folder.join(format!("{}-{}.sock", stem(&core.name), std::process::id())));
    let bound = path.and_then(|path| {
        let _ = std::fs::remove_file(&path);
        Ok((tokio::net::UnixListener::bind(&path)?, path))
    });
    let (listener, path) = match bound {
        Ok(bound) => bound,
        Err(error) => {
            tracing::debug!(%error, "`stats`, `top` and `cache` will not reach this server");
            return None;
        }
    };
    let core = Arc::clone(core);
    let answering = tokio::spawn(async move {
        loop {
            let Ok((stream, _)) = listener.accept().await else {
                // Out of descriptors, most of the time.
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                continue;
            };
            let core = Arc::clone(&core);
            tokio::spawn(async move {
                if let Err(error) = answer(&core, stream).await {
                    tracing::debug!(%error, "a question of the command line was not answered");
                }
            });
        }
    });
    Some(Socket(path, answering.abort_handle()))
}

#[cfg(not(unix))]
pub(super) fn open(_core: &Arc<Core>) -> Option<Socket> {
    None
}

#[cfg(unix)]
async fn answer(core: &Core, mut stream: tokio::net::UnixStream) -> std::io::Result<()> {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    let mut question = Vec::new();
    (&mut stream).take(MAX_MESSAGE).read_to_end(&mut question).await?;
    let answer = match serde_json::from_slice::<Value>(&question) {
        Ok(question) => answered(core, &question).await.unwrap_or_else(|error| json!({ "error": error })),
        Err(error) => json!({ "error": error.to_string() }),
    };
    stream.write_all(answer.to_string().as_bytes()).await
}

/// Answers a question of the command line, be it within its own process.
pub(super) async fn answered(core: &Core, question: &Value) -> Result<Value, String> {
    let text = |key: &str| question.get(key).and_then(Value::as_str);
    let cache = &core.dispatch.cache;
    match text("ask") {
        Some("stats") => serde_json::to_value(Seen::of(core, true)).map_err(|error| error.to_string()),
        Some("cache stats") => serde_json::to_value(cache.stats()).map_err(|error| error.to_string()),
        Some("cache clear") => {
            cache.clear().await;
            Ok(json!({ "cleared": true }))
        }
        Some("cache invalidate") => {
            let mut tags = mcp_core::component::Tags::default();
            if let Some(tag) = text("tag") {
                tags.tag(tag);
            }
            if let Some(uri) = text("uri") {
                tags.resource(uri);
            }
            let mut tags = tags.resolve(cache);
            if let Some(component) = text("component") {
                tags.push(core.tag(component, text("arguments"))?);
            }
            cache.invalidate_everywhere(&tags).await;
            Ok(json!({ "invalidated": true }))
        }
        Some("cache get") => {
            let lookup = core.lookup(text("component").unwrap_or_default(), text("arguments"))?;
            let below: Vec<_> = cache.entries_below(&lookup).await.into_iter().map(entry).collect();
            let mut kept = cache.entry(&lookup.key).map_or_else(|| json!({ "kept": false }), entry);
            kept["levels"] = below.into();
            Ok(kept)
        }
        other => Err(format!("unknown question {other:?}")),
    }
}

fn entry(entry: EntryInfo) -> Value {
    let millis = |duration: std::time::Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    json!({
        "level": entry.level,
        "kept": entry.valid,
        "negative": entry.negative,
        "fresh_for_ms": millis(entry.fresh_for),
        "stale_for_ms": millis(entry.stale_for),
        "bytes": entry.bytes,
        "tags": entry.tags,
    })
}

impl Running {
    /// Asks the server; `None` where it has ended, and its socket is gone, or there without it.
    #[cfg(unix)]
    pub(super) async fn ask(&self, question: &Value) -> Result<Option<Value>, Error> {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

        let asked = async {
            let mut stream = tokio::net::UnixStream::connect(&self.socket).await?;
            stream.write_all(question.to_string().as_bytes()).await?;
            stream.shutdown().await?;
            let mut answer = Vec::new();
            stream.take(MAX_MESSAGE).read_to_end(&mut answer).await?;
            Ok::<_, std::io::Error>(answer)
        };
        let limit = std::time::Duration::from_secs(5);
        match tokio::time::timeout(limit, asked).await {
            Ok(Ok(answer)) => {
                serde_json::from_slice(&answer).map(Some).map_err(|error| Error::Transport(error.to_string()))
            }
            Ok(Err(error)) if is_gone(error.kind()) => {
                let _ = std::fs::remove_file(&self.socket);
                Ok(None)
            }
            Ok(Err(error)) => Err(Error::Transport(format!("process {} does not answer: {error}", self.pid))),
            Err(_) => Err(Error::Transport(format!("process {} did not answer within {limit:?}", self.pid))),
        }
    }

    #[cfg(not(unix))]
    #[expect(clippy::unused_async, reason = "has the form of the version for Unix")]
    pub(super) async fn ask(&self, _question: &Value) -> Result<Option<Value>, Error> {
        Err(Error::Transport("`stats` and `cache` reach a running server on Unix only".to_owned()))
    }
}

#[cfg(unix)]
fn is_gone(kind: std::io::ErrorKind) -> bool {
    use std::io::ErrorKind::{ConnectionRefused, NotFound};

    matches!(kind, ConnectionRefused | NotFound)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_server_that_ended_since_it_was_found_is_gone() {
        let socket = std::env::temp_dir().join(format!("mcp-gone-{}.sock", std::process::id()));
        let server = Running { pid: 1, socket: socket.clone() };
        assert_eq!(server.ask(&json!({ "ask": "stats" })).await.unwrap(), None, "it took its socket with it");
        drop(tokio::net::UnixListener::bind(&socket).unwrap());
        assert_eq!(server.ask(&json!({ "ask": "stats" })).await.unwrap(), None, "it left its socket");
        assert!(!socket.exists());
    }
}
