//! Keys, values that carry a checksum, and patience.

use std::sync::Arc;
use std::time::{Duration, Instant};

use mcp_core::cache::level::{Event, Level, LevelError, Marks, News, Write};
use mcp_core::cache::{Key, KeyWriter, TagId};

pub(crate) const LIFE: Duration = Duration::from_secs(3600);

/// Opens the level under test as one more process would.
pub(crate) trait Stand {
    fn open(&self, application: &str) -> Arc<dyn Level>;
}

pub(crate) fn key(number: u64) -> Key {
    KeyWriter::new(&[7; 32], "tool/test", 1, 1).field("number", &number).finish().unwrap()
}

pub(crate) fn tag(name: &str) -> TagId {
    TagId::tag(name)
}

/// A value that shows whether it was changed on its way.
pub(crate) fn sealed(content: &[u8]) -> Vec<u8> {
    [blake3::hash(content).as_bytes(), content].concat()
}

/// The content of a value, unless somebody changed it.
pub(crate) fn opened(value: &[u8]) -> Option<&[u8]> {
    let (seal, content) = value.split_at_checked(32)?;
    (blake3::hash(content).as_bytes() == seal).then_some(content)
}

pub(crate) async fn marks(level: &dyn Level, tags: &[TagId]) -> Marks {
    level.read(&key(u64::MAX), tags).await.unwrap().marks
}

pub(crate) async fn store(
    level: &dyn Level,
    number: u64,
    tags: &[TagId],
    marks: &Marks,
    content: &[u8],
) -> Result<bool, LevelError> {
    let (key, value) = (key(number), sealed(content));
    level.write(Write { key: &key, tags, marks, value: &value, life: LIFE }).await
}

/// The content under a number, if there is any.
pub(crate) async fn content(level: &dyn Level, number: u64) -> Option<Vec<u8>> {
    let read = level.read(&key(number), &[]).await.unwrap();
    read.value.map(|(value, _)| opened(&value).unwrap().to_vec())
}

/// Waits until something is so.
pub(crate) async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let began = Instant::now();
    while !is_so().await {
        assert!(began.elapsed() < Duration::from_secs(30), "still not so after 30 s: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Waits until a level stores and gives back what was stored, whatever happened to it before.
pub(crate) async fn until_it_works(level: &dyn Level) {
    let mut content = 0_u64;
    until("the level stores and gives back", async || {
        content += 1;
        let Ok(read) = level.read(&key(u64::MAX), &[]).await else { return false };
        let stored = store(level, 1 << 40, &[], &read.marks, &content.to_le_bytes()).await;
        if !matches!(stored, Ok(true)) {
            return false;
        }
        let read = level.read(&key(1 << 40), &[]).await;
        read.is_ok_and(|read| {
            read.value.is_some_and(|(value, _)| opened(&value) == Some(&content.to_le_bytes()[..]))
        })
    })
    .await;
}

/// The first news that are not silence.
pub(crate) async fn news(news: &mut dyn News) -> Vec<Event> {
    let mut found = Vec::new();
    until("there are news", async || {
        found = news.next().await.unwrap();
        !found.is_empty()
    })
    .await;
    found
}

/// A listener that knows where it is.
pub(crate) async fn listener(level: &dyn Level) -> Box<dyn News> {
    let mut news = level.news();
    assert_eq!(news.next().await.unwrap(), [Event::Gap], "where it begins is not known before");
    news
}
