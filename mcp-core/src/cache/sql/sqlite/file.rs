//! The file: made whole or not at all, noticed when it is gone, moved aside when it is broken.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};

use super::schema;
use crate::cache::level::LevelError;
use crate::cache::sql::gate::explain;
use crate::cache::sql::standing::Standing;

/// Which file it is, whatever its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identity(u64, u64);

/// Returns which file is at a path.
pub(super) fn identity(path: &Path) -> Option<Identity> {
    fs::symlink_metadata(path).ok().map(|data| of(&data))
}

#[cfg(unix)]
fn of(data: &Metadata) -> Identity {
    use std::os::unix::fs::MetadataExt;
    Identity(data.dev(), data.ino())
}

#[cfg(not(unix))]
fn of(data: &Metadata) -> Identity {
    let made = data.created().ok().and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
    Identity(0, made.map_or(0, |since| since.as_nanos() as u64))
}

/// Sees to it that there is a file of this version, and returns which one it is.
pub(super) async fn prepare(path: &Path) -> Result<Identity, LevelError> {
    let _lock = lock(path).await?;
    if !(is_ours(path).await? && is_of_this_version(path).await?) {
        remove(path).map_err(refused)?;
        make(path).await?;
    }
    identity(path).ok_or_else(|| LevelError::new("the file of the database is gone again"))
}

/// Says what [`prepare`] would do, without it: nothing is changed, and nothing made beside the file.
pub(super) async fn standing(path: &Path) -> Result<Standing, LevelError> {
    let file = identity(path);
    if !is_ours(path).await? {
        return Ok(if file.is_some() { Standing::Anew("the file is empty") } else { Standing::Missing });
    }
    // A log that is not empty belongs to the file, which is not whole without it.
    let is_logged = fs::metadata(beside(path, "-wal")).is_ok_and(|log| log.len() > 0);
    let options = schema::connect(path, u64::MAX).read_only(true).immutable(!is_logged);
    let looked = async {
        let mut connection = options.connect().await?;
        let version: i32 = sqlx::query_scalar("PRAGMA user_version").fetch_one(&mut connection).await?;
        if version == schema::VERSION {
            sqlx::raw_sql(schema::LOOK).execute(&mut connection).await?;
        }
        connection.close().await?;
        Ok(version)
    };
    match looked.await {
        Ok(schema::VERSION) => Ok(Standing::Ready),
        Ok(_) => Ok(Standing::Anew("the file is of another version")),
        Err(error) => is_corrupt(&error).map(|_| Standing::Anew("the file is broken")).ok_or(explain(&error)),
    }
}

/// Moves a corrupt file aside, unless another process has done so already.
pub(super) async fn retire(path: &Path, which: Identity, why: &str) -> Result<(), LevelError> {
    let _lock = lock(path).await?;
    if identity(path) == Some(which) {
        move_aside(path, why).map_err(refused)?;
    }
    Ok(())
}

/// Returns whether there is a file of the cache; what is of something else is an error.
async fn is_ours(path: &Path) -> Result<bool, LevelError> {
    let data = match fs::symlink_metadata(path) {
        Ok(data) => data,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(refused(error)),
    };
    if !data.is_file() {
        return Err(LevelError::new(
            "the path of the database is no plain file: links are not followed; write the path of the file itself",
        ));
    }
    if data.len() == 0 {
        return Ok(false);
    }
    let ours = match application_id(path).await {
        Ok(id) => id == schema::APPLICATION,
        // A file that others write, or that a kill left in the middle, is whole only with its log,
        // which was not looked at: whether it is broken shows where it is opened to be used.
        Err(error) if is_corrupt(&error).is_some() => header_is_ours(path, of(&data)).map_err(refused)?,
        Err(error) => return Err(explain(&error)),
    };
    if ours {
        return Ok(true);
    }
    Err(LevelError::new(
        "the file is not a cache but something else, and is left as it is: remove it or write another path",
    ))
}

async fn application_id(path: &Path) -> Result<u32, sqlx::Error> {
    // As if it never changed: nothing is written beside a file that may be somebody else's.
    let options = SqliteConnectOptions::new().filename(path).read_only(true).immutable(true);
    let mut connection = options.disable_statement_logging().connect().await?;
    let id: i32 = sqlx::query_scalar("PRAGMA application_id").fetch_one(&mut connection).await?;
    connection.close().await?;
    Ok(id.cast_unsigned())
}

