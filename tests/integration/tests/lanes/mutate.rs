//! Changes at random: to the members of a message, to its bytes, to its headers.

use super::corpus::{Request, written};
use super::tree::Tree;

/// Random numbers that one seed decides (SplitMix64).
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Returns a number below `end`, and 0 where there is none.
    pub fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end.max(1)).unwrap()).unwrap()
    }

    /// Returns one of the words of a text.
    pub fn word(&mut self, of: &'static str) -> String {
        let words: Vec<_> = of.split_ascii_whitespace().collect();
        (*self.one(&words)).to_owned()
    }

    pub fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}

/// What stands in the place of a value.
const VALUES: &str = r#"
    null true 0 -0 1 1.0 1e2 0.1 -7 1e400 255 256 9223372036854775808 18446744073709551616
    1.7976931348623157e308 "" "x" "a" "1" "add" "\u0061dd" "text" "echo" "review" "bare" "kept" "search"
    "cached" "tools/list" "tools/call" "prompts/get" "resources/read" "server/discover" "ping"
    "lanes://fixed" "lanes://item/7" "lanes://two" "2.0" "2026-07-28" "2025-11-25" "after-5" "ü" "\ud800"
    "\n" {} {"a":1} {"a":1,"b":2} {"code":"x"} [] [1] [null] [[]] $NEST130 $META
"#;

/// What a member is called.
const NAMES: &str = r#"
    jsonrpc id method params _meta name uri arguments cursor task requestState inputResponses a b value
    query more code language result error extra progressToken io.modelcontextprotocol/protocolVersion
    io.modelcontextprotocol/clientCapabilities io.modelcontextprotocol/clientInfo
    io.modelcontextprotocol/logLevel A ü
"#;

