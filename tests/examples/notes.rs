//! The example `notes`, on files that each test makes.

use std::path::Path;

use harness::{Http, LEGACY, Wire};
use mcp_server::cache::CacheOutcome::{Computed, Memory};
use mcp_server::prelude::*;
use mcp_server::serde_json::{self, Value, json};

use crate::{call, configured, store, tools};

fn server(database: &Path) -> Server {
    let server = Server::builder()
        .provider(store::notes::def())
        .tool(tools::add_note::def())
        .tool(tools::search_notes::def())
        .tool(tools::update_note::def())
        .tool(tools::delete_note::def())
        .resource(tools::note::def())
        .prompt(tools::summarize::def());
    configured(server, json!({ "database": database }))
}

/// Makes a server of a new file; the folder goes with its handle.
fn fresh() -> (tempfile::TempDir, Server) {
    let folder = tempfile::tempdir().unwrap();
    let server = server(&folder.path().join("notes.db"));
    (folder, server)
}

fn titles(text: &str) -> Vec<String> {
    let found: Value = serde_json::from_str(text).unwrap();
    found["notes"].as_array().unwrap().iter().map(|note| note["title"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn what_one_caller_has_cached_never_reaches_another() {
    let (_folder, server) = fresh();
    let [alice, bob] = ["alice", "bob"].map(|name| Identity::new("test", name));
    let everybody = [alice.clone(), bob.clone(), Identity::anonymous()];
    for (who, title) in everybody.iter().zip(["of alice", "of bob", "of nobody"]) {
        let note = json!({ "title": title, "body": "the same secret words" });
        assert!(!server.call_tool_as(who.clone(), "add_note", note).await.unwrap().is_error());
    }
    for outcome in [Computed, Memory] {
        for (who, title) in everybody.iter().zip(["of alice", "of bob", "of nobody"]) {
            let found =
                server.call_tool_as(who.clone(), "search_notes", json!({ "query": "secret" })).await.unwrap();
            assert_eq!((found.cache, titles(&found.text())), (outcome, vec![title.to_owned()]));
        }
    }
    // A note of another cannot be changed either, and is not told from one that never was.
    for (tool, arguments) in
        [("update_note", json!({ "id": 1, "body": "mine" })), ("delete_note", json!({ "id": 1 }))]
    {
        let tried = server.call_tool_as(bob.clone(), tool, arguments).await.unwrap();
        assert_eq!(
            (tried.is_error(), tried.text()),
            (true, "no note 1: `search_notes` finds the ids of yours".to_owned())
        );
    }
    let kept = server.call_tool_as(alice, "search_notes", json!({ "query": "secret" })).await.unwrap();
    assert_eq!(titles(&kept.text()), ["of alice"]);
}

#[tokio::test]
async fn over_http_a_note_is_read_by_its_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = Config::default();
    config.app = json!({ "database": folder.path().join("notes.db") });
    config.auth_tokens = ["alice", "bob"].map(|name| (name.to_owned(), format!("token-of-{name}"))).to_vec();
    let server = server(Path::new("")).config(config);
    let http = Http::serve(server).await;
    let [alice, bob, eve] = ["alice", "bob", "eve"].map(|name| http.with_token(&format!("token-of-{name}")));

    let add = json!({ "name": "add_note", "arguments": { "title": "of alice", "body": "secret" } });
    let added = alice.request("tools/call", add).await;
    let uri = added.result()["structuredContent"]["uri"].clone();
    for _ in 0..2 {
        let hers = alice.request("resources/read", json!({ "uri": uri })).await;
        assert!(hers.result()["contents"][0]["text"].as_str().unwrap().contains("secret"), "{hers:?}");
        assert_eq!(hers.result()["cacheScope"], "private");
        let his = bob.request("resources/read", json!({ "uri": uri })).await;
        assert_eq!(his.answer()["error"]["message"], "no note 1: `search_notes` finds the ids of yours");
    }
    for (who, expected) in [(&alice, vec!["note://1"]), (&bob, vec![])] {
        let listed = who.request("resources/list", json!({})).await;
        let uris =
            listed.result()["resources"].as_array().unwrap().iter().map(|one| one["uri"].as_str().unwrap());
        assert_eq!(uris.filter(|uri| uri.starts_with("note:")).collect::<Vec<_>>(), expected);
    }
    assert_eq!(eve.request("resources/read", json!({ "uri": uri })).await.status, 401);
}

#[tokio::test]
async fn a_change_is_seen_at_once_and_told_to_subscribers() {
    let (_folder, server) = fresh();
    let search = json!({ "query": "tea" });
    call(&server, "add_note", json!({ "title": "Tea", "body": "green" })).await;
    assert_eq!(call(&server, "search_notes", search.clone()).await.0, Computed);
    assert_eq!(call(&server, "search_notes", search.clone()).await.0, Memory);
    assert!(server.read_resource("note://1").await.unwrap().text().contains("green"));
    assert_eq!(server.read_resource("note://1").await.unwrap().cache, Memory);
    let mut client = Wire::connect(&server, LEGACY).await;
    client.result("resources/subscribe", json!({ "uri": "note://1" })).await;

    let update = json!({ "id": 1, "body": "black tea" });
    client.result("tools/call", json!({ "name": "update_note", "arguments": update })).await;
    assert_eq!(client.notification("notifications/resources/updated").await["params"]["uri"], "note://1");
    let read = server.read_resource("note://1").await.unwrap();
    assert!(read.cache == Computed && read.text().contains("black tea"), "{}", read.text());
    let (outcome, text) = call(&server, "search_notes", search.clone()).await;
    assert!(outcome == Computed && text.contains("black **tea**"), "{text}");

    call(&server, "delete_note", json!({ "id": 1 })).await;
    assert_eq!(client.notification("notifications/resources/updated").await["params"]["uri"], "note://1");
    assert_eq!(titles(&call(&server, "search_notes", search).await.1), Vec::<String>::new());
    let read = server.read_resource("note://1").await;
    let read = read.map_or_else(|error| error.to_string(), |read| read.text());
    assert!(read.contains("no note 1"), "{read}");
}

#[tokio::test]
async fn a_note_that_was_read_by_another_spelling_of_its_uri_is_not_stale() {
    let (_folder, server) = fresh();
    call(&server, "add_note", json!({ "title": "Tea", "body": "green" })).await;
    server.read_resource("note://01").await.unwrap();
    call(&server, "update_note", json!({ "id": 1, "body": "black" })).await;
    assert!(server.read_resource("note://1").await.unwrap().text().contains("black"));
}

#[tokio::test]
async fn any_query_is_words() {
    let (_folder, server) = fresh();
    call(
        &server,
        "add_note",
        json!({ "title": "Quotes", "body": "say \"NEAR\" AND don't OR 100% tea* -x title:y" }),
    )
    .await;
    for query in
        ["NEAR", "say \"near\"", "AND OR", "tea*", "-x", "title:y", "don't", "100%", "q", "title : y"]
    {
        let found = server.call_tool("search_notes", json!({ "query": query })).await.unwrap();
        assert!(!found.is_error() && titles(&found.text()) == ["Quotes"], "{query}: {}", found.text());
    }
    for query in ["\"", "' OR 1=1 --", "NEAR(", "^", "{a}", "*", "a\u{0}b", "(", "ü\u{1f980}"] {
        let found = server.call_tool("search_notes", json!({ "query": query })).await.unwrap();
        assert!(!found.is_error(), "{query}: {}", found.text());
    }
    for (tool, arguments, expected) in [
        ("search_notes", json!({ "query": " \u{0}" }), "`query` is empty"),
        ("add_note", json!({ "title": " ", "body": "x" }), "`title` is empty"),
        (
            "add_note",
            json!({ "title": "x".repeat(201), "body": "x" }),
            "`title` has 201 bytes: write at most 200",
        ),
        ("add_note", json!({ "title": "x", "body": "x".repeat(65537) }), "`body` has 65537 bytes"),
        ("update_note", json!({ "id": 1 }), "nothing to change"),
        ("update_note", json!({ "id": 7, "title": "x" }), "no note 7"),
    ] {
        let called = server.call_tool(tool, arguments).await.unwrap();
        assert!(called.is_error() && called.text().contains(expected), "{}", called.text());
    }
}

#[tokio::test]
async fn notes_outlive_the_server() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("notes.db");
    call(&server(&file), "add_note", json!({ "title": "Tea", "body": "green" })).await;
    let server = server(&file);
    assert_eq!(titles(&call(&server, "search_notes", json!({ "query": "gre" })).await.1), ["Tea"]);
    let summary = server.get_prompt("summarize", vec![]).await.unwrap();
    assert!(summary.result.to_string().contains("# Tea\\n\\ngreen"), "{}", summary.result);
}

#[tokio::test]
async fn a_bad_file_is_named_with_what_to_write() {
    let folder = tempfile::tempdir().unwrap();
    let garbage = folder.path().join("garbage.db");
    std::fs::write(&garbage, "no database, but long enough to be taken for one. ".repeat(20)).unwrap();
    let below_a_file = garbage.join("notes.db");
    for (file, reason) in [
        (garbage.as_path(), "file is not a database"),
        (below_a_file.as_path(), "unable to open database file"),
        (folder.path(), "unable to open database file"),
    ] {
        let called = server(file).call_tool("search_notes", json!({ "query": "x" })).await.unwrap();
        let (error, text) = (called.is_error(), called.text());
        assert!(
            error && text.contains(reason) && text.contains("set `database` in the `[app]` table"),
            "{text}"
        );
    }
    assert!(std::fs::read_to_string(&garbage).unwrap().starts_with("no database"), "the file was changed");
    let misspelt = configured(server(&garbage), json!({ "databse": "x" }));
    let (_, text) = call(&misspelt, "search_notes", json!({ "query": "x" })).await;
    assert!(text.contains("unknown field `databse`, expected `database`"), "{text}");
}
