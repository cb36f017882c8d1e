//! Statements are those of the call that ran them, on one pool for all.

use std::sync::Arc;

use serde_json::{Value, json};

use super::lab::Lab;

async fn at_once(lab: &Arc<Lab>, calls: Vec<(&'static str, Value)>) {
    let mut tasks = tokio::task::JoinSet::new();
    for (name, arguments) in calls {
        let lab = Arc::clone(lab);
        tasks.spawn(async move { lab.call(name, arguments).await });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_calls_at_once_have_their_own_statements() {
    let lab = Arc::new(Lab::new().await);
    for _ in 0..4 {
        let mut calls = Vec::new();
        for n in 0..20 {
            calls.push(("in_sqlite", json!({ "statements": n % 4 })));
            calls.push(("three_in_sqlite", json!({})));
            calls.push(("in_postgres", json!({ "statements": n % 3 })));
        }
        at_once(&lab, calls).await;
    }
    let queries = |name| lab.window(name).queries;
    assert_eq!(queries("three_in_sqlite"), 4 * 20 * 3);
    assert_eq!(queries("in_sqlite"), 4 * (0..20).map(|n| n % 4).sum::<u64>());
    // PostgreSQL says `BEGIN` and the like as statements; there are none here.
    assert_eq!(queries("in_postgres"), 4 * (0..20).map(|n| n % 3).sum::<u64>());

    let report = lab.report();
    assert_eq!((&*report.sql.state, report.sql.note.as_deref()), ("on", None));
    let of =
        |text: &str| report.statements.iter().find(|statement| statement.fingerprint.contains(text)).unwrap();
    assert_eq!(of("AS three").components, ["tool three_in_sqlite"]);
    assert_eq!(of("pg_sleep").components, ["tool in_postgres"]);
    assert!(!serde_json::to_string(&report).unwrap().contains("canary"), "no literal is kept");
}

#[tokio::test]
async fn a_statement_of_no_call_is_told_everywhere() {
    let lab = Lab::new().await;
    assert!(!lab.http.get("/dashboard/report.txt").await.text.contains("belonged to no call"));
    let pool = sqlx::SqlitePool::connect("sqlite::memory:").await.unwrap();
    sqlx::query("SELECT 1").fetch_one(&pool).await.unwrap();
    let strays = lab.report().sql.unattributed;
    assert!(strays > 0);
    let told = lab.http.get("/dashboard/report.txt").await.text;
    assert!(told.contains("belonged to no call"), "{told}");
    let told = lab.http.get("/metrics").await.text;
    assert!(told.contains(&format!("\nmcp_sql_unattributed_total {strays}\n")), "{told}");
}
