//! The files of the page.

use std::io::Read as _;

use mcp_server::tokio;

use super::lab::Lab;

const FILES: [&str; 5] =
    ["/dashboard", "/dashboard/app.js", "/dashboard/app.css", "/dashboard/uplot.js", "/dashboard/uplot.css"];

#[tokio::test]
async fn a_file_that_is_known_is_not_sent_again() {
    let lab = Lab::new().await;
    let mut tags = Vec::new();
    for path in FILES {
        let whole = lab.get(path).await;
        let tag = whole.header("etag").to_owned();
        assert!(tag.len() > 10 && tag.starts_with('"') && tag.ends_with('"'), "{tag}");
        assert!(!whole.body.is_empty());
        assert_eq!(lab.get(path).await.header("etag"), tag);
        for known in [tag.clone(), format!("\"other\", {tag}"), format!("W/{tag}"), "*".to_owned()] {
            let answer = lab.get_with(path, "if-none-match", &known).await;
            assert_eq!((answer.status, answer.body.len()), (304, 0), "{path} {known}");
            assert_eq!((answer.header("etag"), answer.header("cache-control")), (&*tag, "no-cache"));
            assert!(!answer.header("content-security-policy").is_empty());
        }
        let other = lab.get_with(path, "if-none-match", "\"other\"").await;
        assert_eq!((other.status, &other.body), (200, &whole.body));
        tags.push(tag);
    }
    tags.sort();
    tags.dedup();
    assert_eq!(tags.len(), FILES.len(), "what differs has a tag of its own");
}

#[tokio::test]
async fn a_file_comes_compressed_where_that_is_asked_for() {
    let lab = Lab::new().await;
    for path in FILES {
        let plain = lab.get(path).await;
        assert_eq!(plain.header("content-encoding"), "");
        let packed = lab.get_with(path, "accept-encoding", "gzip").await;
        assert_eq!((packed.header("content-encoding"), packed.header("vary")), ("gzip", "accept-encoding"));
        let mut inflated = Vec::new();
        flate2::read::GzDecoder::new(&*packed.body).read_to_end(&mut inflated).unwrap();
        assert_eq!(inflated, plain.body, "{path}");
        assert_ne!(packed.header("etag"), plain.header("etag"));
        let tag = packed.header("etag");
        let known = lab.request(reqwest::Method::GET, path).header("accept-encoding", "gzip");
        assert_eq!(super::lab::send(known.header("if-none-match", tag)).await.status, 304);
    }
}

#[tokio::test]
async fn data_come_compressed_as_well() {
    let lab = Lab::new().await;
    lab.call("wait", mcp_server::serde_json::json!({ "ms": 30 })).await;
    for path in ["/metrics", "/dashboard/report.json"] {
        let packed = lab.get_with(path, "accept-encoding", "gzip").await;
        assert_eq!(packed.header("content-encoding"), "gzip", "{path}");
        let mut inflated = String::new();
        flate2::read::GzDecoder::new(&*packed.body).read_to_string(&mut inflated).unwrap();
        assert!(inflated.contains("wait"), "{inflated}");
    }
}
