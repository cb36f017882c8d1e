//! A level in a SQLite file, and the file in trouble.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::{Duration, Instant};

use mcp_core::cache::level::{Event, Level, Origin, Voided, Write};
use mcp_core::cache::sql::{Database, DatabaseOptions};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, SqliteConnection};

use crate::support::*;

/// A folder that goes with the test.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let name = format!("mcp-levels-{}-{}", std::process::id(), COUNT.fetch_add(1, SeqCst));
        let path = std::env::temp_dir().join(name);
        _ = fs::remove_dir_all(&path);
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.0.join("cache.db")
    }

    pub(crate) fn level(&self) -> Database {
        self.level_with(DatabaseOptions::default())
    }

    pub(crate) fn level_with(&self, options: DatabaseOptions) -> Database {
        Database::open(&format!("sqlite://{}", self.file().display()), options).unwrap()
    }

    pub(crate) fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        _ = fs::remove_dir_all(&self.0);
    }
}

impl Stand for Folder {
    fn open(&self, application: &str) -> Arc<dyn Level> {
        Arc::new(self.level_with(DatabaseOptions { application: application.into(), ..Default::default() }))
    }
}

promises_of_a_level!(Folder::new());

/// A connection as a program outside has it.
pub(crate) async fn outside(path: &Path) -> SqliteConnection {
    SqliteConnectOptions::new().filename(path).busy_timeout(Duration::from_secs(5)).connect().await.unwrap()
}

