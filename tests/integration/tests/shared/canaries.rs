//! What a level stores tells nobody who asked for what: strings that nothing else contains are looked for in
//! everything that is there.

use std::path::PathBuf;
use std::time::Duration;

use harness::Http;
use mcp_server::prelude::*;
use mcp_server::serde_json::json;
use mcp_server::{Config, Server};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use super::{Place, REDIS, postgres, redis};

/// The arguments stand in tags and URIs as well.
const ARGUMENT: &str = "argument-canary-ba4c";
const INVALIDATED: &str = "invalidated-canary-1f3e";
const USER: &str = "user-canary-77d0";
const TOKEN: &str = "token-canary-5a91";
const PRIVATE: &str = "private-canary-e6c2";
const PUBLIC: &str = "public-canary-93b8";

/// Says what is for everybody.
#[tool(read_only, cache(ttl = "1h", scope = "public", tags("word:{word}")))]
fn public_word(word: String) -> &'static str {
    let _ = word;
    PUBLIC
}

/// Says what is for its caller.
#[tool(read_only, cache(ttl = "1h", scope = "private", tags("word:{word}")))]
fn private_word(word: String) -> &'static str {
    let _ = word;
    PRIVATE
}

/// What is for its caller, at a URI.
#[resource(uri = "words://{word}", cache(ttl = "1h", scope = "private", tags("word:{word}")))]
fn word(word: String) -> &'static str {
    let _ = word;
    PRIVATE
}

/// Changes a word.
#[tool(invalidates(tag("word:{word}"), resource("words://{word}")))]
fn change_word(word: String) {
    let _ = word;
}

/// Calls everything, so that values, marks and invalidations are stored.
async fn called(place: &Place, encrypt: bool) {
    let mut config = Config::default();
    match place.variable {
        REDIS => config.cache_redis_url = Some(place.url.clone()),
        _ => config.cache_database_url = Some(place.url.clone()),
    }
    config.cache_secret = Some("a secret of these tests".to_owned());
    config.cache_application = Some(place.application.clone());
    config.cache_encrypt = encrypt;
    config.auth_tokens = vec![(USER.to_owned(), TOKEN.to_owned())];
    let server = Server::builder().name("canaries").config(config);
    let server = server.tool(public_word::def()).tool(private_word::def()).tool(change_word::def());
    let server = server.resource(word::def());
    let cache = server.cache().unwrap();

    let user = Http::serve(server).await.with_token(TOKEN);
    let call = async |name: &str, word: &str| {
        let arguments = json!({ "name": name, "arguments": { "word": word } });
        assert_ne!(user.request("tools/call", arguments).await.result()["isError"], true);
    };
    for word in [INVALIDATED, ARGUMENT] {
        call("public_word", word).await;
        call("private_word", word).await;
        user.request("resources/read", json!({ "uri": format!("words://{word}") })).await.result();
    }
    call("change_word", INVALIDATED).await;
    assert!(cache.drain(Duration::from_secs(20)).await, "all is stored");
    let stored: u64 = cache.stats().levels.iter().map(|level| level.stored).sum();
    assert_eq!(stored, 6);
}

/// Looks for the canaries in what a level stored, which `dump` returns.
async fn tells_nothing(places: [Place; 2], dump: impl AsyncFn(&Place) -> Vec<u8>) {
    for (place, encrypt) in places.iter().zip([false, true]) {
        called(place, encrypt).await;
        let stored = dump(place).await;
        for canary in [ARGUMENT, INVALIDATED, USER, TOKEN] {
            assert!(!contains(&stored, canary), "{canary} is stored");
        }
        // What is stored as it is shows that the search would find the others.
        assert!(contains(&stored, PUBLIC));
        assert_eq!(contains(&stored, PRIVATE), !encrypt);
    }
}

