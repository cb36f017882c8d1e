//! A server of three functions: a tool, a resource, a prompt.

use std::{fs, io, path::Path};

use mcp_server::prelude::*;

#[schema]
#[derive(Default)]
struct Counts {
    files: u64,
    lines: u64,
    words: u64,
}

/// Counts the lines and words of all text files in a folder and the folders in it.
#[tool(read_only, blocking, cache = "60s")]
fn count(folder: String) -> Result<Json<Counts>, ToolError> {
    let mut counts = Counts::default();
    add(Path::new(&folder), &mut counts)
        .map_err(|error| ToolError::new(format!("`{folder}` cannot be read: {error}")))?;
    Ok(Json(counts))
}

fn add(folder: &Path, counts: &mut Counts) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let (kind, path) = entry.and_then(|entry| Ok((entry.file_type()?, entry.path())))?;
        if kind.is_dir() {
            add(&path, counts)?;
        } else if let (true, Ok(text)) = (kind.is_file(), fs::read_to_string(&path)) {
            counts.files += 1;
            counts.lines += text.lines().count() as u64;
            counts.words += text.split_whitespace().count() as u64;
        }
    }
    Ok(())
}

/// What this server is.
#[resource(uri = "hello://readme", mime = "text/markdown")]
fn readme() -> &'static str {
    include_str!("README.md")
}

/// Asks for a description of a folder.
#[prompt]
fn describe(folder: String) -> String {
    format!("Call `count` for `{folder}` and for the folders in it. Which one holds most of the text?")
}

mcp_server::main!();
