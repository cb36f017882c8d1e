use proptest::prelude::*;

use super::*;

const CASES: [(&str, &str); 65] = [
    ("SELECT 1", "SELECT ?"),
    ("SELECT name FROM users WHERE id = 42", "SELECT name FROM users WHERE id = ?"),
    ("  SELECT\n\ta ,  b\r\nFROM t ;\n", "SELECT a, b FROM t ;"),
    ("a = 'it''s'", "a = ?"),
    ("a = ''", "a = ?"),
    ("a = 'x' AND b = 'y'", "a = ? AND b = ?"),
    (r"a = E'it\'s' AND b", "a = ? AND b"),
    (r"a = e'\\' AND b", "a = ? AND b"),
    (r"a = '\\' AND b", "a = ? AND b"),
    (r"a = 'it\'s secret' AND b = 'c'", "a = ?"),
    (r"a = 'C:\' AND b", "a = ?"),
    ("a = $$it's$$ AND b", "a = ? AND b"),
    ("a = $tag$ $$ ' $tag$ AND b", "a = ? AND b"),
    ("a = $tag$ never closed $$", "a = ?"),
    ("DO $$ BEGIN RAISE 'x'; END $$", "DO ?"),
    ("SELECT$$secret$$", "SELECT?"),
    ("v$session.a$b = 1", "v$session.a$b = ?"),
    ("a = 1 AND t1.c2 = 3", "a = ? AND t1.c2 = ?"),
    ("t1x, _1, ünï1", "t1x, _1, ünï1"),
    ("1.5 + .5 + 1e-5 + 1E+5 + 0xfF + 1_000", "? + ? + ? + ? + ? + ?"),
    ("a = -5 AND b > - 5 AND c IN (-1, -2.5)", "a = ? AND b > - ? AND c IN (?)"),
    ("a -5, a - 5, (a)-5, a[1]-5", "a -?, a - ?, (a)-?, a[?]-?"),
    ("x'1F' || X'aa' || b'01' || N'n'", "? || ? || ? || ?"),
    ("0x1F", "?"),
    ("a IS NULL AND b = TRUE OR c = false", "a IS NULL AND b = TRUE OR c = false"),
    (
        "a = $1 AND b = ?1 AND c = :name AND d = @p AND e = ? AND f = $name",
        "a = ? AND b = ? AND c = ? AND d = ? AND e = ? AND f = ?",
    ),
    ("a::text = 'x'::varchar(5) AND b := 1", "a::text = ?::varchar(?) AND b := ?"),
    ("@@version", "@@version"),
    ("id IN (1,2,3)", "id IN (?)"),
    ("id in ( $1 , $2 )", "id in (?)"),
    ("id NOT IN (?)", "id NOT IN (?)"),
    ("id IN(?,?)", "id IN(?)"),
    ("id IN ()", "id IN ()"),
    ("id IN ($1::int, $2::int)", "id IN (?::int)"),
    ("id IN (1, 2, NULL, 3, 4)", "id IN (?, NULL, ?)"),
    ("(a, b) IN ((1, 2), (3, 4))", "(a, b) IN ((?, ?))"),
    ("id IN (SELECT a, a FROM t WHERE b IN (1, 2))", "id IN (SELECT a, a FROM t WHERE b IN (?))"),
    ("f(1, 2)", "f(?, ?)"),
    ("INSERT INTO t (a, b) VALUES (1, 'x'), (2, 'y')", "INSERT INTO t (a, b) VALUES (?, ?)"),
    (
        "VALUES (1, NULL), (NULL, 2), (f(3), 4) ON CONFLICT DO NOTHING",
        "VALUES (?, NULL) ON CONFLICT DO NOTHING",
    ),
    ("VALUES (1),\n(2)\n,(3) RETURNING id", "VALUES (?) RETURNING id"),
    ("VALUES (a) , b = VALUES(b)", "VALUES (a), b = VALUES(b)"),
    ("VALUES (1), (2), 'x'", "VALUES (?), ?"),
    ("VALUES ((VALUES (1), (2)), 3), (4, 5)", "VALUES ((VALUES (?)), ?)"),
    ("SELECT a -- comment\nFROM t", "SELECT a FROM t"),
    ("SELECT/* a /* nested */ b */1", "SELECT ?"),
    ("SELECT a /* never closed 'x'", "SELECT a"),
    ("SELECT a -- 'x'", "SELECT a"),
    (
        "SELECT \"a\".\"b1\", \"a 'b' 1\", `c 2`, [d e] FROM \"x\"\"y 1\"",
        "SELECT \"a\".\"b1\", ?, `c 2`, [d e] FROM ?",
    ),
    (
        "WHERE \"a\" = \"secret\" AND b LIKE \"secret\" AND c IN (\"secret\", \"x\") AND \"d\" > 1",
        "WHERE \"a\" = ? AND b LIKE ? AND c IN (?) AND \"d\" > ?",
    ),
    (
        "INSERT INTO \"t\" (\"a\", \"b\") VALUES (\"secret\", 1) RETURNING \"a\"",
        "INSERT INTO \"t\" (\"a\", \"b\") VALUES (?, ?) RETURNING \"a\"",
    ),
    ("SELECT a, \"never closed 1", "SELECT a,"),
    ("SELECT a[1], b[1:2], ARRAY[1, 'x', 2]", "SELECT a[?], b[?:?], ARRAY[?, ?, ?]"),
    ("SELECT a # it's\n, 'secret' #-- it's\nFROM t", "SELECT a, ? FROM t"),
    ("data #>> '{a,b}' = 'x', data #- 5", "data #>> ? = ?, data #- ?"),
    ("data #-5, #--5", "data #-?,"),
    ("ARRAY['secret]", "ARRAY[?"),
    ("SELECT '", "SELECT ?"),
    ("data->>'key' ? 'x'", "data->>? ? ?"),
    ("", ""),
    ("-- only", ""),
    (" \n ", ""),
    ("SELECT 'ünï' || '🦀' AS 名前", "SELECT ? || ? AS 名前"),
    ("1..2", "?..?"),
    ("a\u{0}b\u{3000}c", "a b c"),
];