/// What a header says, a line each.
const HEADER_VALUES: &str = "
x\nadd\ntext\ntools/list\ntools/call\n2026-07-28\n2025-11-25\napplication/json\ntext/event-stream
application/json, text/event-stream\n*/*\napplication/json;q=0\n=?base64?YWRk?=\n=?base64?YWR?=\nü\neu
true\n1.5\nhttp://localhost:1\nlocalhost";

/// What a header is called.
const HEADER_NAMES: &str = "
    accept content-type mcp-protocol-version mcp-method mcp-name mcp-session-id origin mcp-param-region
    mcp-param-count mcp-param-flag authorization x-more
";

/// Changes a request in one to three places; its headers too where it goes over HTTP.
pub fn mutated(random: &mut Random, base: &Request, modern: bool, http: bool) -> Request {
    let mut body = base.body(modern);
    let (mut of_headers, changes) = (0, 1 + random.below(5) / 2);
    for _ in 0..changes {
        match random.below(10) {
            0 | 1 if http => of_headers += 1,
            9 => bytes(random, &mut body),
            _ => match std::str::from_utf8(&body).ok().and_then(Tree::read) {
                Some(mut tree) => {
                    let within = if random.below(5) < 3 { arguments(&mut tree) } else { None };
                    match within {
                        Some(within) => member(random, within),
                        None => member(random, &mut tree),
                    }
                    body = written(&tree.to_string());
                }
                None => bytes(random, &mut body),
            },
        }
    }
    // With the headers that the changed message wants, or with those that it had.
    let mut request = Request::new("", body);
    if base.http_only || random.below(4) == 0 {
        request.headers.clone_from(&base.headers);
    }
    request.server = base.server;
    for _ in 0..of_headers {
        header(random, &mut request.headers);
    }
    let body = std::mem::take(&mut request.body);
    request.body = Request { body, ..request.clone() }.body(modern);
    request
}

fn leaf(random: &mut Random) -> Tree {
    match random.below(12) {
        0 => Tree::Leaf(f64::from_bits(random.next()).to_string()),
        1 => Tree::Leaf(random.next().cast_signed().to_string()),
        _ => Tree::Leaf(random.word(VALUES)),
    }
}

/// Returns the arguments of a message: what is changed there, the lane may still take.
fn arguments(message: &mut Tree) -> Option<&mut Tree> {
    let of = |tree, name| match tree {
        &mut Tree::Object(ref mut members) => {
            members.iter_mut().find(|(known, _)| known == name).map(|(_, member)| member)
        }
        _ => None,
    };
    of(of(message, "params")?, "arguments")
}

/// Changes a value, or the members of an object.
fn member(random: &mut Random, tree: &mut Tree) {
    let number = random.below(tree.len());
    let other = random.below(tree.len());
    let other = tree.at(other).cloned();
    let Some(value) = tree.at(number) else { return };
    match (value, random.below(12)) {
        (value, 0) => *value = leaf(random),
        (value, 1) => *value = Tree::Array(vec![value.clone()]),
        (value, 2) => *value = other.unwrap_or_else(|| leaf(random)),
        (Tree::Object(members), 3) => {
            let values = members.iter().map(|(_, value)| value.clone()).collect();
            *value_at(tree, number) = Tree::Array(values);
        }
        (Tree::Object(members), 4) => {
            let name = random.word(NAMES);
            let at = random.below(members.len() + 1);
            members.insert(at, (name, leaf(random)));
        }
        (Tree::Object(members), _) if members.is_empty() => {
            members.push((random.word(NAMES), leaf(random)));
        }
        (Tree::Object(members), change) => {
            let (at, to) = (random.below(members.len()), random.below(members.len()));
            match change {
                5 => {
                    members.remove(at);
                }
                6 => members.insert(to, members[at].clone()),
                7 => {
                    let name = members[at].0.clone();
                    members.insert(to, (name, leaf(random)));
                }
                8 => members.swap(at, to),
                9 => members[at].0 = random.word(NAMES),
                _ => members[at].1 = leaf(random),
            }
        }
        (Tree::Array(items), _) if !items.is_empty() => {
            let at = random.below(items.len());
            match random.below(3) {
                0 => {
                    items.remove(at);
                }
                1 => items.insert(at, leaf(random)),
                _ => items[at] = leaf(random),
            }
        }
        (value, _) => *value = leaf(random),
    }
}

fn value_at(tree: &mut Tree, number: usize) -> &mut Tree {
    tree.at(number).unwrap()
}

/// Changes bytes, wherever they are.
fn bytes(random: &mut Random, body: &mut Vec<u8>) {
    let at = random.below(body.len());
    match random.below(6) {
        0 => body.truncate(at),
        1 if !body.is_empty() => body[at] ^= 1 << random.below(8),
        2 if !body.is_empty() => {
            body.remove(at);
        }
        3 => {
            let end = at + random.below(body.len() - at + 1).min(12);
            let copied = body[at..end].to_vec();
            body.splice(at..at, copied);
        }
        4 => body.insert(at, *random.one(b"{}[]\",:\\ \t\r0\0\x7f\xc3\xff")),
        _ => {
            body.extend_from_slice(
                random.one(&[" ", "\r", "\0", "x", "}", ",", "{}", "\u{feff}"]).as_bytes(),
            );
        }
    }
}

fn header(random: &mut Random, headers: &mut Vec<(String, String)>) {
    let at = random.below(headers.len());
    let values: Vec<_> = HEADER_VALUES.split('\n').collect();
    let value = (*random.one(&values)).to_owned();
    match random.below(7) {
        0 => {
            headers.remove(at);
        }
        1 => headers.push(headers[at].clone()),
        2 => headers.push((headers[at].0.clone(), value)),
        3 => headers[at].1 = value,
        4 => headers[at].1 = headers[at].1.to_ascii_uppercase(),
        5 => headers[at].1.push_str(random.one::<&str>(&[" ", "\t", ";", ";q=1", ",", ", x", "x"])),
        _ => headers.push((random.word(HEADER_NAMES), value)),
    }
}
