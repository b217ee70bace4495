//! Every key and value knows its bytes, whatever the text; nothing hangs, panics or passes unseen.

use portcullis::yaml::{self, Documents, MAX_BYTES, MAX_DEPTH, MAX_NODES, Node, Scalar, Value, dotted, parse};

fn one(text: &str) -> Node {
    let Documents { mut roots, mistakes } = parse(text.as_bytes());
    assert_eq!(mistakes, [], "{text}");
    assert_eq!(roots.len(), 1, "{text}");
    roots.remove(0)
}

fn slice<'t>(text: &'t str, node: &Node) -> &'t str {
    &text[node.span.clone()]
}

/// Asserts what stands in the file at a chain of keys.
#[track_caller]
fn stands(text: &str, keys: &[&str], key: &str, value: &str) {
    let root = one(text);
    let (last, before) = keys.split_last().unwrap();
    let (k, v) = root.at(before).unwrap().entry(last).unwrap();
    assert_eq!((slice(text, k), slice(text, v)), (key, value));
}

#[test]
fn spans_are_exact_in_bytes() {
    stands("ключ: \"значение\" # ü\nb: c\n", &["ключ"], "ключ", "\"значение\"");
    stands("é: é\n'ö': 'ü'\nb: c d  \n", &["b"], "b", "c d");
    stands("é: é\n'ö': 'ü'\nb: c d  \n", &["ö"], "'ö'", "'ü'");
    stands("a: 1\r\nb:\r\n  c: two\r\nd: 'q'\r\n", &["b", "c"], "c", "two");
    stands("a: 1\r\nb:\r\n  c: two\r\nd: 'q'\r\n", &["b"], "b", "c: two");
    stands("\u{feff}a: 1\nb: [x, y]\n", &["b"], "b", "[x, y]");
    stands("\u{feff}a: 1\n", &["a"], "a", "1");
    stands("a: {b: [1,\n  2], c: }\n", &["a"], "a", "{b: [1,\n  2], c: }");
    stands("a: {b: [1,\n  2], c: }\n", &["a", "b"], "b", "[1,\n  2]");
    stands("a: !!str &x yes\n", &["a"], "a", "yes");
    stands("a: &x [1]\nb: *x\n", &["b"], "b", "*x");
    stands("? long\n: short\n", &["long"], "long", "short");
    stands("a: one\n  two\nb: 1\n", &["a"], "a", "one\n  two");
}

#[test]
fn a_block_scalar_is_its_content() {
    let text = "k: |\n  line\n  two\n\nz: >-\n  fold\n  ed\ne: |\nf: |+\n  x\n\n";
    stands(text, &["k"], "k", "line\n  two");
    stands(text, &["z"], "z", "fold\n  ed");
    stands(text, &["e"], "e", "");
    stands(text, &["f"], "f", "x");
    assert_eq!(one(text).get("z").unwrap().text(), Some("fold ed"));
    assert_eq!(one(text).get("f").unwrap().text(), Some("x\n\n"));
    stands("c: |\r\n  x\r\nd: 1\r\n", &["c"], "c", "x");
}

#[test]
fn lists_begin_at_their_first_dash_and_end_with_their_last_value() {
    stands("l:\n- a\n- b: 1\n\n# end\nm: 1\n", &["l"], "l", "- a\n- b: 1");
    stands("l:\n  - a\n  - - b\n    - c\nm: 1\n", &["l"], "l", "- a\n  - - b\n    - c");
    stands("l:\n- - b\n  - c\nm: 1\n", &["l"], "l", "- - b\n  - c");
    let text = "l:\n- - b\n  - c\nm: 1\n";
    assert_eq!(slice(text, &one(text).get("l").unwrap().items()[0]), "- b\n  - c");
}

#[test]
fn an_empty_value_is_after_its_key() {
    let text = "a:\nb: {c: , d}\ne:\n  -\n  - x\nf: ~\n";
    let root = one(text);
    for (keys, at) in [(&["a"][..], 2), (&["b", "c"], 9), (&["b", "d"], 13)] {
        let node = root.at(keys).unwrap();
        assert_eq!((node.span.clone(), node.text(), node.is_null()), (at..at, Some(""), true), "{keys:?}");
    }
    let empty = &root.get("e").unwrap().items()[0];
    assert_eq!((&text[..empty.span.start], empty.span.len()), ("a:\nb: {c: , d}\ne:\n  -", 0));
    assert_eq!((root.get("f").unwrap().text(), root.get("f").unwrap().is_null()), (Some("~"), true));
}

