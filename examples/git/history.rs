//! The tools: what happened, in which commit, and where a line stands.

use mcp_server::prelude::*;

use crate::arguments::{RepoPath, Revision};
use crate::repository::{PLAIN, Repository};

#[schema]
struct Log {
    /// The commits, the latest first.
    commits: Vec<Commit>,
}

#[schema]
struct Commit {
    id: String,
    author: String,
    date: String,
    subject: String,
}

/// Lists the commits that lead to a revision, the latest first.
#[tool(read_only, cache(ttl = "24h", scope = "public", tags("{rev}"), when = |rev, _, _, _| rev.keeps()))]
async fn log(
    /// Where to begin: a branch, a tag, the id of a commit. `HEAD` if left out.
    #[serde(default)]
    rev: Revision,
    /// Only commits that change this file or folder.
    path: Option<RepoPath>,
    /// How many commits, at most 100.
    #[serde(default = "twenty")]
    limit: u32,
    /// How many commits to leave out before the first.
    #[serde(default)]
    skip: u32,
    repository: Dep<Repository>,
) -> Result<Json<Log>, ToolError> {
    let id = repository.commit(&rev).await?;
    let (limit, skip) = (format!("--max-count={}", limit.min(100)), format!("--skip={skip}"));
    let format = "--format=%H%x00%an%x00%aI%x00%s";
    let asked = ["log", "-z", format, &limit, &skip, "--end-of-options", &id];
    let text = repository.text(&within(&asked, path.as_ref())).await?;
    let fields: Vec<_> = text.split('\0').map(ToOwned::to_owned).collect();
    let commits = fields.chunks_exact(4).filter_map(|fields| {
        let [id, author, date, subject] = fields.to_vec().try_into().ok()?;
        Some(Commit { id, author, date, subject })
    });
    Ok(Json(Log { commits: commits.collect() }))
}

fn twenty() -> u32 {
    20
}

/// Shows a commit: who made it, its message, and what it changes.
#[tool(read_only, cache(ttl = "24h", scope = "public", tags("{rev}"), when = |rev, _| rev.keeps()))]
async fn show(
    /// A branch, a tag or the id of a commit. `HEAD` if left out.
    #[serde(default)]
    rev: Revision,
    /// Only what changes in this file or folder.
    path: Option<RepoPath>,
    repository: Dep<Repository>,
) -> Result<String, ToolError> {
    let id = repository.commit(&rev).await?;
    let asked =
        [&["show", "--stat", "--patch", "--format=fuller"], PLAIN, &["--end-of-options", &id]].concat();
    repository.text(&within(&asked, path.as_ref())).await
}

/// Shows what is different between two revisions.
#[tool(read_only, cache(
    ttl = "24h",
    scope = "public",
    tags("{from}", "{to}"),
    when = |from, to, _| from.keeps() && to.keeps(),
))]
async fn diff(
    /// The older revision.
    from: Revision,
    /// The newer revision. `HEAD` if left out; for what is not yet committed, call `changes`.
    #[serde(default)]
    to: Revision,
    /// Only this file or folder.
    path: Option<RepoPath>,
    repository: Dep<Repository>,
) -> Result<String, ToolError> {
    let (from, to) = (repository.commit(&from).await?, repository.commit(&to).await?);
    let asked = [&["diff", "--stat", "--patch"], PLAIN, &["--end-of-options", &from, &to]].concat();
    let text = repository.text(&within(&asked, path.as_ref())).await?;
    Ok(if text.is_empty() { "no difference".to_owned() } else { text })
}

/// Shows what the files in the working tree change that is not yet committed.
///
/// Never cached: nobody tells when a file is saved.
#[tool(read_only)]
async fn changes(
    /// Only this file or folder.
    path: Option<RepoPath>,
    repository: Dep<Repository>,
) -> Result<String, ToolError> {
    let id = repository.commit(&Revision::default()).await?;
    let asked = [&["diff", "--stat", "--patch"], PLAIN, &["--end-of-options", &id]].concat();
    let text = repository.text(&within(&asked, path.as_ref())).await?;
    Ok(if text.is_empty() { "nothing is changed".to_owned() } else { text })
}

/// Shows in which commit, by whom and when each line of a file was written.
#[tool(read_only, cache(ttl = "24h", scope = "public", tags("{rev}"), when = |_, rev, _, _| rev.keeps()))]
async fn blame(
    /// The file, from the root of the repository.
    path: RepoPath,
    /// The revision of the file. `HEAD` if left out.
    #[serde(default)]
    rev: Revision,
    /// The first line, counted from 1.
    #[serde(default = "one")]
    first: u32,
    /// How many lines, at most 1000.
    #[serde(default = "two_hundred")]
    count: u32,
    repository: Dep<Repository>,
) -> Result<String, ToolError> {
    let id = repository.commit(&rev).await?;
    let lines = format!("-L{},+{}", first.max(1), count.clamp(1, 1000));
    let asked = ["blame", "--no-textconv", "--date=short", &lines, &id];
    repository.text(&within(&asked, Some(&path))).await
}

fn one() -> u32 {
    1
}

fn two_hundred() -> u32 {
    200
}

/// Finds the lines that match a pattern, in all files of a revision.
#[tool(read_only, concurrency = 4, cache(
    ttl = "24h",
    scope = "public",
    tags("{rev}"),
    when = |_, rev, _, _, _| rev.keeps(),
))]
async fn grep(
    /// An extended regular expression (POSIX).
    pattern: String,
    /// The revision to search. `HEAD` if left out.
    #[serde(default)]
    rev: Revision,
    /// Only this file or folder.
    path: Option<RepoPath>,
    /// Take upper and lower case for the same.
    #[serde(default)]
    ignore_case: bool,
    /// How many lines, at most 1000.
    #[serde(default = "two_hundred")]
    limit: u32,
    repository: Dep<Repository>,
) -> Result<String, ToolError> {
    let id = repository.commit(&rev).await?;
    let case = if ignore_case { "--ignore-case" } else { "--no-ignore-case" };
    let plain = ["grep", "--line-number", "-I", "--no-textconv", "--no-recurse-submodules", case];
    let asked = [&plain[..], &["--extended-regexp", "-e", &pattern, "--end-of-options", &id]].concat();
    let ran = repository.run(&within(&asked, path.as_ref()), 1 << 20).await?;
    if ran.found_nothing() {
        return Ok(format!("no line matches `{pattern}`"));
    }
    let text = ran.text()?;
    let prefix = format!("{id}:");
    let mut lines = text.lines().map(|line| line.strip_prefix(&prefix).unwrap_or(line));
    let limit = limit.clamp(1, 1000) as usize;
    // A line of a generated file may be a file of its own.
    let found = lines.by_ref().take(limit).map(|line| line.chars().take(400).collect::<String>());
    let mut found: Vec<_> = found.collect();
    let more = lines.count();
    if more > 0 {
        found.push(format!("[and {more} more lines: write a narrower pattern, or a `path`]"));
    }
    Ok(found.join("\n"))
}

/// Adds the path after `--`, where nothing is read as an option or a revision.
fn within<'a>(asked: &[&'a str], path: Option<&'a RepoPath>) -> Vec<&'a str> {
    asked.iter().copied().chain(["--"]).chain(path.map(RepoPath::as_str)).collect()
}
