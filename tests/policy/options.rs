//! Layers of options: the user's value counts where it is right, and everything wrong is told at once.

use bstr::BStr;
use portcullis::finding::{Findings, NothingToHide, Severity};
use portcullis::options::{Located, Mistake, Options, Trial, scope};

const DEFAULTS: &str = "\
on: true
max: 100
limit: null
level: warning
name: x
style: strict
words: [a, b]
files: ['*.md']
patterns: ['^a']
nested: { one: 1 }
---
summary: not an option
";

fn run<R>(user: &str, f: impl FnOnce(&Options<'_>) -> R) -> (R, Vec<Mistake>) {
    Trial::new(DEFAULTS, user).run(f)
}

/// `line:column: message [help]` of every mistake.
fn told(mistakes: &[Mistake]) -> Vec<String> {
    let mut findings = Findings::new(&NothingToHide, 0);
    mistakes.iter().for_each(|m| findings.push(m.violation()));
    let list = findings.into_vec();
    list.iter()
        .map(|f| {
            format!(
                "{}:{}: {}{}",
                f.span.line,
                f.span.column,
                f.message,
                f.help.as_ref().map_or(String::new(), |h| format!(" [{h}]"))
            )
        })
        .collect()
}

fn all(o: &Options<'_>) -> String {
    let paths = o.globs("files");
    format!(
        "{} {} {:?} {:?} {} {} {:?} {} {} {:?}",
        o.flag("on"),
        o.number("max"),
        o.limit("limit"),
        o.severity("level"),
        o.text("name"),
        o.choice("style", &["strict", "loose"]),
        o.strings("words"),
        scope::is_match(&paths, BStr::new("docs/a.md")),
        o.patterns("patterns")[0].is_match(b"abc"),
        o.node("nested").and_then(|n| o.field::<u64>(n, "one")),
    )
}

#[test]
fn defaults_are_enough() {
    let (got, mistakes) = run("", all);
    assert_eq!(got, "true 100 None Some(Warning) x strict [\"a\", \"b\"] true true Some(1)");
    assert_eq!(told(&mistakes), [""; 0]);
}

#[test]
fn the_users_values_win() {
    let user = "on: false\nmax: 7\nlimit: 3\nlevel: off\nname: 1.0\nstyle: loose\nwords: c\nfiles: /docs\npatterns: [b]\nnested: {one: 2}\nseverity: error\n";
    let (got, mistakes) = run(user, all);
    assert_eq!(got, "false 7 Some(3) None 1.0 loose [\"c\"] true true Some(2)");
    assert_eq!(told(&mistakes), [""; 0]);
}

#[test]
fn a_wrong_value_is_told_and_the_default_goes_on() {
    let user = "on: yes\nmax: -1\nlimit: many\nlevel: warnin\nname: [x]\nstyle: strickt\nwords: [c, {}]\nfiles: ['!a', '[']\npatterns: ['(']\nnested: {one: x}\nnmae: 1\n";
    let (got, mistakes) = run(user, all);
    assert_eq!(got, "true 100 None Some(Warning) x strict [\"a\", \"b\"] true true None");
    assert_eq!(
        told(&mistakes),
        [
            "1:5: `true` or `false` is needed here, not a string",
            "2:6: a whole number of at least 0 is needed here",
            "3:8: a number is needed here, not a string",
            "4:8: one of `error`, `warning`, `note`, `off` is needed here [did you mean `warning`?]",
            "5:7: a string is needed here, not a list",
            "6:8: one of `strict`, `loose` is needed here [did you mean `strict`?]",
            "7:12: a string is needed here, not a map",
            "8:9: a glob cannot be negated: name what is meant under `include` or `exclude`",
            "8:15: not a glob: unclosed character class; missing ']'",
            "9:12: not a regular expression: unclosed group",
            "10:15: a number is needed here, not a string",
            "11:1: unknown key `nmae` [did you mean `name`?]",
        ]
    );
}

#[test]
fn structured_options_have_known_keys() {
    let user = "nested: { one: 1, tow: 2 }\nwords: [a\n";
    let ((), mistakes) = run(user, |o| {
        let _ = o.node("nested");
    });
    assert_eq!(mistakes[0].wrong.code, "policy/syntax");
    let ((), mistakes) = run("nested: { one: 1, tow: 2 }", |o| {
        let nested: Located<'_> = o.node("nested").unwrap();
        o.known_keys(nested, &["one", "two"]);
        assert_eq!(o.required::<String>(nested, "three"), None);
    });
    assert_eq!(told(&mistakes), ["1:9: `three` is missing", "1:19: unknown key `tow` [did you mean `two`?]"]);
}

#[test]
fn an_option_without_a_default_is_our_own_mistake() {
    let (_, mistakes) = run("", |o| o.flag("forgotten"));
    assert_eq!(mistakes[0].wrong.message, "the option `forgotten` has no default");
}

#[test]
fn shared_lists_and_severities_reach_the_rule() {
    let trial = Trial { detectors: "- { id: a }\n- { id: b }", ..Trial::new(DEFAULTS, "level: note") };
    let (got, mistakes) = trial.run(|o| {
        let ids: Vec<_> = o.shared("detectors").into_iter().filter_map(|d| o.field::<String>(d, "id")).collect();
        (ids, o.severity("level"), o.shared("assertions").len())
    });
    assert_eq!((got, mistakes), ((vec!["a".into(), "b".into()], Some(Severity::Note), 0), vec![]));
}
