//! The repository: the one place where the `git` program runs, and where its names are watched.
//!
//! The program and not a library: `gix` would take longer to build than all of this server, and reads
//! nothing that `git` does not.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use mcp_server::prelude::*;
use mcp_server::{tokio::task::JoinSet, tracing};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::Command;

use crate::arguments::{MOVES, Revision};

/// The longest text that a model is sent; about 60,000 tokens.
const MAX_TEXT: u64 = 256 << 10;

/// The longest that one `git` may run.
const TIMEOUT: Duration = Duration::from_secs(20);

/// How often the names of the repository are looked at.
const WATCH: Duration = Duration::from_millis(500);

/// What the repository may not make git run, write or print, whatever its configuration says.
const SETTINGS: &[&str] = &[
    "core.fsmonitor=false",
    "core.quotePath=false",
    "core.hooksPath=/dev/null",
    "diff.autoRefreshIndex=false",
    "diff.external=",
    "log.showSignature=false",
    "log.mailmap=false",
    "submodule.recurse=false",
    "color.ui=false",
];

/// Options of everything that shows a difference: no program of the configuration prepares the files.
pub(crate) const PLAIN: &[&str] = &["--no-ext-diff", "--no-textconv", "--ignore-submodules=dirty"];

/// A repository.
pub(crate) struct Repository {
    root: PathBuf,
    /// Ends with the value.
    _watch: JoinSet<()>,
}

#[schema]
#[serde(deny_unknown_fields)]
struct Settings {
    /// A folder of the repository.
    #[serde(default = "here")]
    repository: PathBuf,
}

fn here() -> PathBuf {
    PathBuf::from(".")
}

/// The repository of `[app] repository`, or the one that the server is started in.
///
/// Opened at the start: a server for no repository should say so at once, and a client that subscribes
/// to a file is told of its changes also where nothing was called before.
#[provider(preload)]
async fn repository(config: &Config, cache: Dep<Cache>) -> Result<Repository, ToolError> {
    let Settings { repository } = config.app()?;
    let ask = async |what: &[&str]| {
        let arguments = [&["rev-parse", "--path-format=absolute"], what].concat();
        let found = run(&repository, &arguments, MAX_TEXT).await?.text()?;
        Ok::<_, ToolError>(found.lines().map(PathBuf::from).collect::<Vec<_>>())
    };
    let folders = ask(&["--git-dir", "--git-common-dir"]).await.map_err(|error| {
        let (folder, reason) = (repository.display(), error.message());
        ToolError::new(format!(
            "`{folder}` is no Git repository ({reason}): set `repository` in the `[app]` table of mcp.toml"
        ))
    })?;
    // A bare repository has no working tree: git runs in the repository itself.
    let root = ask(&["--show-toplevel"]).await.unwrap_or_else(|_| folders.clone());
    let root =
        root.into_iter().next().ok_or_else(|| ToolError::new("git does not say where the repository is"))?;

    let mut watching = JoinSet::new();
    // Looked at before anything is asked, so that no move falls in between.
    let seen = names(&folders);
    watching.spawn(watch(folders, seen, cache));
    Ok(Repository { root, _watch: watching })
}

impl Repository {
    /// Runs git and returns its text, cut where it is too long for a model.
    pub(crate) async fn text(&self, arguments: &[&str]) -> Result<String, ToolError> {
        run(&self.root, arguments, MAX_TEXT).await?.text()
    }

    /// Runs git and returns what it did, up to a number of bytes.
    pub(crate) async fn run(&self, arguments: &[&str], limit: u64) -> Result<Ran, ToolError> {
        run(&self.root, arguments, limit).await
    }

    /// Finds the commit that a revision means; git sees the revision here and nowhere else.
    pub(crate) async fn commit(&self, revision: &Revision) -> Result<String, ToolError> {
        let commit = format!("{}^{{commit}}", revision.as_str());
        let found = self.run(&["rev-parse", "--verify", "--end-of-options", &commit], MAX_TEXT).await?;
        let id = String::from_utf8_lossy(&found.stdout).trim().to_owned();
        if found.succeeded && id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Ok(id);
        }
        let names = self.names().await?;
        let known = match names.as_slice() {
            [] => "the repository has no commits yet".to_owned(),
            names => {
                let some: Vec<_> = names.iter().take(8).map(|name| format!("`{name}`")).collect();
                format!("write `HEAD`, the id of a commit, or a name such as {}", some.join(", "))
            }
        };
        Err(ToolError::not_found(format!("no revision `{}`: {known}", revision.as_str())))
    }

    /// Lists branches and tags, the one with the latest commit first.
    pub(crate) async fn names(&self) -> Result<Vec<String>, ToolError> {
        let format = "--format=%(refname:short)";
        let arguments =
            ["for-each-ref", format, "--sort=-creatordate", "refs/heads", "refs/tags", "refs/remotes"];
        Ok(self.text(&arguments).await?.lines().map(ToOwned::to_owned).collect())
    }
}

/// What a run of git left.
pub(crate) struct Ran {
    pub(crate) stdout: Vec<u8>,
    pub(crate) succeeded: bool,
    /// Whether there was more than was asked for.
    pub(crate) cut: bool,
    stderr: String,
}

