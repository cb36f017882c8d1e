//! A strict reader of the two text formats of Prometheus: it panics at whatever their specifications forbid.

use std::collections::{BTreeMap, BTreeSet};

/// The labels of a series, by name.
pub(crate) type Labels = BTreeMap<String, String>;

/// Which format a text is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    OpenMetrics,
    Text,
}

/// What a scrape says.
#[derive(Debug, Default)]
pub(crate) struct Scrape {
    /// The values by the names of the samples and their labels.
    pub(crate) samples: BTreeMap<(String, Labels), f64>,
    /// The kinds of the families.
    pub(crate) kinds: BTreeMap<String, String>,
}

impl Scrape {
    /// Reads a scrape.
    ///
    /// # Panics
    ///
    /// Panics where it breaks a rule.
    pub(crate) fn read(format: Format, text: &str) -> Self {
        assert!(text.ends_with('\n') && !text.contains('\r'), "lines end with a line feed");
        let mut lines: Vec<_> = text.lines().collect();
        if format == Format::OpenMetrics {
            assert_eq!(lines.pop(), Some("# EOF"));
        }
        let mut scrape = Self::default();
        let mut family = String::new();
        let mut told = BTreeSet::new();
        for line in lines {
            match line.strip_prefix("# ") {
                Some(comment) => {
                    let (word, rest) = comment.split_once(' ').unwrap_or_else(|| panic!("{line}"));
                    let (name, what) = rest.split_once(' ').unwrap_or_else(|| panic!("{line}"));
                    assert!(is_name(name), "{line}");
                    assert!(told.insert((word.to_owned(), name.to_owned())), "said twice: {line}");
                    match word {
                        "HELP" => {
                            assert!(!what.is_empty(), "{line}");
                            assert!(!scrape.kinds.contains_key(name), "families are not split: {line}");
                            family = name.to_owned();
                        }
                        "TYPE" => {
                            assert_eq!(name, family, "{line}");
                            let known: &[_] = match format {
                                Format::OpenMetrics => &["counter", "gauge", "histogram", "info"],
                                Format::Text => &["counter", "gauge", "histogram"],
                            };
                            assert!(known.contains(&what), "{line}");
                            scrape.kinds.insert(name.to_owned(), what.to_owned());
                        }
                        "UNIT" => {
                            assert!(name == family && name.ends_with(&format!("_{what}")), "{line}");
                        }
                        _ => panic!("{line}"),
                    }
                }
                None => scrape.sample(format, &family, line),
            }
        }
        scrape.histograms();
        scrape
    }

    fn sample(&mut self, format: Format, family: &str, line: &str) {
        let end = line.find(['{', ' ']).unwrap_or_else(|| panic!("{line}"));
        let (name, rest) = line.split_at(end);
        assert!(is_name(name), "{line}");
        let (labels, rest) = match rest.strip_prefix('{') {
            Some(rest) => labels(rest, line),
            None => (Labels::new(), rest),
        };
        let value = rest.strip_prefix(' ').unwrap_or_else(|| panic!("{line}"));
        let value: f64 = value.parse().unwrap_or_else(|error| panic!("{error}: {line}"));
        let suffix = name.strip_prefix(family).unwrap_or_else(|| panic!("not of `{family}`: {line}"));
        let suffixes: &[_] = match (self.kinds[family].as_str(), format) {
            ("counter", Format::OpenMetrics) => &["_total"],
            ("counter", Format::Text) => {
                assert!(name.ends_with("_total"), "{line}");
                &[""]
            }
            ("info", _) => &["_info"],
            ("histogram", _) => &["_bucket", "_sum", "_count"],
            _ => &[""],
        };
        assert!(suffixes.contains(&suffix), "{line}");
        assert_eq!(labels.contains_key("le"), suffix == "_bucket", "{line}");
        assert!(self.samples.insert((name.to_owned(), labels), value).is_none(), "twice: {line}");
    }

    /// Holds the buckets of each histogram against its count.
    fn histograms(&self) {
        for name in self.kinds.iter().filter(|(_, kind)| *kind == "histogram").map(|(name, _)| name) {
            let mut buckets: BTreeMap<Labels, Vec<(f64, f64)>> = BTreeMap::new();
            for ((sample, labels), count) in &self.samples {
                if *sample == format!("{name}_bucket") {
                    let mut labels = labels.clone();
                    let boundary = labels.remove("le").unwrap().parse::<f64>().unwrap();
                    buckets.entry(labels).or_default().push((boundary, *count));
                }
            }
            for (labels, mut buckets) in buckets {
                buckets.sort_by(|one, other| one.0.total_cmp(&other.0));
                assert!(
                    buckets.windows(2).all(|two| two[0].0 < two[1].0 && two[0].1 <= two[1].1),
                    "{labels:?}"
                );
                let last = buckets.last().unwrap();
                assert!(last.0.is_infinite() && last.1 == self.value(&format!("{name}_count"), &labels));
                assert!(self.value(&format!("{name}_sum"), &labels) >= 0.0);
            }
        }
    }

    fn value(&self, name: &str, labels: &Labels) -> f64 {
        self.samples[&(name.to_owned(), labels.clone())]
    }

    /// Returns the sum of all samples of a name that have certain labels.
    pub(crate) fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let has = |series: &Labels| {
            labels.iter().all(|(label, value)| series.get(*label).is_some_and(|it| it == value))
        };
        self.samples
            .iter()
            .filter(|((it, series), _)| it == name && has(series))
            .map(|(_, value)| value)
            .sum()
    }

    /// Returns the samples that only grow.
    pub(crate) fn growing(&self) -> impl Iterator<Item = (&(String, Labels), f64)> {
        let grows =
            |name: &str| ["_total", "_bucket", "_sum", "_count"].iter().any(|end| name.ends_with(end));
        self.samples.iter().filter(move |((name, _), _)| grows(name)).map(|(series, value)| (series, *value))
    }
}

fn is_name(name: &str) -> bool {
    let letter = |char: char| char.is_ascii_alphabetic() || char == '_';
    name.starts_with(letter) && name.chars().all(|char| letter(char) || char.is_ascii_digit())
}

/// Reads labels up to the closing brace; returns what comes after it.
fn labels<'a>(text: &'a str, line: &str) -> (Labels, &'a str) {
    let mut labels = Labels::new();
    let mut rest = text;
    loop {
        let (name, value) = rest.split_once("=\"").unwrap_or_else(|| panic!("{line}"));
        assert!(is_name(name), "{line}");
        let mut read = String::new();
        let mut chars = value.char_indices();
        let end = loop {
            match chars.next().unwrap_or_else(|| panic!("{line}")) {
                (end, '"') => break end,
                (_, '\\') => read.push(match chars.next() {
                    Some((_, 'n')) => '\n',
                    Some((_, char @ ('\\' | '"'))) => char,
                    other => panic!("no such escape: {other:?}: {line}"),
                }),
                (_, char) => read.push(char),
            }
        };
        if name == "le" {
            // `1` in one format is `1.0` in the other.
            read = read
                .replace("+Inf", "inf")
                .parse::<f64>()
                .unwrap_or_else(|error| panic!("{error}: {line}"))
                .to_string();
        }
        assert!(labels.insert(name.to_owned(), read).is_none(), "{line}");
        rest = &value[end + 1..];
        match rest.strip_prefix(',') {
            Some(more) => rest = more,
            None => return (labels, rest.strip_prefix('}').unwrap_or_else(|| panic!("{line}"))),
        }
    }
}
