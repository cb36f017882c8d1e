//! Who may look: hosts, tokens, and the form that gives a browser its cookie.

use std::time::{Duration, Instant};

use mcp_server::{Config, tokio};
use reqwest::Method;

use super::components::server;
use super::lab::{Answer, Lab, TOKEN, send};

const HTML: &str = "text/html,application/xhtml+xml,*/*;q=0.8";

async fn login(lab: &Lab, form: String) -> Answer {
    send(lab.request(Method::POST, "/dashboard/login").header("accept", HTML).body(form)).await
}

#[tokio::test]
async fn a_page_of_another_host_reads_nothing() {
    let mut config = Config::default();
    config.allowed_hosts = vec!["metrics.example".to_owned()];
    let lab = Lab::of(server(config), "127.0.0.1:0").await;
    for (host, status) in [
        ("localhost", 200),
        ("127.0.0.1:8080", 200),
        ("[::1]:1", 200),
        ("metrics.example", 200),
        ("METRICS.example:443", 200),
        ("evil.example", 403),
        ("localhost.evil.example", 403),
        ("127.0.0.1.evil.example:8080", 403),
        ("", 403),
    ] {
        for path in
            ["/metrics", "/dashboard", "/dashboard/app.css", "/dashboard/events", "/dashboard/nothing"]
        {
            let found = if path.ends_with("nothing") && status == 200 { 404 } else { status };
            let response = lab.request(Method::GET, path).header("host", host).send().await.unwrap();
            assert_eq!(response.status().as_u16(), found, "{host} {path}");
            assert!(response.headers().contains_key("content-security-policy"));
        }
        let login = lab.request(Method::POST, "/dashboard/login").header("host", host);
        assert_eq!(send(login).await.status == 403, status == 403, "{host}");
    }
}

#[tokio::test]
async fn without_the_token_there_is_a_form_for_people_and_a_word_for_programs() {
    let lab = Lab::guarded().await;
    for path in [
        "/metrics",
        "/dashboard",
        "/dashboard/app.js",
        "/dashboard/uplot.js",
        "/dashboard/report.json",
        "/dashboard/report.txt",
        "/dashboard/component.json?kind=tool&name=add",
        "/dashboard/slow.json?id=1",
        "/dashboard/events",
    ] {
        let program = lab.get(path).await;
        assert_eq!(
            (program.status, program.header("content-type")),
            (401, "text/plain; charset=utf-8"),
            "{path}"
        );
        assert_eq!(program.header("www-authenticate"), "Bearer realm=\"dashboard\"");
        let browser = lab.get_with(path, "accept", HTML).await;
        assert_eq!(
            (browser.status, browser.header("content-type")),
            (401, "text/html; charset=utf-8"),
            "{path}"
        );
        assert!(
            browser.text().contains("action=\"/dashboard/login\"")
                && browser.header("cache-control") == "no-store"
        );
        for wrong in ["Bearer x", "Bearer ", "Basic a", TOKEN] {
            assert_eq!(lab.get_with(path, "authorization", wrong).await.status, 401, "{path} {wrong}");
        }
        let right = lab.request(Method::GET, path).header("authorization", format!("bearer {TOKEN}"));
        let right = right.send().await.unwrap().status().as_u16();
        assert_eq!(right, if path.contains("slow.json") { 404 } else { 200 }, "{path}");
    }
    // The form needs its looks.
    assert_eq!(lab.get("/dashboard/app.css").await.status, 200);
}

#[tokio::test]
async fn the_form_gives_a_cookie_that_is_not_the_token() {
    let lab = Lab::guarded().await;
    let answer = login(&lab, format!("other=1&token={}", TOKEN.replace(' ', "+"))).await;
    assert_eq!((answer.status, answer.header("location")), (303, "/dashboard"));
    let cookie = answer.header("set-cookie").to_owned();
    let (pair, attributes) = cookie.split_once("; ").unwrap();
    assert_eq!(attributes, "HttpOnly; SameSite=Strict; Path=/");
    let value = pair.strip_prefix("mcp_admin=").unwrap();
    assert!(value.len() == 64 && !TOKEN.contains(value), "{value}");
    for cookies in [pair.to_owned(), format!("a=b; {pair}; c=d")] {
        assert_eq!(lab.get_with("/dashboard/report.json", "cookie", &cookies).await.status, 200, "{cookies}");
    }
    for cookies in
        [format!("mcp_admin={TOKEN}"), "mcp_admin=".to_owned(), format!("mcp_admin={}", "0".repeat(64))]
    {
        assert_eq!(lab.get_with("/dashboard/report.json", "cookie", &cookies).await.status, 401, "{cookies}");
    }
}

