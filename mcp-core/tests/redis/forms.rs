//! One story, told to each form: stored, found by another node, invalidated there, gone here.

use std::sync::Arc;
use std::time::Duration;

use mcp_core::cache::level::Level;
use mcp_core::cache::redis::{Redis as Shared, RedisOptions};
use mcp_core::cache::{Cache, CacheOptions, CacheOutcome, Loaded, Lookup, TagId};
use mcp_core::policy::CachePolicy;

use super::server::{Redis, run, until};

async fn node(url: &str) -> Cache {
    let options = RedisOptions { application: "forms".to_owned() };
    let level: Arc<dyn Level> = Arc::new(Shared::open(url, &options).unwrap());
    let options =
        CacheOptions { levels: vec![Arc::clone(&level)], secret: Some([7; 32]), ..CacheOptions::default() };
    let cache = Cache::new(CacheOptions { level_deadline: Duration::from_secs(5), ..options });
    let key = cache.key("tool/test", 1, 7).finish().unwrap();
    level.read(&key, &[]).await.expect("the level can be read");
    cache.follow();
    // A cluster takes its time; what is kept before the first word from there is dropped with it.
    for _ in 0..20 {
        cache.heard().await;
    }
    cache
}

async fn outcome(cache: &Cache, name: &str) -> CacheOutcome {
    let key = cache.key("tool/test", 1, 7).field("name", name).finish().unwrap();
    let tags = [TagId::tag("all"), TagId::tag(name)].into();
    let lookup = Lookup { key, tags, policy: CachePolicy::new(), timeout: None };
    let run = || async { Ok(Loaded { body: "1".into(), store: true, failed: false, own: false }) };
    let served = cache.get_or_run(lookup, run).await;
    served.result.unwrap();
    // What is stored is stored behind the answer.
    assert!(cache.drain(Duration::from_secs(20)).await);
    served.outcome
}

async fn story(url: &str) {
    let (here, there) = (node(url).await, node(url).await);
    for name in ["a", "b", "c", "d"] {
        assert_eq!(outcome(&here, name).await, CacheOutcome::Computed);
        assert_eq!(outcome(&there, name).await, CacheOutcome::Shared);
        assert_eq!(outcome(&there, name).await, CacheOutcome::Memory);
    }
    here.invalidate_tag("a").await;
    assert_eq!(here.stats().levels[0].pending, 0, "the level has heard");
    assert_eq!(outcome(&here, "b").await, CacheOutcome::Memory);
    // The other node hears of it by itself.
    let waiting = async {
        while outcome(&there, "a").await == CacheOutcome::Memory {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), waiting).await.expect("the invalidation arrives");
    there.clear().await;
    assert_eq!(outcome(&there, "b").await, CacheOutcome::Computed);
    assert_eq!(here.stats().levels[0].failures + there.stats().levels[0].failures, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_single_server() {
    let server = Redis::start(&["--port", "{port}"]);
    story(&format!("redis://127.0.0.1:{}", server.port)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_of_three() {
    let flags =
        ["--port", "{port}", "--cluster-enabled", "yes", "--cluster-config-file", "{folder}/nodes.conf"];
    let nodes = [Redis::start(&flags), Redis::start(&flags), Redis::start(&flags)];
    let addresses: Vec<_> = nodes.iter().map(|node| format!("127.0.0.1:{}", node.port)).collect();
    let mut create = vec!["--cluster", "create"];
    create.extend(addresses.iter().map(String::as_str));
    create.extend(["--cluster-replicas", "0", "--cluster-yes"]);
    run("redis-cli", &create);
    let port = nodes[0].port.to_string();
    until("the cluster is there", || {
        run("redis-cli", &["-p", &port, "cluster", "info"]).contains("cluster_state:ok")
    });
    story(&format!("redis+cluster://{}", addresses.join(","))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_with_no_more_rights_than_it_needs() {
    // What the documentation says that a user needs.
    let commands = "+hmget +hget +hset +hsetnx +hdel +hlen +del +get +set +pttl +time +xadd +xread +xrange +xrevrange \
                    +evalsha +script|load +multi +exec";
    let server = Redis::start(&["--port", "{port}"]);
    let port = server.port.to_string();
    let mut rights = vec!["-p", &port, "acl", "setuser", "cache", "on", ">hunter2", "~mcp:{forms}:*"];
    rights.extend(commands.split_whitespace());
    assert_eq!(run("redis-cli", &rights), "OK\n");
    run("redis-cli", &["-p", &port, "acl", "setuser", "default", "off"]);
    story(&format!("redis://cache:hunter2@127.0.0.1:{}", server.port)).await;
}

#[cfg(feature = "redis-tls")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_behind_tls() {
    let folder = std::env::temp_dir().join(format!("mcp-redis-tls-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let (key, certificate) = (file("key.pem"), file("certificate.pem"));
    let settings = file("certificate.conf");
    std::fs::write(
        &settings,
        "[req]\nprompt = no\ndistinguished_name = name\nx509_extensions = extensions\n[name]\nCN = localhost\n\
         [extensions]\nsubjectAltName = DNS:localhost\nbasicConstraints = critical, CA:FALSE\n",
    )
    .unwrap();
    let curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
    let files = ["-config", &settings, "-keyout", &key, "-out", &certificate];
    run("openssl", &[&["req", "-x509"], &curve[..], &files].concat());
    let flags =
        ["--port", "0", "--tls-port", "{port}", "--tls-auth-clients", "no", "--tls-cert-file", &certificate];
    let server = Redis::start(&[&flags[..], &["--tls-key-file", &key]].concat());
    // As a machine trusts its own authority: the client reads it where OpenSSL would.
    let trusted = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "forms::story_behind_tls", "--ignored", "--nocapture"])
        .env("SSL_CERT_FILE", &certificate)
        .env("MCP_TEST_TLS_PORT", server.port.to_string())
        .output()
        .unwrap();
    let _ = std::fs::remove_dir_all(&folder);
    let said = [trusted.stdout, trusted.stderr].concat();
    assert!(trusted.status.success(), "{}", String::from_utf8_lossy(&said));
}

#[cfg(feature = "redis-tls")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "runs inside of `a_server_behind_tls`, which makes a certificate"]
async fn story_behind_tls() {
    let port = std::env::var("MCP_TEST_TLS_PORT").expect("set by the test that runs this one");
    story(&format!("rediss://localhost:{port}")).await;
}