#[test]
fn scalars_are_typed_by_the_core_schema() {
    let text = "[true, True, TRUE, tRUE, yes, \"true\", !!bool \"true\", !!str true, ~, null, '', 0o17, 0x1F, -12, 1e3, .5, \
                1.2.3, 99999999999999999999, 2027-01-01, !x true, *no, 1_000, .inf]";
    let found = parse(text.as_bytes());
    let kinds: Vec<_> = found.roots[0].items().iter().map(Node::scalar).collect();
    use Scalar::*;
    let wanted = [
        Some(Bool(true)),
        Some(Bool(true)),
        Some(Bool(true)),
        Some(Str("tRUE")),
        Some(Str("yes")),
        Some(Str("true")),
        Some(Bool(true)),
        Some(Str("true")),
        Some(Null),
        Some(Null),
        Some(Str("")),
        Some(Int(15)),
        Some(Int(31)),
        Some(Int(-12)),
        Some(Float(1000.0)),
        Some(Float(0.5)),
        Some(Str("1.2.3")),
        Some(Float(1e20)),
        Some(Str("2027-01-01")),
        Some(Str("true")),
        None,
        Some(Str("1_000")),
        Some(Float(f64::INFINITY)),
    ];
    assert_eq!(kinds, wanted);
}

#[test]
fn a_broken_document_does_not_affect_the_others() {
    let text = "a: 1\n---\nb: [\n---\nc: 3\n...\n# x\n--- d\n---\ne: f: g\n---\nlast: x\n";
    let found = parse(text.as_bytes());
    let shown: Vec<_> = found.roots.iter().map(|r| slice(text, r)).collect();
    assert_eq!(shown, ["a: 1", "c: 3", "d", "last: x"]);
    let at: Vec<_> = found.mistakes.iter().map(|m| m.span.start).collect();
    assert_eq!(at, [text.find('[').unwrap(), text.find(": g").unwrap()]);
}

#[test]
fn duplicate_keys_are_reported_at_the_second_and_the_last_value_wins() {
    let text = "a: 1\nb: {x: 1, 'x': 2}\na: 2\n1: i\n'1': s\n";
    let found = parse(text.as_bytes());
    let told: Vec<_> = found.mistakes.iter().map(|m| (&text[m.span.clone()], m.message.as_str())).collect();
    assert_eq!(told, [("'x'", "the key `x` is given twice"), ("a", "the key `a` is given twice")]);
    assert_eq!(found.mistakes[1].span.start, text.rfind("a:").unwrap());
    assert_eq!(found.roots[0].get("a").unwrap().text(), Some("2"));
}

#[test]
fn aliases_are_not_followed_and_merge_keys_not_applied() {
    let root = one("base: &b {x: 1}\nuse:\n  <<: *b\n  y: *b\n");
    assert!(root.at(&["use", "x"]).is_none());
    assert_eq!(root.at(&["use", "y"]).unwrap().value, Value::Alias(Some(9..15)));
    let found = parse(b"a: *nowhere\nb: 1\n");
    assert_eq!(found.mistakes[0].span, 3..11);
    assert_eq!(found.roots[0].get("b").unwrap().text(), Some("1"));
}

#[test]
fn an_alias_bomb_stays_small() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for n in 1..60 {
        let refs = vec![format!("*a{}", n - 1); 9].join(", ");
        text.push_str(&format!("a{n}: &a{n} [{refs}]\n"));
    }
    assert_eq!(one(&text).entries().len(), 60);
}

#[test]
fn depth_size_and_count_are_bounded() {
    for deep in
        ["[".repeat(5000), "- ".repeat(5000), "{a: ".repeat(5000), (0..300).map(|n| " ".repeat(n) + "a:\n").collect()]
    {
        let found = parse(format!("{deep}\n---\nok: 1\n").as_bytes());
        assert_eq!(found.mistakes.len(), 1);
        assert_eq!(found.roots.len(), 1, "reading resumes");
    }
    let fits = format!("{}1{}", "[".repeat(MAX_DEPTH), "]".repeat(MAX_DEPTH));
    assert_eq!(parse(fits.as_bytes()).roots.len(), 1);
    let large = parse(&vec![b'#'; MAX_BYTES + 1]);
    assert_eq!((large.roots.len(), large.mistakes.len()), (0, 1));
    let many = parse("- a\n".repeat(MAX_NODES + 1).as_bytes());
    assert_eq!((many.roots.len(), many.mistakes.len()), (0, 1));
    let broken = parse("--- [\n".repeat(100_000).as_bytes());
    assert!(broken.mistakes.len() <= 200, "{}", broken.mistakes.len());
}

