//! Every format as one tree: what it holds, where it stands, what is wrong with it.

use std::rc::Rc;

use portcullis::document::{Document, Format, Path, Stored, leaves};
use portcullis::yaml::Node;

fn read(format: Format, text: &str) -> Document {
    let document = Document::read(format, text.as_bytes());
    check_spans(&document, text.len());
    document
}

/// A tree without mistakes.
fn good(format: Format, text: &str) -> Node {
    let mut document = read(format, text);
    assert_eq!(document.mistakes, [], "{text:?}");
    document.roots.pop().expect("a root")
}

/// What is wrong: the text that is marked, and the message.
fn wrong(format: Format, text: &str) -> Vec<(&str, String)> {
    read(format, text).mistakes.into_iter().map(|m| (&text[m.span], m.message)).collect()
}

/// `path = text` of every leaf; strings in quotes.
fn flat(node: &Node) -> Vec<String> {
    let show = |n: &Node| match (n.as_str(), n.text()) {
        (Some(s), _) => format!("{s:?}"),
        (None, Some(t)) => t.to_owned(),
        (None, None) => format!("{} of {}", n.kind(), n.items().len() + n.entries().len()),
    };
    leaves(node).expect("short keys").iter().map(|l| format!("{} = {}", l.path, show(l.value))).collect()
}

/// The key and value that a path leads to, as they are written.
fn written<'t>(text: &'t str, node: &Node, path: &str) -> Vec<(&'t str, &'t str)> {
    let path = Path::parse(path).expect("a good path");
    let key = |k: Option<&Node>| k.map_or("", |k| &text[k.span.clone()]);
    path.find(node).iter().map(|f| (key(f.key), &text[f.value.span.clone()])).collect()
}

fn check_spans(document: &Document, length: usize) {
    for root in &document.roots {
        root.walk(&mut |steps, node| {
            assert!(node.span.start <= node.span.end && node.span.end <= length, "{steps:?} {:?}", node.span);
        });
    }
    for m in &document.mistakes {
        assert!(m.span.start <= m.span.end && m.span.end <= length, "{m:?}");
    }
}

#[test]
fn names_say_the_format() {
    let of = |path: &str| Format::of(path.into());
    assert_eq!(of("a/.env"), Some(Format::Dotenv));
    assert_eq!(of("a/.env.production"), Some(Format::Dotenv));
    assert_eq!(of("a/api.env"), Some(Format::Dotenv));
    assert_eq!(of("a/.environment"), None);
    assert_eq!(of("prod.auto.tfvars"), Some(Format::Tfvars));
    assert_eq!(of("prod.tfvars.json"), Some(Format::Json));
    assert_eq!(of("x.YML"), Some(Format::Yaml));
    assert_eq!(of("dir.toml/readme"), None);
    assert_eq!(of(""), None);
    for name in Format::NAMES {
        assert!(Format::named(name).is_some(), "{name}");
    }
}

#[test]
fn json_has_spans_and_types() {
    let text = "\u{feff}{\"a\": {\"b\": [1, -2.5e3, true, null, \"x\\u00e9\\ud83d\\ude00\\/\"]},\n\t\"c\": \"\"}\n";
    let root = good(Format::Json, text);
    assert_eq!(root.at(&["a", "b"]).map(|b| b.items()[4].as_str()), Some(Some("xé😀/")));
    assert_eq!(root.at(&["a", "b"]).map(|b| b.items()[2].as_bool()), Some(Some(true)));
    assert_eq!(written(text, &root, "a.b[1]"), [("\"b\"", "-2.5e3")]);
    assert_eq!(written(text, &root, "c"), [("\"c\"", "\"\"")]);
    assert_eq!(&text[root.span.clone()], text.trim_start_matches('\u{feff}').trim_end());
}

#[test]
fn json_is_strict() {
    for (text, marked) in [
        ("{\"a\": 1,}", "}"),
        ("[1, 2", ""),
        ("{\"a\" 1}", "1"),
        ("{a: 1}", "a"),
        ("[01]", "01"),
        ("[1.]", "1."),
        ("[-]", "-"),
        ("[True]", "T"),
        ("[yes]", "yes"),
        ("{} {}", "{"),
        ("// x\n{}", "/"),
        ("", ""),
        ("\"a\nb\"", ""),
        ("\"a", "\""),
        ("\"\\x\"", "\\x"),
        ("\"\\u12g4\"", "\\u"),
    ] {
        let mistakes = wrong(Format::Json, text);
        assert_eq!(mistakes.first().map(|m| m.0), Some(marked), "{text:?}: {mistakes:?}");
    }
    assert_eq!(wrong(Format::Json, "{\"k\": 1, \"k\": 2}"), [("\"k\"", "the key `k` is given twice".to_owned())]);
}

