//! What callers send and get is shown to nobody.

use std::time::Duration;

use mcp_server::serde_json::json;
use mcp_server::tokio;

use super::lab::Lab;

const CANARY: &str = "canary4711";

#[tokio::test]
async fn what_callers_send_and_get_is_on_no_route() {
    let lab = Lab::new().await;
    for tool in ["echo", "refuse", "break_down"] {
        lab.call(tool, json!({ "text": CANARY })).await;
    }
    lab.server.read_resource(&format!("note://{CANARY}")).await.unwrap();
    for (tool, arguments) in [("add", json!({ "a": CANARY })), ("echo", json!({ CANARY: 1 }))] {
        let _ = lab.server.call_tool(tool, arguments).await;
    }
    let request = lab.request(reqwest::Method::POST, &format!("/mcp?{CANARY}"));
    super::lab::send(request.header("mcp-method", CANARY).bearer_auth(CANARY).body(CANARY)).await;
    // Alerts are made every second.
    tokio::time::sleep(Duration::from_millis(1_200)).await;

    let report = lab.get("/dashboard/report.json").await.json();
    let slow = report["slow"].as_array().unwrap();
    let caught = |name: &str| slow.iter().any(|call| call["name"] == name);
    for name in ["echo", "refuse", "break_down"] {
        assert!(caught(name), "{name} was caught, or this test shows nothing: {report:#}");
    }
    assert!(report.to_string().contains("SELECT * FROM words WHERE text = ?"), "{report:#}");
    let mut paths: Vec<_> =
        slow.iter().map(|call| format!("/dashboard/slow.json?id={}", call["id"].as_str().unwrap())).collect();
    for component in report["components"].as_array().unwrap() {
        let (kind, name) = (component["kind"].as_str().unwrap(), component["name"].as_str().unwrap());
        paths.push(format!("/dashboard/component.json?kind={kind}&name={name}"));
    }
    paths.extend(["/metrics", "/dashboard/report.json", "/dashboard/report.txt"].map(ToOwned::to_owned));
    for path in paths {
        let answer = lab.get(&path).await;
        assert_eq!(answer.status, 200, "{path}");
        assert!(!answer.text().contains(CANARY), "{path}: {}", answer.text());
    }
    let mut events = lab.request(reqwest::Method::GET, "/dashboard/events").send().await.unwrap();
    let mut told = String::new();
    while !told.contains("\ndata: ") || !told.ends_with("\n\n") {
        told += std::str::from_utf8(&events.chunk().await.unwrap().unwrap()).unwrap();
    }
    assert!(told.contains("break_down") && !told.contains(CANARY), "{told}");
}

#[tokio::test]
async fn what_is_asked_for_is_not_said_again() {
    let lab = Lab::new().await;
    for path in [
        "/dashboard/canary4711",
        "/dashboard/slow.json?id=canary4711",
        "/dashboard/component.json?kind=tool&name=canary4711",
    ] {
        let answer = lab.get(path).await;
        assert!(answer.status == 404 && !answer.text().contains(CANARY), "{path}: {}", answer.text());
    }
}