#[test]
fn invalid_bytes_are_a_mistake_and_hide_nothing() {
    let found = parse(b"a: caf\xe9\nincludeKey: true\n");
    assert_eq!(found.mistakes[0].span, 6..7);
    assert_eq!(found.roots[0].get("includeKey").unwrap().span, 20..24);
    let found = parse(b"a: 1\n\0\nincludeKey: true\n");
    assert_eq!(found.mistakes[0].span, 5..6);
    assert!(!found.mistakes[0].message.contains("UTF-8"));
    let found = parse(b"a: x\0y\nincludeKey: true\n");
    assert_eq!(found.roots[0].get("includeKey").unwrap().text(), Some("true"));
}

/// xorshift: the same bytes in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % n as u64) as usize
    }
}

#[test]
fn no_bytes_make_it_panic_and_every_span_is_inside() {
    let pieces: &[&[u8]] = &[
        b"a",
        b": ",
        b"- ",
        b"\n",
        b"\n  ",
        b"\r\n",
        b"---\n",
        b"...\n",
        b"[",
        b"]",
        b"{",
        b"}",
        b", ",
        b"'",
        b"\"",
        b"|\n",
        b">-\n",
        b"&x ",
        b"*x",
        b"!t ",
        b"!!bool ",
        b"? ",
        b"# c",
        b"\\",
        b"\t",
        b"\xef\xbb\xbf",
        "é".as_bytes(),
        b"\xff",
        b"\0",
        b"%YAML 1.2\n",
        b"%TAG ! x\n",
        b"~",
        b"<<: ",
        b"\xc2\x85",
        b"\xe2\x80\xa8",
        b"`",
        b"@",
        b"0o7",
        b" ",
    ];
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let mut read = 0;
    for round in 0..6000 {
        let mut text = Vec::new();
        for _ in 0..dice.below(40) {
            match round % 5 {
                0 => text.push(dice.below(256) as u8),
                _ => text.extend_from_slice(pieces[dice.below(pieces.len())]),
            }
        }
        let found = parse(&text);
        for mistake in &found.mistakes {
            assert!(mistake.span.start <= mistake.span.end && mistake.span.end <= text.len(), "{text:?} {mistake:?}");
        }
        for root in &found.roots {
            root.walk(&mut |_, node| {
                assert!(node.span.start <= node.span.end && node.span.end <= text.len(), "{text:?} {node:?}");
                for (key, value) in node.entries() {
                    assert!(node.span.start <= key.span.start && value.span.end <= node.span.end, "{text:?} {node:?}");
                }
                if let (Some(written), Value::Scalar { plain: true, text: meant, .. }) =
                    (text.get(node.span.clone()), &node.value)
                {
                    let foreign = !written.is_ascii()
                        || written.contains(&b'\n')
                        || written.contains(&b'\r')
                        || written.contains(&0);
                    assert!(foreign || written == meant.as_bytes(), "{text:?} {node:?}");
                }
                read += 1;
            });
        }
    }
    assert!(read > 2000, "{read} nodes were looked at");
}

#[test]
fn paths_are_formatted_as_in_policies() {
    let root = one("spec:\n  list: [{name: x}, {'a.b': y}]\n");
    let mut seen = Vec::new();
    root.walk(&mut |steps, node| {
        if let Some(text) = node.text() {
            seen.push(format!("{}={text}", dotted(steps)));
        }
    });
    assert_eq!(seen, ["spec.list[0].name=x", "spec.list[1].\"a.b\"=y"]);
}

#[test]
fn typed_data_comes_from_any_document() {
    let text = "---\na: 1\n---\nb: [x]\n";
    assert_eq!(yaml::first_document(text), "---\na: 1\n");
    assert_eq!(yaml::first_document("a: |\n ---\nb: ---x\n--- \nc: 1"), "a: |\n ---\nb: ---x\n");
    let b: std::collections::BTreeMap<String, Vec<String>> = yaml::from_document(text, 1).unwrap();
    assert_eq!(b["b"], ["x"]);
    assert!(yaml::from_document::<String>(text, 2).is_err());
    assert_eq!(yaml::from_str::<Vec<u8>>("[1, 2]").unwrap(), [1, 2]);
    assert_eq!(yaml::from_str::<Vec<u8>>("[1,\n x]").unwrap_err().span.start, 5);
}