#[test]
fn toml_has_spans_and_order() {
    let text = "title = \"x\"\nz = 0x1F\na = [1, 2]\n[server]\nport = 8080\nhost.name = 'h'\n[[items]]\nname = \"one\"\nv = true\n\
                [[items]]\nname = \"two\"\nv = 1979-05-27T07:32:00Z\n";
    let root = good(Format::Toml, text);
    assert_eq!(
        flat(&root),
        [
            "title = \"x\"",
            "z = 0x1F",
            "a = a list of 2",
            "server.port = 8080",
            "server.host.name = \"h\"",
            "items[name=one].name = \"one\"",
            "items[name=one].v = true",
            "items[name=two].name = \"two\"",
            "items[name=two].v = \"1979-05-27T07:32:00Z\"",
        ]
    );
    assert_eq!(written(text, &root, "server.host.name"), [("name", "'h'")]);
    assert_eq!(written(text, &root, "items[name=two].v"), [("v", "1979-05-27T07:32:00Z")]);
}

#[test]
fn toml_parsing_continues_after_a_mistake() {
    let text = "a = 1\nb = \nc = 3\nc = 4\n";
    let document = read(Format::Toml, text);
    assert!(!document.mistakes.is_empty());
    assert_eq!(document.roots[0].get("a").and_then(Node::as_int), Some(1));
    assert!(document.mistakes.iter().any(|m| m.message.contains("duplicate")), "{:?}", document.mistakes);
}

#[test]
fn dotenv_is_parsed_as_loaders_do() {
    let text = "\u{feff}# comment\r\nA=1\r\nexport B = two words  # note\r\nC: 'it''s'\n\
                D=\"a\\nb\\\"c\\$d\\q\"\nE='raw\\n # kept'\nF=`back \"q\" 'q'`\nG=\nH= # only a comment\nI=#hash\nJ=a#b\n\
                K=\"line one\nline two\"\r\nexport HANDED_ON\nL.m-n=x=y\n  M = spaced\t# c\nN=${OTHER}\nO=$(cmd) 'x'";
    let document = read(Format::Dotenv, text);
    let mistakes: Vec<_> = document.mistakes.iter().map(|m| &text[m.span.clone()]).collect();
    assert_eq!(mistakes, ["'s'"]);
    let got: Vec<_> = document.roots[0]
        .entries()
        .iter()
        .map(|(k, v)| (k.text().expect("a name"), v.as_str().expect("a string"), &text[v.span.clone()]))
        .collect();
    assert_eq!(
        got,
        [
            ("A", "1", "1"),
            ("B", "two words", "two words"),
            ("C", "it", "'it'"),
            ("D", "a\nb\"c$d\\q", "\"a\\nb\\\"c\\$d\\q\""),
            ("E", "raw\\n # kept", "'raw\\n # kept'"),
            ("F", "back \"q\" 'q'", "`back \"q\" 'q'`"),
            ("G", "", ""),
            ("H", "", ""),
            ("I", "#hash", "#hash"),
            ("J", "a#b", "a#b"),
            ("K", "line one\nline two", "\"line one\nline two\""),
            ("L.m-n", "x=y", "x=y"),
            ("M", "spaced", "spaced"),
            ("N", "${OTHER}", "${OTHER}"),
            ("O", "$(cmd) 'x'", "$(cmd) 'x'"),
        ]
    );
}

#[test]
fn dotenv_mistakes_have_spans_and_parsing_continues() {
    let text = "just words\nA=\"open\nB=2\nA=3\n=x\n";
    assert_eq!(
        wrong(Format::Dotenv, text),
        [
            ("just words", "not an assignment".to_owned()),
            ("\"", "this quote is never closed".to_owned()),
            ("=x", "not an assignment".to_owned()),
            ("A", "the key `A` is given twice".to_owned()),
        ]
    );
    let root = &read(Format::Dotenv, text).roots[0];
    assert_eq!(root.get("B").and_then(Node::text), Some("2"));
}

