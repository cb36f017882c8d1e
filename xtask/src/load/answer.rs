//! An HTTP/1.1 answer, read as its bytes come in.

use anyhow::{Context as _, Result, bail, ensure};

/// The end of the head.
const END: &[u8] = b"\r\n\r\n";

/// An answer: as much of HTTP/1.1 as the compared servers speak.
#[derive(Default)]
pub(super) struct Answer {
    head: Vec<u8>,
    rest: Rest,
    /// Whether the body is kept, which only checks need.
    pub(super) keep: bool,
    body: Vec<u8>,
    /// How many bytes of body the answer has.
    pub(super) size: usize,
}

/// What is still to come.
#[derive(Clone, Copy, Default)]
enum Rest {
    #[default]
    Head,
    /// So many bytes of the body.
    Body(usize),
    /// The line with the size of a chunk, as far as it was read.
    Size(usize),
    /// So many bytes of a chunk, and then the end of its line.
    Chunk(usize),
    /// The empty line after the last chunk, with so many bytes.
    Last(usize),
}

impl Answer {
    /// Reads on; returns whether the answer is complete.
    ///
    /// If so, the next bytes are those of another answer.
    pub(super) fn read(&mut self, mut bytes: &[u8]) -> Result<bool> {
        while !bytes.is_empty() {
            let taken = match self.rest {
                Rest::Head => self.read_head(bytes)?,
                Rest::Body(left) => self.take(bytes, left, Rest::Body),
                Rest::Size(size) => {
                    self.rest = match (bytes[0], (bytes[0] as char).to_digit(16)) {
                        (_, Some(digit)) => Rest::Size(size * 16 + digit as usize),
                        (b'\r', _) => Rest::Size(size),
                        (b'\n', _) if size == 0 => Rest::Last(2),
                        (b'\n', _) => Rest::Chunk(size),
                        (other, _) => bail!("`{}` in the size of a chunk", other as char),
                    };
                    1
                }
                Rest::Chunk(0) => {
                    if bytes[0] == b'\n' {
                        self.rest = Rest::Size(0);
                    }
                    1
                }
                Rest::Chunk(left) => self.take(bytes, left, Rest::Chunk),
                Rest::Last(left) => {
                    self.rest = Rest::Last(left - 1);
                    1
                }
            };
            bytes = &bytes[taken..];
            if matches!(self.rest, Rest::Body(0) | Rest::Last(0)) {
                ensure!(bytes.is_empty(), "the server sent more than its answer");
                self.rest = Rest::Head;
                self.head.clear();
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn take(&mut self, bytes: &[u8], left: usize, rest: fn(usize) -> Rest) -> usize {
        let taken = left.min(bytes.len());
        if self.keep {
            self.body.extend_from_slice(&bytes[..taken]);
        }
        self.size += taken;
        self.rest = rest(left - taken);
        taken
    }

    fn read_head(&mut self, bytes: &[u8]) -> Result<usize> {
        let before = self.head.len();
        // The end may be split between two reads: the last three bytes are looked at again.
        let from = before.saturating_sub(END.len() - 1);
        self.head.extend_from_slice(&bytes[..bytes.len().min(4096)]);
        let Some(end) = self.head[from..].windows(END.len()).position(|window| window == END) else {
            ensure!(self.head.len() < 16_384, "the head of the answer has no end");
            return Ok(self.head.len() - before);
        };
        let end = from + end + END.len();
        self.head.truncate(end);
        self.rest = rest_after(&self.head)?;
        self.size = 0;
        self.body.clear();
        Ok(end - before)
    }

    /// Returns the message of the kept body, which may be a stream's event.
    pub(super) fn message(&self) -> &[u8] {
        if self.body.first() == Some(&b'{') {
            return &self.body;
        }
        let data = self.body.split(|&byte| byte == b'\n').filter_map(|line| line.strip_prefix(b"data:"));
        data.map(<[u8]>::trim_ascii).rfind(|data| !data.is_empty()).unwrap_or(&self.body)
    }
}

/// Returns what comes after a head, whose status must be 200.
fn rest_after(head: &[u8]) -> Result<Rest> {
    let head = std::str::from_utf8(head).context("the head of the answer is no text")?;
    ensure!(head.starts_with("HTTP/1.1 200 "), "the server answered {}", head.trim_end());
    for line in head.lines().skip(1) {
        let Some((name, value)) = line.split_once(':') else { continue };
        if name.eq_ignore_ascii_case("content-length") {
            return Ok(Rest::Body(value.trim().parse().context("the length of the answer is no number")?));
        }
        if name.eq_ignore_ascii_case("transfer-encoding") {
            return Ok(Rest::Size(0));
        }
    }
    bail!("the answer has no length: {head}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
                          9\r\nretry: 3\n\r\n11\r\ndata: {\"id\":10}\n\n\r\n0\r\n\r\n";
    const PLAIN: &str = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{\"id\":10}";

    #[test]
    fn an_answer_is_read_in_whatever_pieces_it_comes() -> Result<()> {
        for text in [STREAM, PLAIN] {
            for size in 1..=text.len() {
                let mut answer = Answer { keep: true, ..Answer::default() };
                for _ in 0..2 {
                    let mut pieces = text.as_bytes().chunks(size).peekable();
                    while let Some(piece) = pieces.next() {
                        assert_eq!(answer.read(piece)?, pieces.peek().is_none(), "{size}: {text}");
                    }
                    assert_eq!(answer.message(), b"{\"id\":10}");
                }
            }
        }
        Ok(())
    }
}