/// What is read the quick way is what the library reads, and nothing that it would call a mistake.
#[test]
fn an_anchor_on_an_alias_is_a_mistake() {
    for text in ["a: &one\n *one\n", "a: &one 1\nb: &two *one\n", "a: &one 1\nb: &two\n  *one\n"] {
        assert!(!parse(text.as_bytes()).mistakes.is_empty(), "{text:?}");
    }
}

#[test]
fn the_fast_path_and_the_library_agree() {
    const WHOLE: &[&str] = &[
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: app # the one\n  labels: {a: b, \"c\": [d, 'e f', 1.5], g: {}}\n",
        "# head\n---\njobs:\n  build:\n    steps:\n      - uses: a/b@v1\n      - run: |\n          one\n            two\n\n          three\n\n        env: {A: 1}\n",
        "a: &one\n  x: 1\n  y: *one\nb:\n- *one\n- - deep\n  -\n-   k: v\n    l: >-\n      folded\n      text\n\n      more\nc: >+\n  keep\n\n\nd:\n",
        "a: words that\n  go on\n\n  and on # until here\nb: \"quoted \\\"text\\\"\n  in lines\"\nc: 'it''s\n\n  so'\nd: |-\n   x: y\n   #z\n",
        "---\na: 1\na: 2\n--- # two\n- 1\n-2: x\n- url: https://x.example/y?z#w\n- \"k\": -\n",
        "l: # why\n  # more\n  - x\n\n# between\n  - y: 'q' # z\nm: ~\nn: [ ]\no: [a b, c]\np: {x: y z, w: '}'}\n",
    ];
    const PIECES: &[&str] = &[
        " ",
        "  ",
        "\n",
        "-",
        "- ",
        ": ",
        ":",
        "a",
        "a: b",
        "#",
        " # c",
        "'",
        "\"",
        "[",
        "]",
        "{",
        "}",
        ", ",
        "|",
        "|-\n",
        ">",
        ">-\n",
        "&a ",
        "&b",
        "*a",
        "*one",
        "!x ",
        "? ",
        "---\n",
        "...\n",
        "\t",
        "\\",
        "é",
        "\n\n",
        "\n  ",
        "\n- ",
        "\r\n",
        "<<: *a",
        "''",
        "[]",
        "{a: b, c: [d]}",
        "-1",
        "\u{feff}",
        "\u{85}",
        "%",
        "|\n  x\n\n  y\n",
        "key: # c\n",
    ];
    let mut state = 88_172_645_463_325_252_u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    let mut quick = 0;
    for turn in 0..12_000 {
        let mut text: Vec<char> = match turn % 4 {
            0 => (0..random(9) + 1).flat_map(|_| PIECES[random(PIECES.len())].chars()).collect(),
            _ => WHOLE[random(WHOLE.len())].chars().collect(),
        };
        for _ in 0..if turn < WHOLE.len() { 0 } else { random(3) } {
            let at = random(text.len().max(1)).min(text.len());
            match random(3) {
                0 => drop(text.drain(at..(at + random(9)).min(text.len()))),
                _ => drop(text.splice(at..at, PIECES[random(PIECES.len())].chars())),
            }
        }
        let text: String = text.into_iter().collect();
        let (ours, whole) = (parse(text.as_bytes()), yaml::parse_by_library(text.as_bytes()));
        assert_eq!(ours.roots, whole.roots, "{text:?}");
        assert_eq!(ours.mistakes, whole.mistakes, "{text:?}");
        quick += usize::from(yaml::is_quick(text.as_bytes()));
    }
    assert!(quick > 2_000, "{quick} of 12,000 were read the quick way: the test tests nothing");
}

#[test]
fn an_empty_value_is_after_its_key_whatever_follows() {
    stands("k: # why\n# and why\nl: 1\n", &["k"], "k", "");
    let text = "k: # why\n# and why\n";
    assert_eq!(one(text).get("k").unwrap().span, 2..2);
    let text = "a: &x 1\nk: # why\n# and why\nl: !t 1\n";
    assert_eq!(one(text).get("k").unwrap().span, 10..10);
    stands("l:\n- |\n  one\n- two\n", &["l"], "l", "- |\n  one\n- two");
    let text = "l:\n- |\n  one\n- !t two\n";
    assert_eq!(one(text).get("l").unwrap().span, 3..text.len() - 1);
}
