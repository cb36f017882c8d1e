//! Files at any revision, and a prompt that has a change reviewed.

use mcp_server::prelude::*;

use crate::arguments::{RepoPath, Revision};
use crate::repository::{PLAIN, Repository};

/// The largest file that is sent.
const MAX_FILE: u64 = 2 << 20;

/// A file as it stands in a revision; of a folder, the names in it.
#[resource(
    uri = "git://{rev}/{+path}",
    cacheable(ttl = "24h", scope = "public", tags("{rev}"), max_bytes = "4MiB", when = |rev, _| rev.keeps()),
    complete(rev = revisions, path = paths),
)]
async fn file(rev: Revision, path: RepoPath, repository: Dep<Repository>) -> Result<Contents, ToolError> {
    let (id, path) = (repository.commit(&rev).await?, path.as_str().trim_end_matches('/'));
    let found = entries(&repository, &id, path).await?;
    let Some(Entry { kind, id: object, .. }) = found.into_iter().next() else {
        let rev = rev.as_str();
        return Err(ToolError::not_found(format!(
            "no file `{path}` in `{rev}`: `git://{rev}/.` lists what there is"
        )));
    };
    match kind.as_str() {
        "blob" => {}
        "tree" => return Ok(Contents::new(listing(&repository, &object, "").await?.join("\n"))),
        _ => {
            return Err(ToolError::not_found(format!(
                "`{path}` is a submodule: its files are in another repository"
            )));
        }
    }
    let ran = repository.run(&["cat-file", "blob", &object], MAX_FILE).await?;
    if ran.cut {
        return Err(ToolError::new(format!(
            "`{path}` has more than {MAX_FILE} bytes: `grep` and `blame` show parts of it"
        )));
    }
    let contents = match String::from_utf8(ran.bytes()?) {
        Ok(text) if !text.contains('\0') => Contents::new(text),
        Ok(text) => Contents::new(text.into_bytes()),
        Err(error) => Contents::new(error.into_bytes()),
    };
    Ok(match mime(path) {
        Some(mime) => contents.mime(mime),
        None => contents, // text or bytes, says the framework
    })
}

/// Guesses the media type of a file from its name.
fn mime(path: &str) -> Option<&'static str> {
    let (_, extension) = path.rsplit_once('.')?;
    Some(match extension.to_ascii_lowercase().as_str() {
        "css" => "text/css",
        "csv" => "text/csv",
        "gif" => "image/gif",
        "htm" | "html" => "text/html",
        "jpeg" | "jpg" => "image/jpeg",
        "js" | "mjs" => "text/javascript",
        "json" => "application/json",
        "md" => "text/markdown",
        "pdf" => "application/pdf",
        "png" => "image/png",
        "py" => "text/x-python",
        "rs" => "text/x-rust",
        "svg" => "image/svg+xml",
        "toml" => "application/toml",
        "wasm" => "application/wasm",
        "webp" => "image/webp",
        "xml" => "application/xml",
        "yaml" | "yml" => "application/yaml",
        "zip" => "application/zip",
        _ => return None,
    })
}

/// One line of `git ls-tree`.
struct Entry {
    /// `blob`, `tree` or `commit`.
    kind: String,
    id: String,
    path: String,
}

/// Returns the entry of a path, or those in a folder whose path ends with `/`.
async fn entries(repository: &Repository, id: &str, path: &str) -> Result<Vec<Entry>, ToolError> {
    if path == "." {
        return Ok(vec![Entry { kind: "tree".to_owned(), id: id.to_owned(), path: String::new() }]);
    }
    let arguments = ["ls-tree", "-z", "--full-tree", id, "--", path];
    let arguments = if path.is_empty() { &arguments[..4] } else { &arguments[..] };
    let text = repository.text(arguments).await?;
    let entry = |line: &str| {
        let (about, path) = line.split_once('\t')?;
        let [_, kind, id] = about.split(' ').collect::<Vec<_>>().try_into().ok()?;
        Some(Entry { kind: kind.to_owned(), id: id.to_owned(), path: path.to_owned() })
    };
    Ok(text.split('\0').filter_map(entry).collect())
}

/// Lists the paths in a folder; those of folders end with `/`.
async fn listing(repository: &Repository, id: &str, folder: &str) -> Result<Vec<String>, ToolError> {
    let found = entries(repository, id, folder).await?;
    let shown = |entry: Entry| if entry.kind == "tree" { entry.path + "/" } else { entry.path };
    Ok(found.into_iter().map(shown).collect())
}

/// Completes a revision: branches and tags.
async fn revisions(typed: String, repository: Dep<Repository>) -> Result<Vec<String>, ToolError> {
    let names = std::iter::once("HEAD".to_owned()).chain(repository.names().await?);
    Ok(names.filter(|name| name.starts_with(&typed)).collect())
}

/// Completes a path, in the revision that is already chosen, one folder at a time.
async fn paths(typing: Completing, repository: Dep<Repository>) -> Result<Vec<String>, ToolError> {
    let chosen = typing.chosen.into_iter().find(|(name, _)| name == "rev");
    let rev = chosen.map_or_else(|| Ok(Revision::default()), |(_, rev)| Revision::try_from(rev));
    let id = repository.commit(&rev.map_err(ToolError::invalid)?).await?;
    let folder = typing.value.rfind('/').map_or("", |slash| &typing.value[..=slash]);
    if !folder.is_empty() {
        RepoPath::try_from(folder.to_owned()).map_err(ToolError::invalid)?;
    }
    let paths = listing(&repository, &id, folder).await?;
    Ok(paths.into_iter().filter(|path| path.starts_with(&typing.value)).collect())
}

/// Asks for a review of what a commit changes.
#[prompt(
    cache(ttl = "24h", scope = "public", tags("{rev}"), when = |rev, _| rev.keeps()),
    complete(rev = revisions),
)]
async fn review(
    /// A branch, a tag or the id of a commit. `HEAD` if left out.
    #[serde(default)]
    rev: Revision,
    /// What to look at above all, such as `error handling`.
    focus: Option<String>,
    repository: Dep<Repository>,
) -> Result<Vec<Message>, ToolError> {
    let id = repository.commit(&rev).await?;
    let asked = [&["show", "--patch", "--format=medium"], PLAIN, &["--end-of-options", &id, "--"]].concat();
    let change = repository.text(&asked).await?;
    let focus = focus.map(|focus| format!(" Look at {focus} above all.")).unwrap_or_default();
    Ok(vec![
        Message::user(Content::text(format!(
            "Review the commit below: what is wrong, what is risky, what is missing?{focus} Name file and line. \
             `blame`, `log` and the resources at `git://{id}/..` show what stands around it."
        ))),
        Message::user(Content::text(change)),
    ])
}