#[test]
fn tfvars_literals() {
    let text = "# c\nregion = \"eu-\\\"1\\u00e9\" // c\nn = -3.5\non=true\nnone = null\r\n/* a\nb */\nlist = [ \"a\", 2, # c\n  [true], ]\n\
                tags = {\n  \"k 1\" = \"v\"\n  k2 : 5,\n  deep = { x = 1, y = 2 }\n}\ntext = <<-EOT\n    one\n      two\n  EOT\nt = \"${var.x}\"\n";
    let root = good(Format::Tfvars, text);
    assert_eq!(
        flat(&root),
        [
            "region = \"eu-\\\"1é\"",
            "n = -3.5",
            "on = true",
            "none = null",
            "list = a list of 3",
            "tags.k 1 = \"v\"",
            "tags.k2 = 5",
            "tags.deep.x = 1",
            "tags.deep.y = 2",
            "text = \"one\\n  two\\n\"",
            "t = \"${var.x}\"",
        ]
    );
    assert_eq!(written(text, &root, "tags.deep"), [("deep", "{ x = 1, y = 2 }")]);
    assert_eq!(written(text, &root, "text"), [("text", "    one\n      two")]);
}

#[test]
fn tfvars_reports_what_is_not_a_literal() {
    for (text, marked) in [
        ("a = var.b\n", "var.b"),
        ("a = file(\"x, y\") # c\n", "file(\"x, y\") # c"),
        ("a = \"x\" == b ? 1 : 2\n", "\"x\" == b ? 1 : 2"),
        ("resource \"x\" \"y\" {\n", "resource \"x\" \"y\" {"),
        ("a = \n", ""),
        ("a = [1, 2\n", "["),
        ("a = {\n b = 1\n", "{"),
        ("a = \"open\n", "\""),
        ("a = <<EOT\nx\n", "<<EOT"),
        ("a = 1 2\n", "1 2"),
        ("/* open", "/*"),
        ("a = 1\na = 2\n", "a"),
    ] {
        let mistakes = wrong(Format::Tfvars, text);
        assert_eq!(mistakes.first().map(|m| m.0), Some(marked), "{text:?}: {mistakes:?}");
    }
    // What stands behind is read all the same.
    let root = &read(Format::Tfvars, "a = var.b\nc = \"d\"\n").roots[0];
    assert_eq!(flat(root), ["a = \"var.b\"", "c = \"d\""]);
}

const DEPLOYMENT: &str =
    "spec:\n  containers:\n  - name: app\n    image: a:1\n  - name: side.car\n    image: b:2\n  \"odd.key\": 1\n";

#[test]
fn paths_find_keys_and_values() {
    let root = good(Format::Yaml, DEPLOYMENT);
    let at = |path| written(DEPLOYMENT, &root, path);
    assert_eq!(at("spec.containers[name=app].image"), [("image", "a:1")]);
    assert_eq!(at("spec.containers[name=\"side.car\"].image"), [("image", "b:2")]);
    assert_eq!(at("spec.containers.*.image"), [("image", "a:1"), ("image", "b:2")]);
    assert_eq!(at("spec.containers[*].image"), at("*.containers.*.image"));
    assert_eq!(at("spec.containers[1].name"), [("name", "side.car")]);
    assert_eq!(at("spec.\"odd.key\""), [("\"odd.key\"", "1")]);
    assert_eq!(at("spec[\"odd.key\"]"), [("\"odd.key\"", "1")]);
    assert_eq!(at("spec.absent.image"), []);
    assert_eq!(at("spec.containers.name"), []);
}

#[test]
fn a_path_without_a_match_gives_its_nearest_existing_part() {
    let root = good(Format::Yaml, DEPLOYMENT);
    let key = |path: &str| {
        let found = Path::parse(path).expect("a good path").nearest(&root);
        found.key.map(|k| &DEPLOYMENT[k.span.clone()])
    };
    assert_eq!(key("spec.template.image"), Some("spec"));
    assert_eq!(key("spec.containers[name=db].image"), Some("containers"));
    assert_eq!(key("kind"), None);
}

#[test]
fn bad_paths_are_told() {
    for text in ["", ".", "a..b", "a.", ".a", "a[", "a[b]", "a[=x]", "a[b=x", "\"a", "a[1]b", "a[-1]"] {
        assert!(Path::parse(text).is_err(), "{text:?}");
    }
}

#[test]
fn every_leaf_is_found_by_its_own_path() {
    let text = "a: {b.c: 1, 'd[e]': 2, '*': 3, '': 4, '\"q\"': 5}\nl:\n- {id: 'x]y', v: 1}\n- {id: z=1, v: [1, 2]}\ne: {}\nn: []\n";
    let root = good(Format::Yaml, text);
    let all = leaves(&root).expect("short keys");
    assert_eq!(all.len(), 11);
    for leaf in &all {
        let found = Path::parse(&leaf.path).unwrap_or_else(|e| panic!("{}: {e}", leaf.path)).find(&root);
        assert_eq!(found.len(), 1, "{}", leaf.path);
        assert_eq!(found[0].value.span, leaf.value.span, "{}", leaf.path);
        assert_eq!(found[0].key.map(|k| &k.span), leaf.key.map(|k| &k.span), "{}", leaf.path);
    }
}