#[tokio::test]
async fn a_wrong_token_takes_a_second_and_few_are_tried_at_once() {
    let lab = Lab::guarded().await;
    let start = Instant::now();
    let tried = (0..8).map(|guess| {
        let form = format!("token=guess{guess}");
        let request = lab.request(Method::POST, "/dashboard/login").header("accept", HTML).body(form);
        tokio::spawn(send(request))
    });
    let tried: Vec<_> = tried.collect();
    let mut statuses = Vec::new();
    for answer in tried {
        statuses.push(answer.await.unwrap().status);
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [401, 401, 401, 401, 429, 429, 429, 429]);
    assert!(start.elapsed() >= Duration::from_secs(1));
    // The right one is let in at once afterwards.
    let start = Instant::now();
    assert_eq!(login(&lab, format!("token={TOKEN}")).await.status, 303);
    assert!(start.elapsed() < Duration::from_millis(900));
}

#[tokio::test]
async fn who_guesses_waits_and_who_has_the_token_does_not() {
    let lab = Lab::guarded().await;
    let cookie = login(&lab, format!("token={TOKEN}")).await.header("set-cookie").to_owned();
    for guess in 0..10 {
        let (name, value) = match guess % 2 {
            0 => ("authorization", format!("Bearer guess{guess}")),
            _ => ("cookie", format!("mcp_admin=guess{guess}")),
        };
        assert_eq!(lab.get_with("/metrics", name, &value).await.status, 401, "{guess}");
    }
    let start = Instant::now();
    for (name, value) in [("authorization", "Bearer guess"), ("cookie", "mcp_admin=guess")] {
        let guess = lab.request(Method::GET, "/dashboard").header(name, value).header("accept", HTML);
        let answer = send(guess).await;
        assert_eq!(answer.status, 429, "{name}");
        assert!((1..=60).contains(&answer.header("retry-after").parse::<u64>().unwrap()));
        // Whose cookie is of yesterday still has to log in.
        assert!(answer.text().contains("action=\"/dashboard/login\""));
    }
    assert!(start.elapsed() >= Duration::from_secs(2));
    assert_eq!(login(&lab, "token=guess".to_owned()).await.status, 429);

    let start = Instant::now();
    for (name, value) in [("authorization", &*format!("Bearer {TOKEN}")), ("cookie", &cookie)] {
        assert_eq!(lab.get_with("/metrics", name, value).await.status, 200, "{name}");
    }
    assert_eq!(login(&lab, format!("token={TOKEN}")).await.status, 303);
    assert_eq!(lab.get("/metrics").await.status, 401, "who shows nothing guesses nothing");
    assert!(start.elapsed() < Duration::from_millis(900));
}

#[tokio::test]
async fn a_form_that_is_none_is_refused() {
    let lab = Lab::guarded().await;
    for form in ["", "token", "token=", "tokenx=a token of these tests"] {
        assert_eq!(login(&lab, form.to_owned()).await.status, 401, "{form}");
    }
    assert_eq!(login(&lab, format!("token={}", "x".repeat(10_000))).await.status, 400);
}

#[tokio::test]
async fn tokens_of_the_protocol_open_nothing_here() {
    let mut config = Config::default();
    config.auth_tokens = vec![("alice".to_owned(), "the token of alice".to_owned())];
    config.admin_token = Some(TOKEN.to_owned());
    let lab = Lab::of(server(config), "127.0.0.1:0").await;
    for (token, status) in [("the token of alice", 401), (TOKEN, 200)] {
        let answer = lab.get_with("/metrics", "authorization", &format!("Bearer {token}")).await;
        assert_eq!(answer.status, status, "{token}");
    }
    let protocol = lab.request(Method::POST, "/mcp").bearer_auth(TOKEN).body("{}");
    assert_eq!(send(protocol).await.status, 401);
}
