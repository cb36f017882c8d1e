//! The files of the page.

use std::hash::{DefaultHasher, Hasher as _};
use std::sync::OnceLock;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY};
use http::{HeaderMap, HeaderValue, Response, StatusCode};

use crate::transport::http::{Encoding, ResponseBody, liked, whole};

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";

/// The page.
pub(super) static PAGE: Asset = Asset::new("index.html", include_bytes!("assets/index.html"), HTML);

/// The page for those who have to show a token.
pub(super) static LOGIN: Asset = Asset::new("login.html", include_bytes!("assets/login.html"), HTML);

/// What these pages load, at `/dashboard/<name>`.
pub(super) static ASSETS: [Asset; 25] = [
    Asset::new("app.css", include_bytes!("assets/app.css"), STYLE).open(),
    Asset::new("app.js", include_bytes!("assets/app.js"), SCRIPT),
    Asset::new("cache.js", include_bytes!("assets/cache.js"), SCRIPT),
    Asset::new("call.js", include_bytes!("assets/call.js"), SCRIPT),
    Asset::new("chart.js", include_bytes!("assets/chart.js"), SCRIPT),
    Asset::new("component.js", include_bytes!("assets/component.js"), SCRIPT),
    Asset::new("counts.js", include_bytes!("assets/counts.js"), SCRIPT),
    Asset::new("data.css", include_bytes!("assets/data.css"), STYLE),
    Asset::new("dom.js", include_bytes!("assets/dom.js"), SCRIPT),
    Asset::new("format.js", include_bytes!("assets/format.js"), SCRIPT),
    Asset::new("live.js", include_bytes!("assets/live.js"), SCRIPT),
    Asset::new("model.js", include_bytes!("assets/model.js"), SCRIPT),
    Asset::new("notes.js", include_bytes!("assets/notes.js"), SCRIPT),
    Asset::new("overview.js", include_bytes!("assets/overview.js"), SCRIPT),
    Asset::new("paint.js", include_bytes!("assets/paint.js"), SCRIPT),
    Asset::new("parts.js", include_bytes!("assets/parts.js"), SCRIPT),
    Asset::new("runtime.js", include_bytes!("assets/runtime.js"), SCRIPT),
    Asset::new("slow.js", include_bytes!("assets/slow.js"), SCRIPT),
    Asset::new("sql.js", include_bytes!("assets/sql.js"), SCRIPT),
    Asset::new("store.js", include_bytes!("assets/store.js"), SCRIPT),
    Asset::new("table.js", include_bytes!("assets/table.js"), SCRIPT),
    Asset::new("theme.js", include_bytes!("assets/theme.js"), SCRIPT),
    Asset::new("timeline.js", include_bytes!("assets/timeline.js"), SCRIPT),
    Asset::new("uplot.css", include_bytes!("assets/uplot.css"), STYLE),
    Asset::new("uplot.js", include_bytes!("assets/uplot.js"), SCRIPT),
];

/// A file that is part of the program.
pub(super) struct Asset {
    pub(super) name: &'static str,
    bytes: &'static [u8],
    media_type: &'static str,
    /// Whether it is for those too who have shown no token.
    pub(super) is_open: bool,
    tag: OnceLock<String>,
    gzip: OnceLock<Bytes>,
    zstd: OnceLock<Bytes>,
}

impl Asset {
    const fn new(name: &'static str, bytes: &'static [u8], media_type: &'static str) -> Self {
        Self {
            name,
            bytes,
            media_type,
            is_open: false,
            tag: OnceLock::new(),
            gzip: OnceLock::new(),
            zstd: OnceLock::new(),
        }
    }

    const fn open(mut self) -> Self {
        self.is_open = true;
        self
    }

    /// Returns the file, or that the client has it already.
    pub(super) fn response(&self, headers: &HeaderMap) -> Response<ResponseBody> {
        let encoding = liked(headers);
        // What differs in its bytes differs in its tag (RFC 9110, section 8.8.3).
        let tag = match encoding {
            Some(encoding) => format!("\"{}-{}\"", self.tag(), encoding.word()),
            None => format!("\"{}\"", self.tag()),
        };
        let has_it = headers
            .get_all(IF_NONE_MATCH)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .map(|known| known.trim().trim_start_matches("W/"))
            .any(|known| known == tag || known == "*");
        let mut response = if has_it {
            let mut response = Response::new(ResponseBody::whole(""));
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            response
        } else {
            self.whole(encoding)
        };
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
        if let Ok(tag) = HeaderValue::from_str(&tag) {
            headers.insert(ETAG, tag);
        }
        response
    }

    /// Returns the file as it is for those who have to show a token, which nobody keeps.
    pub(super) fn text(&self) -> Bytes {
        Bytes::from_static(self.bytes)
    }

    fn whole(&self, encoding: Option<Encoding>) -> Response<ResponseBody> {
        let plain = Bytes::from_static(self.bytes);
        let packed = |packed: &OnceLock<Bytes>, encoding| {
            packed.get_or_init(|| whole(encoding, std::slice::from_ref(&plain))).clone()
        };
        let bytes = match encoding {
            Some(Encoding::Gzip) => packed(&self.gzip, Encoding::Gzip),
            Some(Encoding::Zstd) => packed(&self.zstd, Encoding::Zstd),
            None => plain.clone(),
        };
        let mut response = Response::new(ResponseBody::whole(bytes));
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(self.media_type));
        if let Some(encoding) = encoding {
            response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static(encoding.word()));
        }
        response
    }

    /// Returns what tells this file from others, which need not resist anybody: the program holds it.
    fn tag(&self) -> &str {
        self.tag.get_or_init(|| {
            let mut hasher = DefaultHasher::new();
            hasher.write(self.bytes);
            format!("{:016x}", hasher.finish())
        })
    }
}
