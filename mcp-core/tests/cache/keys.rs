//! Keys: equal for equal calls, different for all others.

use std::collections::{BTreeMap, HashMap};

use mcp_core::cache::{Key, KeyWriter, TagId, random_secret};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};

const SECRET: [u8; 32] = [3; 32];

fn key(value: &(impl Serialize + ?Sized)) -> Key {
    KeyWriter::new(&SECRET, "tool/test", 1, 0).field("value", value).finish().unwrap()
}

fn has_key(value: &impl Serialize) -> bool {
    KeyWriter::new(&SECRET, "tool/test", 1, 0).field("value", value).finish().is_ok()
}

#[track_caller]
fn all_differ(keys: &[Key]) {
    for (at, key) in keys.iter().enumerate() {
        assert!(!keys[..at].contains(key), "key {at} is equal to an earlier one");
    }
}

#[derive(Clone, Debug, PartialEq, Serialize)]
enum Kind {
    Plain,
    Other,
    Named(String),
    Pair(u8, i64),
    Fields { a: String, b: Option<String> },
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct Arguments {
    number: i64,
    maybe: Option<u64>,
    text: String,
    list: Vec<String>,
    map: BTreeMap<String, Vec<String>>,
    float: f64,
    flag: bool,
    pair: (String, String),
    kind: Kind,
}

/// Short strings of the characters that naive keys are joined with, and of the bytes that begin and
/// end values in ours.
fn text() -> impl Strategy<Value = String> {
    let parts =
        vec!["a", ":", ",", ";", "\"", "{", "}", "\0", "/", "é", "\u{1}", "\u{3}", "\n", "\u{c}", "\u{10}"];
    prop::collection::vec(prop::sample::select(parts), 0..4).prop_map(|parts| parts.concat())
}

fn number() -> impl Strategy<Value = i64> {
    prop::sample::select(vec![0, 1, -1, 127, 128, i64::MIN, i64::MAX, (1 << 53) - 1, 1 << 53, (1 << 53) + 1])
}

fn float() -> impl Strategy<Value = f64> {
    prop::sample::select(vec![
        0.0,
        -0.0,
        1.0,
        -1.0,
        0.1,
        1e300,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::MIN_POSITIVE,
    ])
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![
        Just(Kind::Plain),
        Just(Kind::Other),
        text().prop_map(Kind::Named),
        (0_u8..3, number()).prop_map(|(a, b)| Kind::Pair(a, b)),
        (text(), prop::option::of(text())).prop_map(|(a, b)| Kind::Fields { a, b }),
    ]
}

fn arguments() -> impl Strategy<Value = Arguments> {
    let texts = || prop::collection::vec(text(), 0..3);
    (
        (number(), prop::option::of(0_u64..3), text(), texts()),
        (
            prop::collection::btree_map(text(), texts(), 0..3),
            float(),
            any::<bool>(),
            (text(), text()),
            kind(),
        ),
    )
        .prop_map(|((number, maybe, text, list), (map, float, flag, pair, kind))| Arguments {
            number,
            maybe,
            text,
            list,
            map,
            float,
            flag,
            pair,
            kind,
        })
}

/// Two arguments that differ in at most a few fields.
fn near_pair() -> impl Strategy<Value = (Arguments, Arguments)> {
    (arguments(), arguments(), 0_u8..9).prop_map(|(a, b, field)| {
        let mut near = a.clone();
        match field {
            0 => near.number = b.number,
            1 => near.maybe = b.maybe,
            2 => near.text = b.text,
            3 => near.list = b.list,
            4 => near.map = b.map,
            5 => near.float = b.float,
            6 => near.flag = b.flag,
            7 => near.pair = b.pair,
            _ => near.kind = b.kind,
        }
        (a, near)
    })
}

fn dynamic() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        number().prop_map(Value::from),
        prop::sample::select(vec![u64::MAX, u64::MAX - 1]).prop_map(Value::from),
        prop::sample::select(vec![0.0, -0.0, 1.0, 0.5]).prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::vec((text(), inner), 0..3)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn p01_typed_arguments_share_a_key_exactly_if_they_are_equal((a, b) in near_pair()) {
        prop_assert_eq!(key(&a) == key(&b), a == b, "{:?} {:?}", a, b);
    }

