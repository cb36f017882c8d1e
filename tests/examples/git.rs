//! The example `git`, on repositories that each test makes.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use harness::{LEGACY, Wire};
use mcp_server::cache::CacheOutcome::{Bypass, Computed, Memory};
use mcp_server::prelude::*;
use mcp_server::serde_json::{self, json};

use crate::{call, server};

/// A repository with one commit, and the folder that goes with it.
struct Repo {
    folder: tempfile::TempDir,
    root: PathBuf,
}

impl Repo {
    fn new() -> Self {
        Self::init(&[])
    }

    fn init(options: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("repo");
        std::fs::create_dir(&root).unwrap();
        let repo = Self { folder, root };
        repo.git(&[&["init", "--quiet", "--initial-branch=main"], options].concat());
        repo.write("src/main.rs", b"fn main() {\n    println!(\"hello\");\n}\n");
        repo.write("logo.png", b"\x89PNG\x00\xff");
        repo.commit("first");
        repo
    }

    /// Runs git as somebody who works in the repository.
    fn git(&self, arguments: &[&str]) -> String {
        git(&self.root, arguments)
    }

    fn write(&self, path: &str, content: &[u8]) {
        let path = self.root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    fn commit(&self, message: &str) -> String {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", message]);
        self.git(&["rev-parse", "HEAD"])
    }

    fn server(&self) -> Server {
        server(json!({ "repository": self.root }))
    }
}

fn git(folder: &Path, arguments: &[&str]) -> String {
    let settings = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "commit.gpgsign=false"];
    let output = Command::new("git").args(settings).args(arguments).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Waits until a result is no longer served from the cache.
async fn until_fresh(server: &Server, tool: &str, arguments: serde_json::Value) -> String {
    let start = Instant::now();
    loop {
        let (outcome, text) = call(server, tool, arguments.clone()).await;
        if outcome == Computed {
            return text;
        }
        assert!(start.elapsed() < Duration::from_secs(10), "still cached: {text}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_commit_ends_what_hangs_on_names_and_leaves_what_hangs_on_ids() {
    let repo = Repo::new();
    let id = repo.git(&["rev-parse", "HEAD"]);
    let server = repo.server();
    let (by_name, by_id) = (json!({}), json!({ "rev": id }));
    for arguments in [&by_name, &by_id] {
        let (outcome, text) = call(&server, "log", arguments.clone()).await;
        assert!(outcome == Computed && text.contains(r#""subject":"first""#), "{text}");
        assert_eq!(call(&server, "log", arguments.clone()).await, (Memory, text));
    }

    repo.commit("second");
    let text = until_fresh(&server, "log", by_name).await;
    assert!(text.contains(r#""author":"Ada""#) && text.contains(r#""subject":"second""#), "{text}");
    assert_eq!(call(&server, "log", by_id).await.0, Memory);
}

#[tokio::test]
async fn names_are_watched_wherever_git_keeps_them() {
    let plain = Repo::new();
    plain.git(&["pack-refs", "--all"]);
    let linked = Repo::new();
    linked.git(&["worktree", "add", "--quiet", "-b", "side", "../side"]);
    let side = linked.folder.path().join("side");
    let bare = Repo::new();
    bare.git(&["clone", "--quiet", "--bare", ".", "../bare.git"]);
    let bare_root = bare.folder.path().join("bare.git");
    let table = Repo::init(&["--ref-format=reftable"]);

    // The folder of the server, and one where a commit moves a name that the server sees.
    for (served, moved, message) in [
        (&plain.root, &plain.root, "moved"),
        (&plain.root.join("src"), &plain.root, "moved again"),
        (&side, &side, "moved"),
        (&bare_root, &bare_root, "moved"),
        (&table.root, &table.root, "moved"),
    ] {
        let server = server(json!({ "repository": served }));
        let before = call(&server, "log", json!({ "rev": "HEAD" })).await.1;
        assert_eq!(call(&server, "log", json!({ "rev": "HEAD" })).await.0, Memory);
        let commit = git(moved, &["commit-tree", "-p", "HEAD", "-m", message, "HEAD^{tree}"]);
        git(moved, &["update-ref", "HEAD", &commit]);
        let after = until_fresh(&server, "log", json!({ "rev": "HEAD" })).await;
        let subject = format!(r#""subject":"{message}""#);
        assert!(after.contains(&subject) && !before.contains(&subject), "{}: {after}", served.display());
    }
}

#[tokio::test]
async fn what_asks_the_clock_or_the_working_tree_is_not_cached() {
    let repo = Repo::new();
    let server = repo.server();
    let reflog = json!({ "rev": "HEAD@{0}" });
    assert_eq!(call(&server, "log", reflog.clone()).await.0, Bypass);
    assert_eq!(call(&server, "log", reflog).await.0, Bypass);
    assert_eq!(call(&server, "changes", json!({})).await, (Bypass, "nothing is changed".to_owned()));
    repo.write("src/main.rs", b"fn main() {}\n");
    assert!(call(&server, "changes", json!({})).await.1.contains("+fn main() {}"));
}

#[tokio::test]
async fn every_tool_reads_the_history() {
    let repo = Repo::new();
    repo.write("src/main.rs", b"fn main() {\n    println!(\"goodbye\");\n}\n");
    repo.write("-x/--y", b"goodbye\n");
    let id = repo.commit("second");
    let server = repo.server();
    for (tool, arguments, expected) in [
        ("log", json!({ "limit": 1, "skip": 1 }), r#""subject":"first""#),
        ("log", json!({ "path": "logo.png" }), r#""subject":"first""#),
        ("log", json!({ "path": "-x/--y" }), r#""subject":"second""#),
        ("log", json!({ "path": ":(exclude)nothing" }), r#"{"commits":[]}"#),
        ("show", json!({ "rev": "main" }), "+    println!(\"goodbye\");"),
        ("show", json!({ "rev": id, "path": "-x" }), "+goodbye"),
        ("diff", json!({ "from": "HEAD~1", "path": "src" }), "-    println!(\"hello\");"),
        ("diff", json!({ "from": "HEAD", "to": "main" }), "no difference"),
        ("blame", json!({ "path": "src/main.rs", "first": 2, "count": 1 }), "2)     println!(\"goodbye\");"),
        ("blame", json!({ "path": "-x/--y" }), "1) goodbye"),
        (
            "grep",
            json!({ "pattern": "good(bye|night)", "path": "src" }),
            "src/main.rs:2:    println!(\"goodbye\");",
        ),
        ("grep", json!({ "pattern": "GOODBYE", "ignore_case": true, "limit": 1 }), "[and 1 more lines"),
        ("grep", json!({ "pattern": "hello", "rev": "HEAD~1" }), "println!(\"hello\")"),
        ("grep", json!({ "pattern": "-n" }), "no line matches `-n`"),
    ] {
        let (_, text) = call(&server, tool, arguments.clone()).await;
        assert!(text.contains(expected), "{tool} {arguments}: {text}");
    }
    let review =
        server.get_prompt("review", vec![("focus".to_owned(), "wording".to_owned())]).await.unwrap().text();
    assert!(review.contains("Look at wording above all") && review.contains("goodbye"), "{review}");
}

#[tokio::test]
async fn mistakes_say_what_to_write() {
    let repo = Repo::new();
    let server = repo.server();
    for (tool, arguments, expected) in [
        (
            "log",
            json!({ "rev": "mian" }),
            "no revision `mian`: write `HEAD`, the id of a commit, or a name such as `main`",
        ),
        ("show", json!({ "rev": "HEAD:src" }), "no revision `HEAD:src`"),
        ("diff", json!({ "from": "HEAD", "to": "HEAD..main" }), "no revision `HEAD..main`"),
        ("show", json!({ "rev": "0".repeat(40) }), "no revision"),
        ("log", json!({ "rev": "--output=x" }), "`--output=x` is no revision: write `HEAD`"),
        ("log", json!({ "rev": "HEAD --output=x" }), "no revision `HEAD --output=x`"),
        ("log", json!({ "rev": "$(touch x)" }), "no revision `$(touch x)`"),
        ("log", json!({ "rev": "HEAD\u{0}" }), "is no revision"),
        (
            "blame",
            json!({ "path": "../outside" }),
            "`../outside` is no path in the repository: write one from its root",
        ),
        ("blame", json!({ "path": "/etc/passwd" }), "is no path in the repository"),
        ("blame", json!({ "path": ":(top)src/main.rs" }), "git: no such path"),
        ("blame", json!({ "path": "src/main.rs", "first": 99 }), "git: file src/main.rs has only 3 lines"),
        ("grep", json!({ "pattern": "(" }), "git: -e option, '(': Unmatched ("),
        ("grep", json!({ "pattern": "a\u{0}b" }), "holds a zero byte"),
    ] {
        let called = server.call_tool(tool, arguments.clone()).await.unwrap();
        assert!(
            called.is_error() && called.text().contains(expected),
            "{tool} {arguments}: {}",
            called.text()
        );
    }
    let empty = tempfile::tempdir().unwrap();
    git(empty.path(), &["init", "--quiet"]);
    let server = crate::server(json!({ "repository": empty.path() }));
    assert_eq!(
        call(&server, "log", json!({})).await.1,
        "no revision `HEAD`: the repository has no commits yet"
    );
    let server = crate::server(json!({ "repository": repo.folder.path() }));
    let (_, text) = call(&server, "log", json!({})).await;
    assert!(text.contains("is no Git repository") && text.contains("set `repository`"), "{text}");
}

/// A repository may come from anywhere: nothing that it names is run, and nothing is written.
#[tokio::test]
async fn no_program_of_the_repository_is_run() {
    let repo = Repo::new();
    let (trap, sprung) = (repo.folder.path().join("trap"), repo.folder.path().join("sprung"));
    std::fs::write(&trap, format!("#!/bin/sh\ntouch '{}'\ncat \"$1\" 2>/dev/null\n", sprung.display()))
        .unwrap();
    #[cfg(unix)]
    std::fs::set_permissions(&trap, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    repo.write(".gitattributes", b"*.rs diff=trap\n");
    repo.commit("attributes");
    repo.write("src/main.rs", b"fn main() {}\n");
    repo.commit("change");
    repo.write("src/main.rs", b"fn main() { }\n");
    let trap = trap.to_str().unwrap();
    for key in [
        "diff.external",
        "diff.trap.command",
        "diff.trap.textconv",
        "core.fsmonitor",
        "core.pager",
        "gpg.program",
    ] {
        repo.git(&["config", key, trap]);
    }
    repo.git(&["config", "log.showSignature", "true"]);
    // A signature has `gpg.program` run, where it is looked at.
    let text = repo.git(&["cat-file", "commit", "HEAD"]);
    let signature = "gpgsig -----BEGIN PGP SIGNATURE-----\n \n eA==\n -----END PGP SIGNATURE-----\n\n";
    let signed = repo.folder.path().join("repo/.git/signed");
    std::fs::write(&signed, text.replacen("\n\n", &format!("\n{signature}"), 1)).unwrap();
    let signed = repo.git(&["hash-object", "-t", "commit", "-w", signed.to_str().unwrap()]);
    repo.git(&["update-ref", "HEAD", &signed]);
    repo.git(&["diff"]);
    assert!(sprung.exists(), "the trap works");
    std::fs::remove_file(&sprung).unwrap();

    let server = repo.server();
    // A new time, which git would note in the index.
    let logo = std::fs::File::options().write(true).open(repo.root.join("logo.png")).unwrap();
    logo.set_modified(std::time::UNIX_EPOCH + Duration::from_secs(1_000_000_000)).unwrap();
    let index = std::fs::read(repo.root.join(".git/index")).unwrap();
    let outputs = json!({ "pattern": "--open-files-in-pager=touch sprung" });
    for (tool, arguments) in [
        ("log", json!({})),
        ("show", json!({})),
        ("diff", json!({ "from": "HEAD~1" })),
        ("changes", json!({})),
        ("blame", json!({ "path": "src/main.rs" })),
        ("grep", json!({ "pattern": "main" })),
        ("grep", outputs),
    ] {
        let called = server.call_tool(tool, arguments).await.unwrap();
        assert!(!called.is_error(), "{tool}: {}", called.text());
        assert!(!sprung.exists(), "{tool} ran a program of the repository");
    }
    server.read_resource("git://HEAD/src/main.rs").await.unwrap();
    server.get_prompt("review", vec![]).await.unwrap();
    assert!(!sprung.exists());
    assert!(index == std::fs::read(repo.root.join(".git/index")).unwrap(), "the index was written");
    assert_eq!(std::fs::read_dir(repo.folder.path()).unwrap().count(), 2, "a file was written");
}

#[tokio::test]
async fn what_is_too_long_is_cut_and_says_so() {
    let repo = Repo::new();
    repo.write("long.txt", "a line of some length\n".repeat(20_000).as_bytes());
    repo.write("large.bin", &vec![7; 3 << 20]);
    repo.commit("large");
    let server = repo.server();
    let (_, text) = call(&server, "show", json!({ "path": "long.txt" })).await;
    assert!(text.len() < 300_000 && text.ends_with("for example for one `path`]\n"), "{} bytes", text.len());
    let read = server.read_resource("git://HEAD/large.bin").await;
    let read = read.map_or_else(|error| error.to_string(), |read| read.text());
    assert!(read.contains("has more than 2097152 bytes"), "{read}");
}

#[tokio::test]
async fn files_are_read_at_any_revision() {
    let repo = Repo::new();
    let first = repo.git(&["rev-parse", "HEAD"]);
    repo.write("src/main.rs", b"fn main() {}\n");
    repo.commit("second");
    let server = repo.server();
    let then = server.read_resource(&format!("git://{first}/src/main.rs")).await.unwrap();
    assert!(then.text().contains("hello"));
    let now = server.read_resource("git://main/src/main.rs").await.unwrap();
    assert_eq!(
        (now.text(), &now.result["contents"][0]["mimeType"]),
        ("fn main() {}\n".to_owned(), &json!("text/x-rust"))
    );
    let logo = server.read_resource("git://HEAD/logo.png").await.unwrap();
    assert_eq!(logo.result["contents"][0]["blob"], "iVBORwD/");
    assert_eq!(logo.result["contents"][0]["mimeType"], "image/png");
    assert_eq!(server.read_resource("git://HEAD/.").await.unwrap().text(), "logo.png\nsrc/");
    assert_eq!(server.read_resource("git://HEAD/src/").await.unwrap().text(), "main.rs");
}

#[tokio::test]
async fn a_client_is_told_when_a_file_it_subscribed_to_may_have_changed() {
    let repo = Repo::new();
    repo.git(&["branch", "feature/x"]);
    let server = repo.server();
    // Without a start, which would build what the other examples want before the first call.
    let mut client = Wire::connect_embedded(&server, LEGACY).await;
    let template = json!({ "type": "ref/resource", "uri": "git://{rev}/{+path}" });
    let completed = client
        .result(
            "completion/complete",
            json!({ "ref": template, "argument": { "name": "rev", "value": "f" } }),
        )
        .await;
    assert_eq!(completed["completion"]["values"], json!(["feature/x"]));
    let asked = json!({
        "ref": template,
        "argument": { "name": "path", "value": "src/m" },
        "context": { "arguments": { "rev": "main" } },
    });
    assert_eq!(
        client.result("completion/complete", asked).await["completion"]["values"],
        json!(["src/main.rs"])
    );

    let fixed = format!("git://{}/src/main.rs", repo.git(&["rev-parse", "HEAD"]));
    for uri in [fixed.as_str(), "git://feature%2Fx/src/main.rs"] {
        client.result("resources/subscribe", json!({ "uri": uri })).await;
    }
    repo.commit("second");
    assert_eq!(
        client.notification("notifications/resources/updated").await["params"]["uri"],
        "git://feature%2Fx/src/main.rs"
    );
}
