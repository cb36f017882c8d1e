//! What is where, and the headers of every answer.

use mcp_server::serde_json::json;
use mcp_server::{Config, tokio};
use reqwest::Method;

use super::components::{named, server};
use super::lab::{Lab, send};

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
                      img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

#[tokio::test]
async fn every_route_answers_with_its_type_and_the_headers_that_guard_it() {
    let lab = Lab::new().await;
    lab.call("echo", json!({ "text": "x" })).await;
    let id = lab.get("/dashboard/report.json").await.json()["slow"][0]["id"].as_str().unwrap().to_owned();
    let slow = format!("/dashboard/slow.json?id={id}");
    for (path, status, kind, cache) in [
        ("/metrics", 200, "text/plain; version=0.0.4; charset=utf-8", "no-store"),
        ("/dashboard", 200, "text/html; charset=utf-8", "no-cache"),
        ("/dashboard/", 200, "text/html; charset=utf-8", "no-cache"),
        ("/dashboard/app.js", 200, "text/javascript; charset=utf-8", "no-cache"),
        ("/dashboard/app.css", 200, "text/css; charset=utf-8", "no-cache"),
        ("/dashboard/uplot.js", 200, "text/javascript; charset=utf-8", "no-cache"),
        ("/dashboard/uplot.css", 200, "text/css; charset=utf-8", "no-cache"),
        ("/dashboard/report.json", 200, "application/json", "no-store"),
        ("/dashboard/report.txt", 200, "text/plain; charset=utf-8", "no-store"),
        ("/dashboard/component.json?kind=tool&name=echo", 200, "application/json", "no-store"),
        ("/dashboard/component.json?kind=tool&name=nothing", 404, "text/plain; charset=utf-8", "no-store"),
        ("/dashboard/component.json", 404, "text/plain; charset=utf-8", "no-store"),
        (&slow, 200, "application/json", "no-store"),
        ("/dashboard/slow.json?id=nothing", 404, "text/plain; charset=utf-8", "no-store"),
        ("/dashboard/nothing", 404, "text/plain; charset=utf-8", "no-store"),
        ("/dashboard/login.html", 404, "text/plain; charset=utf-8", "no-store"),
    ] {
        for method in [Method::GET, Method::HEAD] {
            let answer = send(lab.request(method.clone(), path)).await;
            assert_eq!((answer.status, answer.header("content-type")), (status, kind), "{method} {path}");
            assert_eq!(answer.header("cache-control"), cache, "{path}");
            assert_eq!(answer.header("content-security-policy"), POLICY, "{path}");
            assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
            assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
            assert!(answer.headers.get("access-control-allow-origin").is_none(), "{path}");
            assert_eq!(answer.body.is_empty(), method == Method::HEAD, "{method} {path}");
        }
    }
    assert_eq!(lab.get("/dashboardx").await.status, 404);
    assert_eq!(lab.get("/metrics/").await.status, 404);
}

#[tokio::test]
async fn nothing_can_be_changed() {
    let lab = Lab::new().await;
    for path in ["/metrics", "/dashboard", "/dashboard/app.js", "/dashboard/report.json", "/dashboard/events"]
    {
        for method in [Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS, Method::PATCH] {
            let answer = send(lab.request(method.clone(), path)).await;
            assert_eq!((answer.status, answer.header("allow")), (405, "GET, HEAD"), "{method} {path}");
            assert_eq!(answer.header("content-security-policy"), POLICY);
        }
    }
    let answer = lab.get("/dashboard/login").await;
    assert_eq!((answer.status, answer.header("allow")), (405, "POST"));
}

#[tokio::test]
async fn the_report_is_the_servers_own() {
    let lab = Lab::new().await;
    for _ in 0..3 {
        lab.call("double", json!({ "a": 2 })).await;
    }
    let report = lab.get("/dashboard/report.json").await.json();
    assert_eq!((report["server"].as_str(), report["version"].as_str()), (Some("admin"), Some("1.2.3")));
    let double = &report["components"][0];
    assert_eq!((double["kind"].as_str(), double["name"].as_str()), (Some("tool"), Some("double")));
    assert_eq!(double["windows"]["start"]["cache"], json!({ "memory": 2, "computed": 1 }));
    assert_eq!(double["windows"].as_object().unwrap().len(), 4);
    assert_eq!(report["cache"]["outcomes"]["memory"], 2);
    assert!(report["runtime"]["workers"].as_u64().unwrap() > 0);
}

#[tokio::test]
async fn a_component_and_a_call_are_found_by_what_they_are_called() {
    let name = "a b&c=d/é";
    let lab = Lab::of(server(Config::default()).tool(named(name)), "127.0.0.1:0").await;
    lab.call(name, json!({ "a": 1, "b": 2 })).await;
    lab.call("wait", json!({ "ms": 40 })).await;
    let found = lab.get("/dashboard/component.json?kind=tool&name=a+b%26c%3Dd/%C3%A9").await.json();
    assert_eq!(found["component"]["name"], name);
    for (series, step) in [("fine", 5), ("coarse", 60)] {
        assert_eq!(found[series]["step_s"], step);
        assert_eq!(found[series]["calls"].as_array().unwrap().len(), 60);
    }
    let slow = lab.get("/dashboard/component.json?kind=tool&name=wait").await.json()["slow"].clone();
    assert_eq!((slow.as_array().unwrap().len(), slow[0]["why"].as_str()), (1, Some("slow")));
    let id = slow[0]["id"].as_str().unwrap();
    assert_eq!(lab.get(&format!("/dashboard/slow.json?id={id}")).await.json(), slow[0]);
}

#[tokio::test]
async fn the_text_is_a_table_that_fits_a_terminal() {
    let lab = Lab::of(server(Config::default()).tool(named(&"long".repeat(60))), "127.0.0.1:0").await;
    lab.call(&"long".repeat(60), json!({ "a": 1, "b": 2 })).await;
    lab.call("double", json!({ "a": 2 })).await;
    lab.call("wait", json!({ "ms": 40 })).await;
    lab.call("echo", json!({ "text": "x".repeat(300) })).await;
    let text = lab.get("/dashboard/report.txt").await;
    let lines: Vec<_> = text.text().lines().collect();
    assert!(lines.iter().all(|line| line.chars().count() <= 120), "{}", text.text());
    assert!(lines[0].starts_with("admin 1.2.3, process "), "{}", lines[0]);
    let double = lines.iter().find(|line| line.starts_with("tool double ")).unwrap();
    assert_eq!(double.split_whitespace().collect::<Vec<_>>()[..3], ["tool", "double", "1"]);
    for part in ["component ", "calls worth a look", "measured", "allocations: "] {
        assert!(text.text().contains(part), "{part}: {}", text.text());
    }
}