#[test]
fn hostile_paths_and_keys_end() {
    // A path of many stars over a wide tree, and keys whose listing would need gigabytes.
    let wide = format!("{{{}}}", (0..2000).map(|n| format!("\"k{n}\": [1, 2, 3]")).collect::<Vec<_>>().join(","));
    let root = good(Format::Json, &wide);
    assert_eq!(Path::parse("*.*").expect("a path").find(&root).len(), 6000);
    let long = "k".repeat(1 << 20);
    let inner = (0..200).map(|n| format!("\"{n}\": 1")).collect::<Vec<_>>().join(",");
    let root = good(Format::Json, &format!("{{\"{long}\": {{{inner}}}}}"));
    assert!(leaves(&root).is_err());
}

#[test]
fn depth_and_size_are_bounded() {
    let deep = 100_000;
    for (format, text) in [
        (Format::Json, "[".repeat(deep)),
        (Format::Json, "{\"a\":".repeat(deep)),
        (Format::Tfvars, format!("a = {}", "[".repeat(deep))),
        (Format::Tfvars, format!("a = {}", "{b=".repeat(deep))),
        (Format::Toml, format!("a = {}", "[".repeat(deep))),
        (Format::Toml, format!("{}a = 1", "a.".repeat(deep))),
        (Format::Yaml, "[".repeat(deep)),
    ] {
        let document = read(format, &text);
        assert!(!document.mistakes.is_empty(), "{format:?}");
    }
    let big = Document::read(Format::Json, &vec![b' '; (16 << 20) + 1]);
    assert_eq!((big.roots.len(), big.mistakes.len()), (0, 1));
    let many = Document::read(Format::Json, format!("[{}1]", "1,".repeat(1_000_001)).as_bytes());
    assert!(many.mistakes.iter().any(|m| m.message.starts_with("more than")), "{:?}", many.mistakes);
}

#[test]
fn invalid_utf8_is_reported_and_the_rest_is_parsed() {
    let document = Document::read(Format::Dotenv, b"A=\xff\xfe\nB=2\n");
    assert_eq!(document.mistakes[0].span, 2..3);
    assert_eq!(flat(&document.roots[0]), ["A = \"__\"", "B = \"2\""]);
}

#[test]
fn no_input_panics() {
    let samples = [
        (Format::Json, "{\"a\": [1, \"x\\u00e9\\n\", {\"b\": null}], \"c\": -1.5e3}".to_owned()),
        (Format::Toml, "a = 1\n[b.c]\nd = [1, {e = 'f'}]\n[[g]]\nh = \"\"\"x\ny\"\"\"\n".to_owned()),
        (Format::Dotenv, "export A=\"b\\n\"\nC='d' # e\nF: `g`\nH=ü\r\n".to_owned()),
        (Format::Tfvars, "a = \"b\\u00e9\"\nc = [1, {d = 2}]\ne = <<-X\n y\n X\n/* z */ f = g(1)\n".to_owned()),
        (Format::Yaml, "a: &x [1, 'b', {c: |\n d\n}]\ne: *x\n---\nf: \"g\\n\"\n".to_owned()),
    ];
    // Every cut, and at every place some bytes that mean something in one of the formats.
    for (format, text) in &samples {
        for at in 0..=text.len() {
            let _ = Document::read(*format, &text.as_bytes()[..at]);
            for noise in
                [&b"\""[..], b"'", b"{", b"]", b"\\", b"\0", b"\xc3", b"\n", b"\r", b"=", b"<<", b"#", b"\xef\xbb\xbf"]
            {
                let bytes = [&text.as_bytes()[..at], noise, &text.as_bytes()[at..]].concat();
                let document = Document::read(*format, &bytes);
                check_spans(&document, bytes.len());
            }
        }
    }
}

#[test]
fn a_file_is_parsed_once_for_all_rules() {
    let file = Stored::new(b"a: 1\n".to_vec());
    assert!(Rc::ptr_eq(&file.document(Format::Yaml), &file.document(Format::Yaml)));
    assert_eq!(file.document(Format::Toml).format, Format::Toml);
    assert_eq!(file.document(Format::Yaml).format, Format::Yaml);
    let passing = Stored::uncached(b"a: 1\n".to_vec());
    let (first, second) = (passing.document(Format::Yaml), passing.document(Format::Yaml));
    assert!(first.roots == second.roots && !Rc::ptr_eq(&first, &second));
}