#[test]
fn texts_and_their_fingerprints() {
    for (text, expected) in CASES {
        assert_eq!(fingerprint(text), expected, "of {text}");
    }
}

#[test]
fn what_is_too_long_is_cut_between_tokens() {
    let text = format!("SELECT {}", "some_column, ".repeat(1000));
    let found = fingerprint(&text);
    assert!(found.len() <= LONGEST && found.len() > LONGEST - 20, "{}", found.len());
    assert!(found.ends_with("some_column..") || found.ends_with("some_column,.."), "{found}");
    assert_eq!(fingerprint(&found), found);
    let one = format!("SELECT {}", "a".repeat(20_000));
    assert_eq!(fingerprint(&one), "SELECT..");
}

#[test]
fn lists_of_any_length_are_one() {
    let numbers: Vec<String> = (0..50_000).map(|n| n.to_string()).collect();
    assert_eq!(fingerprint(&format!("id IN ({})", numbers.join(", "))), "id IN (?)");
    let rows: Vec<String> = (0..50_000).map(|n| format!("({n}, 'x')")).collect();
    assert_eq!(fingerprint(&format!("VALUES {}", rows.join(","))), "VALUES (?, ?)");
}

/// Pieces that meet in SQL, in any order.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "SELECT",
        "IN",
        "VALUES",
        "values",
        "(",
        ")",
        "((",
        ",",
        "?",
        "$1",
        ":a",
        "::",
        ":",
        "@p",
        "@@",
        "$",
        "$$",
        "$t$",
        "'",
        "''",
        "'x'",
        "E'",
        "x'",
        "e",
        "\\",
        "\\'",
        "\"",
        "`",
        "[",
        "]",
        "[a b]",
        "--",
        "-",
        "+",
        "/*",
        "*/",
        "/",
        "*",
        "\n",
        " ",
        "1",
        "1.5",
        ".",
        "..",
        "1e",
        "-5",
        "0xf",
        "t1",
        "NULL",
        "é",
        "🦀",
        "\u{a0}",
        "\u{0}",
        ";",
        "(1, 2)",
        "(?, ?)",
        ", (3, 4)",
        "IN (",
        "VALUES (1), (2)",
        "..",
    ]);
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

fn literal() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "'CANARY'",
        "'it''s CANARY'",
        "E'\\'CANARY'",
        "$$CANARY$$",
        "$a$ ' CANARY $$ $a$",
        "x'CANARY'",
        "N'CANARY'",
        "'\\'CANARY'",
        "-- CANARY\n",
        "# it's CANARY\n",
        "/* CANARY /* */ */",
        "4242CANARY",
        "-0xCANARY",
        "1e4CANARY",
        ":CANARY",
        "@CANARY",
        "$CANARY",
        "'\"CANARY'",
        "'`CANARY'",
        "'[CANARY'",
        "b'CANARY'",
        "1.CANARY",
    ])
    .prop_map(str::to_owned)
}

/// Literals that are not closed; nothing can follow them.
fn open() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "",
        "'CANARY''",
        "'CANARY",
        "E'CANARY\\'",
        "$b$CANARY $$",
        "/* CANARY",
        "/* /* CANARY */",
    ])
}

/// What surrounds literals: it opens no quote itself, in which what follows would be a name.
fn plain() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        " ", "SELECT ", "a = ", "(", ")", ", ", " IN (", "VALUES (", "), (", " -", " + ", "::", "[", "]",
        " t1.", ";", " \"a\" ", " `b` ", " [c d] ", " /* */ ", " -- x\n", " é ", " 'x' ", " $1 ", " ? ",
    ])
    .prop_map(str::to_owned)
}

fn check(text: &str) -> Result<(), TestCaseError> {
    let found = fingerprint(text);
    prop_assert!(found.len() <= text.len(), "longer: {found}");
    prop_assert!(found.len() <= LONGEST);
    prop_assert_eq!(&fingerprint(&found), &found, "not stable");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn any_text_gives_a_stable_text_that_is_no_longer(text in any::<String>()) {
        check(&text)?;
    }

    #[test]
    fn any_sql_gives_a_stable_text_that_is_no_longer(text in pieces()) {
        check(&text)?;
    }

    #[test]
    fn long_sql_as_well(pieces in prop::collection::vec(pieces(), 0..40)) {
        check(&pieces.concat())?;
    }

    #[test]
    fn no_literal_survives(parts in prop::collection::vec((plain(), literal()), 1..8), open in open()) {
        let text: String = parts.iter().flat_map(|(plain, literal)| [plain.as_str(), literal]).collect();
        let text = format!("{text} {open}");
        prop_assert!(!fingerprint(&text).contains("CANARY"), "{text:?} gave {}", fingerprint(&text));
    }
}