async fn number(connection: &mut SqliteConnection, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(connection).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p34_a_file_that_another_process_locks_is_an_error_soon_and_works_after() {
    let folder = Folder::new();
    let level = folder.level();
    let marks = marks(&level, &[]).await;
    assert!(store(&level, 1, &[], &marks, b"before").await.unwrap());
    let mut other = outside(&folder.file()).await;
    sqlx::raw_sql("BEGIN EXCLUSIVE").execute(&mut other).await.unwrap();
    let began = Instant::now();
    assert!(store(&level, 2, &[], &marks, b"locked").await.is_err());
    let took = began.elapsed();
    assert!(took < Duration::from_secs(3), "it took {took:?}; the limit of SQLite's wait is 250 ms");
    assert!(level.invalidate(&Voided::All, Origin(1)).await.is_err());
    assert_eq!(content(&level, 1).await.unwrap(), b"before", "who only reads waits for nobody");
    sqlx::raw_sql("ROLLBACK").execute(&mut other).await.unwrap();
    until_it_works(&level).await;
    assert!(content(&level, 2).await.is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p34_a_file_that_is_locked_from_the_start_does_not_keep_a_server_from_starting() {
    let folder = Folder::new();
    until_it_works(&folder.level()).await;
    let mut other = outside(&folder.file()).await;
    let lock = "PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; CREATE TABLE x (y); COMMIT";
    until("nobody else has it open", async || sqlx::raw_sql(lock).execute(&mut other).await.is_ok()).await;
    let level = folder.level();
    let began = Instant::now();
    assert!(level.read(&key(1), &[]).await.is_err());
    let took = began.elapsed();
    assert!(took < Duration::from_secs(4), "it took {took:?}");
    other.close().await.unwrap();
    until_it_works(&level).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_that_does_not_exist_is_an_error_until_it_does() {
    let folder = Folder::new();
    let missing = folder.0.join("later");
    let url = format!("sqlite:{}", missing.join("cache.db").display());
    let level = Database::open(&url, DatabaseOptions::default()).unwrap();
    assert!(level.read(&key(1), &[]).await.is_err());
    assert!(level.invalidate(&Voided::All, Origin(1)).await.is_err());
    assert!(level.news().next().await.is_err());
    fs::create_dir(missing).unwrap();
    until_it_works(&level).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_of_something_else_is_refused_and_never_touched() {
    let folder = Folder::new();
    let check = async |what: &str| {
        let before = fs::read(folder.file()).unwrap();
        let error = folder.level().read(&key(1), &[]).await.unwrap_err().to_string();
        assert!(error.contains("something else"), "{what}: {error}");
        assert_eq!(fs::read(folder.file()).unwrap(), before, "{what}");
        assert!(!folder.names().iter().any(|name| name.contains("corrupt")), "{what}");
    };
    fs::write(folder.file(), "a letter to a friend").unwrap();
    check("a text").await;
    fs::remove_file(folder.file()).unwrap();
    let options = SqliteConnectOptions::new().filename(folder.file()).create_if_missing(true);
    let mut theirs = options.connect().await.unwrap();
    sqlx::raw_sql("PRAGMA application_id = 42; CREATE TABLE theirs (x)").execute(&mut theirs).await.unwrap();
    theirs.close().await.unwrap();
    check("a database").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_is_not_followed_and_the_file_is_for_its_owner_alone() {
    let folder = Folder::new();
    symlink(folder.0.join("elsewhere"), folder.file()).unwrap();
    assert!(folder.level().read(&key(1), &[]).await.unwrap_err().to_string().contains("links"));
    assert!(!folder.0.join("elsewhere").exists());
    fs::remove_file(folder.file()).unwrap();
    until_it_works(&folder.level()).await;
    for name in folder.names() {
        let mode = fs::metadata(folder.0.join(&name)).map(|data| data.permissions().mode() & 0o777);
        // What SQLite keeps beside it may be gone by now.
        assert!(mode.is_err() || mode.is_ok_and(|mode| mode == 0o600), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_of_another_version_is_made_anew() {
    let folder = Folder::new();
    let level = folder.level();
    let marks = marks(&level, &[]).await;
    assert!(store(&level, 1, &[], &marks, b"old").await.unwrap());
    drop(level);
    let mut other = outside(&folder.file()).await;
    sqlx::raw_sql("PRAGMA user_version = 99; DROP TABLE mcp_cache_marks").execute(&mut other).await.unwrap();
    other.close().await.unwrap();
    let level = folder.level();
    until_it_works(&level).await;
    assert!(content(&level, 1).await.is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p34_the_file_stays_under_its_size_and_the_newest_is_kept() {
    const CAP: u64 = 2 << 20;
    let folder = Folder::new();
    let level = folder.level_with(DatabaseOptions { max_bytes: CAP, ..Default::default() });
    let marks = marks(&level, &[]).await;
    for number in 0..200 {
        assert!(store(&level, number, &[], &marks, &[number as u8; 50_000]).await.unwrap());
        let size = fs::metadata(folder.file()).unwrap().len();
        assert!(size <= CAP, "{size} bytes after {number} values");
    }
    level.invalidate(&Voided::All, Origin(1)).await.unwrap();
    assert_eq!(content(&level, 199).await.unwrap(), [199; 50_000]);
    assert!(content(&level, 0).await.is_none());
    level.tend().await.unwrap();
    let mut other = outside(&folder.file()).await;
    let used = number(&mut other, "SELECT (SELECT page_count FROM pragma_page_count) * 4096").await;
    assert!(used as u64 <= CAP - CAP / 8, "{used} bytes after the housekeeping");
    assert!(content(&level, 199).await.is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p34_what_is_expired_goes_unless_another_process_is_about_it() {
    const ROWS: &str = "SELECT count(*) FROM mcp_cache_values";
    let folder = Folder::new();
    let level = folder.level();
    let marks = marks(&level, &[]).await;
    for number in 0..1_200 {
        let life = Duration::from_millis(1);
        let key = key(number);
        assert!(level.write(Write { key: &key, tags: &[], marks: &marks, value: b"x", life }).await.unwrap());
    }
    until("all are expired", async || level.holds().await.unwrap().entries == Some(0)).await;
    let mut other = outside(&folder.file()).await;
    let lease = "INSERT INTO mcp_cache_marks VALUES ('', CAST('lease' AS BLOB), (unixepoch() + 30) * 1000)";
    sqlx::raw_sql(lease).execute(&mut other).await.unwrap();
    level.tend().await.unwrap();
    assert_eq!(number(&mut other, ROWS).await, 1_200, "another process is about it");
    sqlx::raw_sql("UPDATE mcp_cache_marks SET mark = 1 WHERE application = ''")
        .execute(&mut other)
        .await
        .unwrap();
    level.tend().await.unwrap();
    assert_eq!(number(&mut other, ROWS).await, 0, "who was about it is dead");
    level.tend().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listener_goes_over_to_a_file_that_took_the_place_of_another() {
    let folder = Folder::new();
    let level = folder.level();
    let mut heard = listener(&level).await;
    fs::remove_file(folder.file()).unwrap();
    level.invalidate(&Voided::All, Origin(1)).await.unwrap();
    assert_eq!(news(&mut *heard).await, [Event::Gap]);
    level.invalidate(&Voided::All, Origin(2)).await.unwrap();
    assert_eq!(news(&mut *heard).await, [Event::Voided(Origin(2), Voided::All)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn optimizing_removes_what_is_expired_and_brings_back_an_index() {
    let folder = Folder::new();
    let level = folder.level();
    until_it_works(&level).await;
    let mut other = outside(&folder.file()).await;
    sqlx::raw_sql("DROP INDEX mcp_cache_values_expires").execute(&mut other).await.unwrap();
    let did = level.optimize().await.unwrap().join("\n");
    assert!(did.contains("created the missing index"), "{did}");
    let indexes = "SELECT count(*) FROM sqlite_schema WHERE name = 'mcp_cache_values_expires'";
    assert_eq!(number(&mut other, indexes).await, 1);
    assert!(!level.optimize().await.unwrap().join("\n").contains("created"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p34_two_processes_meet_again_after_the_file_was_deleted() {
    let folder = Folder::new();
    let (one, other) = (folder.level(), folder.level());
    let before = marks(&one, &[]).await;
    assert!(store(&one, 1, &[], &before, b"before").await.unwrap());
    assert_eq!(content(&other, 1).await.unwrap(), b"before");
    fs::remove_file(folder.file()).unwrap();
    one.invalidate(&Voided::All, Origin(1)).await.unwrap();
    assert!(content(&other, 1).await.is_none(), "a file that is gone has nothing to say");
    let after = marks(&other, &[]).await;
    assert_ne!(after, before);
    assert!(store(&other, 1, &[], &after, b"after").await.unwrap());
    assert_eq!(content(&one, 1).await.unwrap(), b"after");
    assert!(!store(&one, 1, &[], &before, b"late").await.unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_value_that_would_push_everything_else_out_is_not_kept() {
    let folder = Folder::new();
    let level = folder.level_with(DatabaseOptions { max_bytes: 1 << 20, ..Default::default() });
    let marks = marks(&level, &[]).await;
    assert!(store(&level, 1, &[], &marks, b"small").await.unwrap());
    store(&level, 2, &[], &marks, &vec![2; 900_000]).await.unwrap();
    assert!(content(&level, 2).await.is_none());
    assert_eq!(content(&level, 1).await.unwrap(), b"small");
}

/// Another level in the same process must not let go of the locks of the first one.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn locks_outlast_whoever_looks_at_the_file_in_the_same_process() {
    use std::os::unix::fs::MetadataExt;
    let folder = Folder::new();
    let first = folder.level();
    until_it_works(&first).await;
    let inode = format!(":{} ", fs::metadata(folder.file()).unwrap().ino());
    let locked = || fs::read_to_string("/proc/locks").unwrap().contains(&inode);
    assert!(locked(), "SQLite holds a lock as long as somebody is connected");
    until_it_works(&folder.level()).await;
    assert!(locked());
}

#[test]
fn an_address_that_makes_no_sense_is_refused_at_once_and_not_repeated() {
    for url in ["sqlite:", "sqlite::memory:", "mysql://root:secret@host/x", "secret"] {
        let error = Database::open(url, DatabaseOptions::default()).unwrap_err().to_string();
        assert!(!error.contains("secret"), "{error}");
    }
    let nameless = DatabaseOptions { application: String::new(), ..Default::default() };
    assert!(Database::open("sqlite:x", nameless).is_err());
}