/// Returns whether a file that SQLite does not understand has our number at its place, byte 68.
fn header_is_ours(path: &Path, which: Identity) -> io::Result<bool> {
    // A file that is closed loses all locks of this process on it, those of SQLite too
    // (https://sqlite.org/howtocorrupt.html, 2.2). What is opened here therefore stays open.
    static OPENED: Mutex<Vec<(Identity, File)>> = Mutex::new(Vec::new());
    let mut opened = OPENED.lock().unwrap_or_else(PoisonError::into_inner);
    if !opened.iter().any(|(one, _)| *one == which) {
        opened.push((which, File::open(path)?));
    }
    let Some((_, file)) = opened.iter_mut().find(|(one, _)| *one == which) else { return Ok(false) };
    let mut number = [0; 4];
    file.seek(SeekFrom::Start(68))?;
    Ok(file.read_exact(&mut number).is_ok() && number == schema::APPLICATION.to_be_bytes())
}

async fn is_of_this_version(path: &Path) -> Result<bool, LevelError> {
    let options = schema::connect(path, u64::MAX);
    let version = async {
        let mut connection = options.connect().await?;
        sqlx::query_scalar::<_, i32>("PRAGMA user_version").fetch_one(&mut connection).await
    };
    match version.await {
        Ok(version) => Ok(version == schema::VERSION),
        Err(error) if is_corrupt(&error).is_some() => {
            move_aside(path, "it is corrupt").map_err(refused)?;
            Ok(false)
        }
        Err(error) => Err(explain(&error)),
    }
}

/// Returns what is wrong with the file, if the error says that it cannot be trusted any more.
pub(super) fn is_corrupt(error: &sqlx::Error) -> Option<&'static str> {
    match error {
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => Some("a column holds another type"),
        sqlx::Error::Database(error) => match code(error.as_ref()) {
            Some((11, _)) => Some("it is corrupt"),
            Some((26, _)) => Some("it is no database any more"),
            // A page that ends before it should.
            Some((_, 522)) => Some("it was cut"),
            // Tables or columns that are not there, though the header says that they are.
            Some((1, _)) if error.message().starts_with("no such") => Some("its tables are gone"),
            _ => None,
        },
        _ => None,
    }
}

/// Returns the primary and the extended code of an error of SQLite.
pub(super) fn code(error: &dyn sqlx::error::DatabaseError) -> Option<(i32, i32)> {
    let code: i32 = error.code()?.parse().ok()?;
    Some((code & 0xff, code))
}

/// Fills a file under another name first: nobody ever opens half a database.
async fn make(path: &Path) -> Result<(), LevelError> {
    let new = beside(path, ".new");
    remove(&new).map_err(refused)?;
    private().create_new(true).open(&new).map_err(refused)?;
    let made = schema::create(&new).await.map_err(|error| explain(&error));
    let made = made.and_then(|()| fs::rename(&new, path).map_err(refused));
    if made.is_err() {
        _ = remove(&new);
    }
    made
}

fn move_aside(path: &Path, why: &str) -> io::Result<()> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let kept = beside(path, &format!(".corrupt-{}", now.as_millis()));
    if was_moved_aside(path) {
        // One is enough to look into; a disk that fails must not fill up with them.
        return remove(path);
    }
    for part in PARTS {
        match fs::rename(beside(path, part), beside(&kept, part)) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    tracing::warn!(file = %path.display(), kept = %kept.display(), why, "the file of the cache is made anew");
    Ok(())
}

fn was_moved_aside(path: &Path) -> bool {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name().and_then(|name| name.to_str())) else {
        return false;
    };
    let prefix = format!("{name}.corrupt-");
    let names = fs::read_dir(folder).into_iter().flatten().flatten();
    names.into_iter().any(|entry| entry.file_name().to_string_lossy().starts_with(&prefix))
}

/// The file and what SQLite keeps beside it. A log that stays behind would be replayed into a new file.
const PARTS: [&str; 3] = ["", "-wal", "-shm"];

fn remove(path: &Path) -> io::Result<()> {
    for part in PARTS {
        match fs::remove_file(beside(path, part)) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Keeps other processes from making or moving the file at the same time; gone with the process.
async fn lock(path: &Path) -> Result<File, LevelError> {
    const PATIENCE: Duration = Duration::from_millis(500);
    const STEP: Duration = Duration::from_millis(5);
    let lock = beside(path, ".lock");
    if fs::symlink_metadata(&lock).is_ok_and(|data| !data.is_file()) {
        return Err(LevelError::new("the lock beside the database is no plain file: remove it"));
    }
    let file = private().create(true).truncate(false).open(lock).map_err(refused)?;
    let began = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(fs::TryLockError::WouldBlock) if began.elapsed() < PATIENCE => tokio::time::sleep(STEP).await,
            Err(fs::TryLockError::WouldBlock) => {
                return Err(LevelError::new("another process is making the file of the database"));
            }
            Err(fs::TryLockError::Error(error)) => return Err(refused(error)),
        }
    }
}

/// Whoever may read the file could read every result in it.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn refused(error: io::Error) -> LevelError {
    LevelError::new(format_args!("the file of the database cannot be used: {error}"))
}