/// Returns whether a text is anywhere in there, as it is or in the digits by which PostgreSQL shows bytes.
fn contains(stored: &[u8], text: &str) -> bool {
    let digits: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
    [text.as_bytes(), digits.as_bytes()]
        .iter()
        .any(|text| stored.windows(text.len()).any(|window| window == *text))
}

#[tokio::test]
async fn p38_a_redis_holds_no_argument_token_user_or_tag() {
    let dump = async |place: &Place| {
        let client = ::redis::Client::open(redis()).unwrap();
        let mut redis = client.get_multiplexed_async_connection().await.unwrap();
        let pattern = format!("mcp:{{{}}}*", place.application);
        let keys: Vec<Vec<u8>> = ::redis::cmd("KEYS").arg(pattern).query_async(&mut redis).await.unwrap();
        let mut all = Vec::new();
        for key in keys {
            let kind: String = ::redis::cmd("TYPE").arg(&key).query_async(&mut redis).await.unwrap();
            let read = match &*kind {
                "string" => ::redis::cmd("GET").arg(&key).take(),
                "hash" => ::redis::cmd("HGETALL").arg(&key).take(),
                "stream" => ::redis::cmd("XRANGE").arg(&key).arg("-").arg("+").take(),
                _ => panic!("a key of another kind: {kind}"),
            };
            // As it came, whatever its structure.
            let read: ::redis::Value = read.query_async(&mut redis).await.unwrap();
            all.extend(key);
            flatten(read, &mut all);
        }
        all
    };
    tells_nothing([Place::new("canaries"), Place::new("canaries-encrypted")], dump).await;
}

fn flatten(value: ::redis::Value, all: &mut Vec<u8>) {
    use ::redis::Value::{Array, BulkString, Map, SimpleString};
    match value {
        BulkString(bytes) => all.extend(bytes),
        SimpleString(text) => all.extend(text.into_bytes()),
        Array(values) => values.into_iter().for_each(|value| flatten(value, all)),
        Map(pairs) => pairs.into_iter().for_each(|(key, value)| {
            flatten(key, all);
            flatten(value, all);
        }),
        _ => {}
    }
}

#[tokio::test]
async fn p38_a_sqlite_file_and_its_journal_hold_no_argument_token_user_or_tag() {
    let place = |test: &str| {
        let mut place = Place::with_database(test, "");
        place.url = format!("sqlite://{}", place.folder.join("results.db").display());
        place
    };
    let dump = async |place: &Place| {
        let files: Vec<_> =
            std::fs::read_dir(&place.folder).unwrap().map(|file| file.unwrap().path()).collect();
        assert!(files.iter().any(|file| file.ends_with("results.db-wal")), "{files:?}");
        files
            .iter()
            .filter(|file| file.is_file())
            .flat_map(|file: &PathBuf| std::fs::read(file).unwrap())
            .collect()
    };
    tells_nothing([place("canaries-file"), place("canaries-file-encrypted")], dump).await;
}

#[tokio::test]
async fn p38_a_postgres_holds_no_argument_token_user_or_tag() {
    let dump = async |place: &Place| {
        let mut database = PgConnection::connect(&postgres()).await.unwrap();
        let tables = r"SELECT tablename::text FROM pg_tables WHERE tablename LIKE 'mcp\_cache\_%'";
        let tables: Vec<String> = sqlx::query_scalar(tables).fetch_all(&mut database).await.unwrap();
        assert!(!tables.is_empty());
        let mut all = Vec::new();
        for table in tables {
            let rows = format!("SELECT row::text FROM {table} AS row WHERE application = $1");
            let rows = sqlx::query_scalar(AssertSqlSafe(rows)).bind(&place.application);
            let rows: Vec<String> = rows.fetch_all(&mut database).await.unwrap();
            assert!(!rows.is_empty(), "nothing in {table}");
            all.extend(rows.concat().into_bytes());
        }
        all
    };
    let place = |test: &str| Place::with_database(test, &postgres());
    tells_nothing([place("canaries-postgres"), place("canaries-postgres-encrypted")], dump).await;
}
