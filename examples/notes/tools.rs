//! What can be done with notes.

use mcp_server::prelude::*;

use crate::store::{Hit, Note, Notes};

/// The longest title, in bytes.
const MAX_TITLE: usize = 200;

/// The longest body, in bytes.
const MAX_BODY: usize = 64 << 10;

#[schema]
pub(crate) struct Added {
    id: i64,
    /// Where the note can be read.
    uri: String,
}

#[schema]
pub(crate) struct Found {
    notes: Vec<Hit>,
}

/// Keeps a new note.
#[tool(destructive = false, invalidates(tag("notes")))]
pub(crate) async fn add_note(
    title: String,
    body: String,
    who: Identity,
    notes: Dep<Notes>,
) -> Result<Json<Added>, ToolError> {
    check(Some(&title), Some(&body))?;
    let id = notes.add(&who, &title, &body).await?;
    Ok(Json(Added { id, uri: format!("note://{id}") }))
}

/// Finds the notes in which all words of a query stand, or begin.
#[tool(read_only, cache(ttl = "10m", tags("notes")))]
pub(crate) async fn search_notes(
    query: String,
    /// How many notes, at most 50.
    #[serde(default = "ten")]
    limit: u32,
    who: Identity,
    notes: Dep<Notes>,
) -> Result<Json<Found>, ToolError> {
    Ok(Json(Found { notes: notes.search(&who, &query, limit.min(50)).await? }))
}

fn ten() -> u32 {
    10
}

/// Changes the title or the body of a note.
#[tool(destructive, idempotent, invalidates(tag("notes"), resource("note://{id}")))]
pub(crate) async fn update_note(
    id: i64,
    /// The new title; as it was if left out.
    title: Option<String>,
    /// The new body; as it was if left out.
    body: Option<String>,
    who: Identity,
    notes: Dep<Notes>,
) -> Result<(), ToolError> {
    if title.is_none() && body.is_none() {
        return Err(ToolError::invalid("nothing to change: write a `title`, a `body` or both"));
    }
    check(title.as_deref(), body.as_deref())?;
    notes.update(&who, id, title.as_deref(), body.as_deref()).await
}

/// Deletes a note for good.
#[tool(destructive, invalidates(tag("notes"), resource("note://{id}")))]
pub(crate) async fn delete_note(id: i64, who: Identity, notes: Dep<Notes>) -> Result<(), ToolError> {
    notes.delete(&who, id).await
}

/// A note.
#[resource(uri = "note://{id}", cacheable = "10m", list = latest)]
pub(crate) async fn note(id: i64, who: Identity, notes: Dep<Notes>) -> Result<Json<Note>, ToolError> {
    notes.get(&who, id).await.map(Json)
}

/// Asks for a summary of notes.
#[prompt]
pub(crate) async fn summarize(
    /// Words that stand in the notes; the latest notes if left out.
    query: Option<String>,
    who: Identity,
    notes: Dep<Notes>,
) -> Result<Vec<Message>, ToolError> {
    let found = match &query {
        Some(query) => {
            let mut found = Vec::new();
            for hit in notes.search(&who, query, 20).await? {
                found.push(notes.get(&who, hit.id).await?);
            }
            found
        }
        None => notes.latest(&who, 20).await?,
    };
    let task = match found.len() {
        0 => return Err(ToolError::not_found("no notes to summarize: `add_note` keeps one")),
        count => format!("Summarize these {count} notes: what do they agree on, what is open, what is next?"),
    };
    let bodies = found.into_iter().map(|Note { id, title, body }| {
        Message::user(
            Content::resource(format!("note://{id}"), format!("# {title}\n\n{body}")).mime("text/markdown"),
        )
    });
    Ok(std::iter::once(Message::user(task)).chain(bodies).collect())
}

fn check(title: Option<&str>, body: Option<&str>) -> Result<(), ToolError> {
    for (name, text, most) in [("title", title, MAX_TITLE), ("body", body, MAX_BODY)] {
        let Some(text) = text else { continue };
        if text.len() > most {
            return Err(ToolError::invalid(format!(
                "`{name}` has {} bytes: write at most {most}",
                text.len()
            )));
        }
        if name == "title" && text.trim().is_empty() {
            return Err(ToolError::invalid("`title` is empty: write a few words"));
        }
    }
    Ok(())
}

/// Lists the caller's latest notes, and nobody else's.
async fn latest(who: Identity, notes: Dep<Notes>) -> Result<Vec<Listed>, ToolError> {
    let latest = notes.latest(&who, 100).await?;
    Ok(latest.into_iter().map(|note| Listed::new(format!("note://{}", note.id), note.title)).collect())
}
