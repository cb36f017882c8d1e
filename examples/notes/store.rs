//! The notes in their file. Every statement names the owner: a note of another is a note that is not there.

use std::path::{Path, PathBuf};
use std::time::Duration;

use mcp_server::prelude::*;
use mcp_server::serde_json;
use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions};

/// A table of notes, and an index over their words that triggers keep up to date.
const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS notes (
        id INTEGER PRIMARY KEY AUTOINCREMENT, -- an id is never used again: a client may still know it
        owner TEXT NOT NULL,
        title TEXT NOT NULL,
        body TEXT NOT NULL
    );
    CREATE INDEX IF NOT EXISTS notes_of ON notes (owner);
    CREATE VIRTUAL TABLE IF NOT EXISTS words USING fts5 (title, body, content = notes, content_rowid = id);
    CREATE TRIGGER IF NOT EXISTS added AFTER INSERT ON notes BEGIN
        INSERT INTO words (rowid, title, body) VALUES (new.id, new.title, new.body);
    END;
    CREATE TRIGGER IF NOT EXISTS deleted AFTER DELETE ON notes BEGIN
        INSERT INTO words (words, rowid, title, body) VALUES ('delete', old.id, old.title, old.body);
    END;
    CREATE TRIGGER IF NOT EXISTS updated AFTER UPDATE ON notes BEGIN
        INSERT INTO words (words, rowid, title, body) VALUES ('delete', old.id, old.title, old.body);
        INSERT INTO words (rowid, title, body) VALUES (new.id, new.title, new.body);
    END;
";

/// The notes of everybody.
pub(crate) struct Notes(SqlitePool);

#[schema]
#[serde(deny_unknown_fields)]
struct Settings {
    /// The file of the notes; it is made where there is none.
    #[serde(default = "notes_db")]
    database: PathBuf,
}

fn notes_db() -> PathBuf {
    PathBuf::from("notes.db")
}

/// The notes in the file of `[app] database`; opened at the start, so that a bad file is found then.
#[provider(preload)]
pub(crate) async fn notes(config: &Config) -> Result<Notes, ToolError> {
    let Settings { database } = config.app()?;
    open(&database).await.map_err(|error| {
        ToolError::new(format!(
            "the notes cannot be kept in `{}` ({error}): set `database` in the `[app]` table of mcp.toml to a file of \
             SQLite, or a new one, in a folder that can be written",
            database.display()
        ))
    })
}

async fn open(database: &Path) -> Result<Notes, sqlx::Error> {
    let options = SqliteConnectOptions::new()
        .filename(database)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal) // readers do not wait for a writer
        .busy_timeout(Duration::from_secs(5));
    let pool = SqlitePoolOptions::new().max_connections(4).connect_with(options).await?;
    sqlx::raw_sql(TABLES).execute(&pool).await?;
    Ok(Notes(pool))
}

/// A note.
#[schema]
pub(crate) struct Note {
    pub(crate) id: i64,
    pub(crate) title: String,
    pub(crate) body: String,
}

/// A note that a search found.
#[schema]
pub(crate) struct Hit {
    pub(crate) id: i64,
    /// Where the note can be read.
    uri: String,
    title: String,
    /// What stands around the words that were found.
    excerpt: String,
}

impl Notes {
    pub(crate) async fn add(&self, who: &Identity, title: &str, body: &str) -> Result<i64, ToolError> {
        let add = sqlx::query("INSERT INTO notes (owner, title, body) VALUES (?, ?, ?)");
        Ok(add.bind(owner(who)?).bind(title).bind(body).execute(&self.0).await?.last_insert_rowid())
    }

    pub(crate) async fn get(&self, who: &Identity, id: i64) -> Result<Note, ToolError> {
        let get = sqlx::query_as("SELECT title, body FROM notes WHERE id = ? AND owner = ?");
        let found: Option<(String, String)> = get.bind(id).bind(owner(who)?).fetch_optional(&self.0).await?;
        found.map(|(title, body)| Note { id, title, body }).ok_or_else(|| no_note(id))
    }

    /// Changes what is given, and leaves the rest.
    pub(crate) async fn update(
        &self,
        who: &Identity,
        id: i64,
        title: Option<&str>,
        body: Option<&str>,
    ) -> Result<(), ToolError> {
        let update = "UPDATE notes SET title = coalesce(?, title), body = coalesce(?, body) WHERE id = ? AND owner = ?";
        let update = sqlx::query(update).bind(title).bind(body).bind(id).bind(owner(who)?);
        let changed = update.execute(&self.0).await?.rows_affected();
        if changed == 0 { Err(no_note(id)) } else { Ok(()) }
    }

    pub(crate) async fn delete(&self, who: &Identity, id: i64) -> Result<(), ToolError> {
        let delete = sqlx::query("DELETE FROM notes WHERE id = ? AND owner = ?");
        let deleted = delete.bind(id).bind(owner(who)?).execute(&self.0).await?.rows_affected();
        if deleted == 0 { Err(no_note(id)) } else { Ok(()) }
    }

    /// Finds the notes that hold all words, the best first.
    pub(crate) async fn search(
        &self,
        who: &Identity,
        query: &str,
        limit: u32,
    ) -> Result<Vec<Hit>, ToolError> {
        let search = sqlx::query_as(
            "SELECT notes.id, notes.title, snippet(words, 1, '**', '**', '..', 16)
             FROM words JOIN notes ON notes.id = words.rowid
             WHERE words MATCH ? AND notes.owner = ? ORDER BY words.rank LIMIT ?",
        );
        let found: Vec<(i64, String, String)> =
            search.bind(words(query)?).bind(owner(who)?).bind(limit).fetch_all(&self.0).await?;
        let hit = |(id, title, excerpt)| Hit { id, uri: format!("note://{id}"), title, excerpt };
        Ok(found.into_iter().map(hit).collect())
    }

    /// Returns the notes that were added last.
    pub(crate) async fn latest(&self, who: &Identity, limit: u32) -> Result<Vec<Note>, ToolError> {
        let latest =
            sqlx::query_as("SELECT id, title, body FROM notes WHERE owner = ? ORDER BY id DESC LIMIT ?");
        let found: Vec<(i64, String, String)> =
            latest.bind(owner(who)?).bind(limit).fetch_all(&self.0).await?;
        Ok(found.into_iter().map(|(id, title, body)| Note { id, title, body }).collect())
    }
}

/// Names a caller in the table: as JSON, in which no two callers are the same text.
fn owner(who: &Identity) -> Result<String, ToolError> {
    Ok(serde_json::to_string(&(who.issuer(), who.tenant(), who.subject()))?)
}

/// Makes a query of what a model wrote: its words, none of which is an operator of FTS5.
fn words(query: &str) -> Result<String, ToolError> {
    let words = query.split(|letter: char| letter.is_whitespace() || letter.is_control());
    let words =
        words.filter(|word| !word.is_empty()).map(|word| format!("\"{}\"*", word.replace('"', "\"\"")));
    let words: Vec<_> = words.collect();
    if words.is_empty() {
        return Err(ToolError::invalid("`query` is empty: write a word that stands in the note"));
    }
    Ok(words.join(" "))
}

fn no_note(id: i64) -> ToolError {
    ToolError::not_found(format!("no note {id}: `search_notes` finds the ids of yours"))
}