impl Ran {
    /// Returns whether git ended with a failure and no word about it, as `grep` does without a match.
    pub(crate) fn found_nothing(&self) -> bool {
        !self.succeeded && !self.cut && self.stdout.is_empty() && self.stderr.is_empty()
    }

    /// Returns the bytes of a run that succeeded.
    pub(crate) fn bytes(self) -> Result<Vec<u8>, ToolError> {
        if self.succeeded || self.cut {
            return Ok(self.stdout);
        }
        let reason = self.stderr.lines().find(|line| !line.starts_with("warning:")).unwrap_or("it failed");
        Err(ToolError::new(format!("git: {}", reason.trim_start_matches("fatal: "))))
    }

    /// Returns the text of a run that succeeded.
    pub(crate) fn text(self) -> Result<String, ToolError> {
        let cut = self.cut;
        let mut text = String::from_utf8_lossy(&self.bytes()?).into_owned();
        if cut {
            text.truncate(text.rfind('\n').unwrap_or(0));
            text.push_str(
                "\n[cut: this is longer than a model can use; ask for less, for example for one `path`]\n",
            );
        }
        Ok(text)
    }
}

async fn run(folder: &Path, arguments: &[&str], limit: u64) -> Result<Ran, ToolError> {
    if arguments.iter().any(|argument| argument.contains('\0')) {
        return Err(ToolError::invalid("an argument holds a zero byte: leave it out"));
    }
    let mut command = Command::new("git");
    // A hook or an editor that started this server may have left its own repository in the environment.
    let inherited = std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("GIT_"));
    inherited.for_each(|(name, _)| _ = command.env_remove(name));
    command
        .env("GIT_OPTIONAL_LOCKS", "0") // reads, and waits for nobody who writes
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_NO_LAZY_FETCH", "1") // what is not here is not fetched for a model
        .env("GIT_NO_REPLACE_OBJECTS", "1") // an id means the object of that id
        .env("GIT_LITERAL_PATHSPECS", "1") // a path is a path, not `:(exclude)`
        .env("LC_ALL", "C")
        .arg("--no-pager")
        .args(SETTINGS.iter().flat_map(|setting| ["-c", setting]))
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let ran = tokio::time::timeout(TIMEOUT, finish(command, limit)).await;
    let ran = ran.map_err(|_| ToolError::new(format!("git took longer than {TIMEOUT:?}: ask for less")))?;
    ran.map_err(|error| match error.kind() {
        ErrorKind::NotFound => ToolError::new(format!(
            "the program `git` or the folder `{}` is missing: install Git, or set `repository` in mcp.toml",
            folder.display()
        )),
        _ => error.into(),
    })
}

async fn finish(mut command: Command, limit: u64) -> io::Result<Ran> {
    let mut child = command.spawn()?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let (mut stdout, stderr) = tokio::try_join!(read(stdout, limit + 1), read(stderr, 8 << 10))?;
    let cut = stdout.len() as u64 > limit;
    stdout.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let succeeded = child.wait().await?.success();
    Ok(Ran { stdout, succeeded, cut, stderr: String::from_utf8_lossy(&stderr).into_owned() })
}

/// Reads up to a limit, then closes the pipe: git ends when it writes on.
async fn read(pipe: Option<impl AsyncRead + Unpin>, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(pipe) = pipe {
        pipe.take(limit).read_to_end(&mut bytes).await?;
    }
    Ok(bytes)
}

/// Makes results invalid that hang on names, when a name moves.
async fn watch(folders: Vec<PathBuf>, mut seen: Names, cache: Dep<Cache>) {
    loop {
        tokio::time::sleep(WATCH).await;
        let folders = folders.clone();
        let Ok(now) = mcp_server::tokio::task::spawn_blocking(move || names(&folders)).await else {
            continue;
        };
        if now != seen {
            seen = now;
            tracing::debug!("a name of the repository has moved");
            cache.invalidate_tag(MOVES).await;
        }
    }
}

/// The files that say what names mean, with their content.
type Names = Vec<(PathBuf, Vec<u8>)>;

/// Reads the names from the folder of a worktree and the one that worktrees share.
///
/// Content, where a file is small: two commits within one tick of the file system's clock differ in it.
fn names(folders: &[PathBuf]) -> Names {
    let mut found = Names::new();
    for folder in folders {
        let special = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
        let special = special.filter(|path| path.to_string_lossy().ends_with("HEAD")); // FETCH_HEAD and its like
        let files = special.chain([folder.join("reftable/tables.list")]);
        found.extend(files.filter_map(|path| Some((path.clone(), std::fs::read(path).ok()?))));
        loose(&folder.join("refs"), &mut found);
        let packed = folder.join("packed-refs");
        if let Ok(about) = packed.metadata() {
            found.push((packed, format!("{:?} {}", about.modified().ok(), about.len()).into_bytes()));
        }
    }
    found.sort_unstable();
    found
}

fn loose(folder: &Path, found: &mut Names) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            loose(&path, found);
        } else if let Ok(content) = std::fs::read(&path) {
            found.push((path, content));
        }
    }
}
