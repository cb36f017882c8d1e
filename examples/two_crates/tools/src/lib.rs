//! Tools about texts, for any server that links this crate.

use std::collections::{BTreeMap, BTreeSet};

use mcp_core::prelude::*;

#[schema]
struct Words {
    /// The words that stand most often in the text, the most frequent first.
    words: Vec<Word>,
}

#[schema]
struct Word {
    word: String,
    times: u64,
}

/// Finds what a text is about: its most frequent words, without those that stand in every text.
#[tool(read_only, cache(scope = "public"))]
fn keywords(text: String, #[serde(default = "ten")] limit: usize, common: Dep<Common>) -> Json<Words> {
    let mut times = BTreeMap::<String, u64>::new();
    for word in text.split(|letter: char| !letter.is_alphanumeric()).filter(|word| word.len() > 1) {
        *times.entry(word.to_lowercase()).or_default() += 1;
    }
    let known = times.into_iter().filter(|(word, _)| !common.0.contains(word.as_str()));
    let mut words: Vec<_> = known.map(|(word, times)| Word { word, times }).collect();
    words.sort_by_key(|word| std::cmp::Reverse(word.times));
    words.truncate(limit);
    Json(Words { words })
}

fn ten() -> usize {
    10
}

/// The words that `keywords` leaves out.
#[resource(uri = "words://common")]
fn common_words(common: Dep<Common>) -> String {
    common.0.iter().copied().collect::<Vec<_>>().join("\n")
}

/// Words that say nothing about a text.
struct Common(BTreeSet<&'static str>);

/// Providers are found like tools: this crate brings what its tools need.
#[provider]
fn common() -> Common {
    Common(
        "a an and are as at be by for from has in is it its of on or that the to was were with"
            .split(' ')
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tool stays a function: it is called as one.
    #[test]
    fn keywords_are_counted_and_common_words_left_out() {
        let text = "The cache is a cache of results, and results are shared.".to_owned();
        let Json(Words { words }) = keywords(text, 2, Dep::new(common()));
        let found: Vec<_> = words.iter().map(|word| (word.word.as_str(), word.times)).collect();
        assert_eq!(found, [("cache", 2), ("results", 2)]);
    }
}