    #[test]
    fn p01_dynamic_arguments_share_a_key_exactly_if_they_are_equal(a in dynamic(), b in dynamic()) {
        prop_assert_eq!(key(&a) == key(&b), a == b, "{} {}", a, b);
        prop_assert_eq!(key(&a), key(&a.clone()));
    }

    #[test]
    fn p01_texts_over_several_fields_share_a_key_exactly_if_they_are_equal(
        a in prop::collection::vec((text(), text()), 0..3),
        b in prop::collection::vec((text(), text()), 0..3),
    ) {
        let key = |fields: &[(String, String)]| {
            let mut writer = KeyWriter::new(&SECRET, "tool/test", 1, 0);
            for (name, value) in fields {
                writer.field(name, value);
            }
            writer.finish().unwrap()
        };
        prop_assert_eq!(key(&a) == key(&b), a == b);
    }
}

#[test]
fn p01_integers_are_exact_and_of_one_class() {
    let exact = (1_u64 << 53, (1_u64 << 53) + 1);
    assert_ne!(key(&exact.0), key(&exact.1));
    assert_ne!(key(&json!(exact.0)), key(&json!(exact.1)));
    assert_eq!(key(&1_u8), key(&1_i64));
    assert_eq!(key(&1_u8), key(&json!(1)));
    assert_eq!(key(&1_u128), key(&1_i128));
    all_differ(&[
        key(&1_i64),
        key(&-1_i64),
        key(&u64::MAX),
        key(&i128::MAX),
        key(&i128::MIN),
        key(&u128::MAX),
        key(&(u128::MAX - 1)),
        key(&(i128::MAX as u128 + 1)),
        key(&1.0_f64),
        key("1"),
        key(&'1'),
        key(&true),
        key(&[1]),
        key(&vec![1]),
        key(&Some(1)),
        key(&None::<i64>),
        key(&()),
    ]);
}

#[test]
fn p01_no_text_can_imitate_the_structure_around_it() {
    let tags: Vec<char> = (0..=16_u8).map(char::from).collect();
    for tag in tags {
        all_differ(&[
            key(&vec![format!("a{tag}b")]),
            key(&vec!["a", "b"]),
            key(&vec![format!("a{tag}\u{1}b")]),
            key(&vec![format!("a{tag}b{tag}")]),
            key(&vec!["a", "b", ""]),
            key(&vec!["", "a", "b"]),
        ]);
    }
    let long = |length| key(&"x".repeat(length));
    all_differ(&[long(0), long(127), long(128), long(129), long(16_383), long(16_384)]);
}

#[test]
fn p01_zeros_are_equal_and_a_nan_makes_no_key() {
    assert_eq!(key(&0.0_f64), key(&-0.0_f64));
    assert_eq!(key(&0.5_f32), key(&0.5_f64));
    assert_ne!(key(&0.0_f64), key(&0_i64));
    let mut writer = KeyWriter::new(&SECRET, "tool/test", 1, 0);
    writer.field("fine", &1).field("share", &vec![f64::NAN]).field("after", &2);
    let error = writer.finish().unwrap_err();
    assert_eq!(
        error.to_string(),
        "argument `share` cannot be part of a cache key: it holds a NaN, which is equal to nothing"
    );
    assert_eq!(writer.arguments().unwrap_err(), error);
}

#[test]
fn p01_every_part_of_a_call_tells_it_from_others() {
    let key = |secret, component, version, schema, owner: Option<[u8; 32]>, name, value: &str| {
        KeyWriter::new(&[secret; 32], component, version, schema)
            .owner(owner.as_ref())
            .field(name, value)
            .finish()
            .unwrap()
    };
    all_differ(&[
        key(1, "tool/a", 1, 1, None, "x", "y"),
        key(2, "tool/a", 1, 1, None, "x", "y"),
        key(1, "tool/b", 1, 1, None, "x", "y"),
        key(1, "tool/a", 2, 1, None, "x", "y"),
        key(1, "tool/a", 1, 2, None, "x", "y"),
        key(1, "tool/a", 1, 1, Some([0; 32]), "x", "y"),
        key(1, "tool/a", 1, 1, Some([1; 32]), "x", "y"),
        key(1, "tool/a", 1, 1, None, "xy", ""),
        key(1, "tool/a", 1, 1, None, "", "xy"),
        key(1, "tool/a", 1, 1, None, "x", "z"),
    ]);
}

#[test]
fn p01_maps_are_equal_in_any_order_and_at_any_depth() {
    let forward: HashMap<u32, HashMap<String, i32>> =
        (0..50).map(|n| (n, (0..5).map(|m| (format!("{m}"), m)).collect())).collect();
    let backward: HashMap<u32, HashMap<String, i32>> =
        (0..50).rev().map(|n| (n, (0..5).rev().map(|m| (format!("{m}"), m)).collect())).collect();
    let ordered: BTreeMap<u32, BTreeMap<String, i32>> =
        (0..50).map(|n| (n, (0..5).map(|m| (format!("{m}"), m)).collect())).collect();
    assert_eq!(key(&forward), key(&backward));
    assert_eq!(key(&forward), key(&ordered));
}

#[test]
fn p01_raw_json_and_numbers_inside_arguments_are_exact() {
    let raw = |text: &str| key(&RawValue::from_string(text.to_owned()).unwrap());
    all_differ(&[
        raw("18446744073709551617"),
        raw("18446744073709551618"),
        raw("\"1\""),
        raw("1"),
        raw("{\"a\":1}"),
    ]);
    assert_eq!(raw("{\"a\":1}"), raw("{\"a\":1}"));
}

#[test]
fn p01_hostile_depth_makes_no_key_and_breaks_nothing() {
    #[derive(Serialize)]
    struct Chain(Option<Box<Chain>>);
    let chain = |depth| (0..depth).fold(Chain(None), |inner, _| Chain(Some(Box::new(inner))));
    let list = |depth| (0..depth).fold(Value::Null, |inner, _| Value::from(vec![inner]));
    assert!(has_key(&list(100)) && !has_key(&list(129)) && !has_key(&list(1_000)));
    assert!(has_key(&chain(50)) && !has_key(&chain(1_000)));
}

#[test]
fn p02_raw_variants_that_deserialize_equally_share_a_key() {
    #[derive(Deserialize, Serialize)]
    struct Search {
        query: String,
        #[serde(default = "ten")]
        limit: u32,
        #[serde(default)]
        filter: HashMap<String, String>,
    }
    fn ten() -> u32 {
        10
    }
    let key = |text: &str| key(&serde_json::from_str::<Search>(text).unwrap());
    let plain = key(r#"{"query":"shoes"}"#);
    assert_eq!(plain, key(r#"{"limit":10,"query":"shoes"}"#));
    assert_eq!(plain, key(r#" { "query" : "sho\u0065s", "unknown": [1, 2], "filter": {} } "#));
    assert_ne!(plain, key(r#"{"query":"shoes","limit":11}"#));
    assert_eq!(
        key(r#"{"query":"q","filter":{"a":"1","b":"2"}}"#),
        key(r#"{"query":"q","filter":{"b":"2","a":"1"}}"#)
    );
    assert_ne!(
        key(r#"{"query":"q","filter":{"a":"1;b:2"}}"#),
        key(r#"{"query":"q","filter":{"a":"1","b":"2"}}"#)
    );
}

#[test]
fn tags_of_different_kinds_never_coincide() {
    let arguments = |owner: Option<[u8; 32]>, value: i32| {
        let mut writer = KeyWriter::new(&SECRET, "tool/a", 1, 0);
        writer.owner(owner.as_ref()).field("x", &value);
        writer.arguments().unwrap()
    };
    let ids = [
        TagId::tag("a"),
        TagId::resource("a"),
        TagId::component("tool", "a"),
        TagId::component("too", "la"),
        TagId::component("", "a"),
        arguments(None, 1),
        arguments(None, 2),
    ];
    for (at, id) in ids.iter().enumerate() {
        assert!(!ids[..at].contains(id), "tag {at}");
    }
    assert_eq!(arguments(None, 1), arguments(Some([9; 32]), 1), "whoever owns the result");
    let unowned = KeyWriter::new(&SECRET, "tool/a", 1, 0).field("x", &1).finish().unwrap();
    assert_eq!(arguments(Some([9; 32]), 1), TagId::arguments(&unowned));
}

#[test]
fn p38_what_is_printed_of_a_key_tells_nothing() {
    assert_eq!(format!("{:?}", key("secret")).len(), "Key(01234567..)".len());
    assert_ne!(random_secret(), random_secret());
}
