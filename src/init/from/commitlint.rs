//! commitlint: its configuration as JSON or YAML, in `package.json`, or as `npx commitlint --print-config json` prints it.

use super::{Source, list, texts};
use crate::yaml::Node;

/// `@commitlint/config-conventional`, as JSON; `config-angular` differs in its types and its missing rules for case.
const CONVENTIONAL: &str = r#"{
  "body-leading-blank": [1, "always"], "body-max-line-length": [2, "always", 100],
  "footer-leading-blank": [1, "always"], "footer-max-line-length": [2, "always", 100],
  "header-max-length": [2, "always", 100], "header-trim": [2, "always"],
  "subject-case": [2, "never", ["sentence-case", "start-case", "pascal-case", "upper-case"]],
  "subject-empty": [2, "never"], "subject-full-stop": [2, "never", "."],
  "type-case": [2, "always", "lower-case"], "type-empty": [2, "never"],
  "type-enum": [2, "always", ["build", "chore", "ci", "docs", "feat", "fix", "perf", "refactor", "revert", "style", "test"]]
}"#;

pub fn configuration(source: &mut Source<'_>) {
    if let Some(root) = source.document() {
        read(source, &root);
    }
}

/// The key `commitlint` of `package.json`.
pub fn package(source: &mut Source<'_>) {
    // Most repositories have the file, and few of them the key.
    if memchr::memmem::find(source.bytes, b"\"commitlint\"").is_none() {
        return;
    }
    let Some(root) = source.document() else { return };
    if let Some(settings) = root.get("commitlint").filter(|settings| settings.is_map()) {
        read(source, settings);
    }
}

/// Whether it looks like a configuration of commitlint.
pub fn is_one(root: &Node) -> bool {
    let has_rules = root.get("rules").is_some_and(|rules| {
        rules.is_map() && rules.entries().iter().any(|(_, rule)| rule.is_seq() && !rule.items().is_empty())
    });
    has_rules || texts(root.get("extends")).iter().any(|name| name.contains("commitlint"))
}

/// The settings of `extends` and, over them, those of the configuration itself.
pub fn read(source: &mut Source<'_>, root: &Node) {
    source.took();
    for key in ["parserPreset", "plugins", "ignores"] {
        if root
            .get(key)
            .is_some_and(|node| !(node.is_null() || node.is_map() || node.is_seq() && node.items().is_empty()))
        {
            source.leave(key, "it is a program; messages are parsed as Conventional Commits 1.0.0 here");
        }
    }
    // commitlint limits nothing that no rule names.
    source.message_option("types", "[]");
    source.message_option("header-max-length", "null");
    source.message_option("type-case", "any");
    let printed = root.get("formatter").is_some() && root.get("prompt").is_some();
    for name in texts(root.get("extends")) {
        match name.rsplit('/').next().unwrap_or_default() {
            "config-conventional" | "conventional" => {
                let rules = crate::yaml::parse(CONVENTIONAL.as_bytes());
                rules.roots.iter().for_each(|rules| read_rules(source, rules));
            }
            // What is printed holds the rules of all that it extends.
            _ if printed => {}
            _ => source.leave(
                format!("extends {name}"),
                "it is a package: npx commitlint --print-config json >config.json, then portcullis init --from config.json",
            ),
        }
    }
    if let Some(rules) = root.get("rules") {
        read_rules(source, rules);
    }
}

fn read_rules(source: &mut Source<'_>, rules: &Node) {
    for (name, rule) in rules.entries() {
        let Some(name) = name.text() else { continue };
        let level = rule.items().first().unwrap_or(rule).as_int();
        let Some(level) = level.filter(|level| (0..=2).contains(level)) else {
            source.leave(name, "its level is no number");
            continue;
        };
        let always = rule.items().get(1).and_then(Node::text) != Some("never");
        let rule = Rule { name, level, always, value: rule.items().get(2) };
        if let Err(why) = rule.translate(source) {
            source.leave(name, why);
        }
    }
}

struct Rule<'n> {
    name: &'n str,
    /// 0: off, 1: warning, 2: error.
    level: i64,
    always: bool,
    value: Option<&'n Node>,
}

/// What is known of a rule here.
enum Counterpart {
    /// An option with a list of words, with the severity of a code.
    Words {
        option: &'static str,
        code: &'static str,
    },
    Case {
        option: &'static str,
        code: &'static str,
    },
    /// A length; `unlimited` is what the option says without one.
    Length {
        option: &'static str,
        unlimited: &'static str,
        code: &'static str,
    },
    Flag {
        option: &'static str,
        when: bool,
        code: &'static str,
    },
    /// No option, only a severity.
    Code {
        when: bool,
        code: &'static str,
    },
}

use Counterpart::{Case, Code, Flag, Length, Words};

const RULES: &[(&str, Counterpart)] = &[
    ("type-enum", Words { option: "types", code: "conventional-commits/type-unknown" }),
    ("scope-enum", Words { option: "scopes", code: "conventional-commits/scope-unknown" }),
    ("type-case", Case { option: "type-case", code: "conventional-commits/type-case" }),
    ("scope-case", Case { option: "scope-case", code: "conventional-commits/scope-case" }),
    ("subject-case", Case { option: "description-case", code: "conventional-commits/description-case" }),
    (
        "header-max-length",
        Length { option: "header-max-length", unlimited: "null", code: "conventional-commits/header-too-long" },
    ),
    (
        "subject-max-length",
        Length {
            option: "description-max-length",
            unlimited: "null",
            code: "conventional-commits/description-too-long",
        },
    ),
    (
        "subject-min-length",
        Length { option: "description-min-length", unlimited: "0", code: "conventional-commits/description-too-short" },
    ),
    (
        "body-max-length",
        Length { option: "body-max-length", unlimited: "null", code: "conventional-commits/body-too-long" },
    ),
    (
        "body-min-length",
        Length { option: "body-min-length", unlimited: "0", code: "conventional-commits/body-too-short" },
    ),
    (
        "body-max-line-length",
        Length { option: "body-max-line-length", unlimited: "null", code: "conventional-commits/body-line-too-long" },
    ),
    (
        "footer-max-line-length",
        Length {
            option: "footer-max-line-length",
            unlimited: "null",
            code: "conventional-commits/footer-line-too-long",
        },
    ),
    ("header-trim", Flag { option: "header-trim", when: true, code: "conventional-commits/trailing-space" }),
    ("scope-empty", Flag { option: "scope-required", when: false, code: "conventional-commits/scope-missing" }),
    ("body-empty", Flag { option: "body-required", when: false, code: "conventional-commits/body-missing" }),
    ("signed-off-by", Flag { option: "signed-off-by", when: true, code: "conventional-commits/signed-off-by-missing" }),
    (
        "footer-leading-blank",
        Flag { option: "footer-separated", when: true, code: "conventional-commits/footer-not-separated" },
    ),
    ("body-leading-blank", Code { when: true, code: "conventional-commits/blank-line-missing" }),
    ("subject-full-stop", Code { when: false, code: "conventional-commits/full-stop" }),
    ("type-empty", Code { when: false, code: "conventional-commits/type-missing" }),
    ("subject-empty", Code { when: false, code: "conventional-commits/description-empty" }),
];

/// Rules that ask for what a text already is, once the others hold.
const OPPOSITE: &str = "only its opposite is known here";

impl Rule<'_> {
    fn translate(&self, source: &mut Source<'_>) -> Result<(), &'static str> {
        if self.name == "references-empty" {
            return self.references(source);
        }
        let known = RULES.iter().find(|(name, _)| *name == self.name);
        let Some((_, counterpart)) = known else {
            return if self.level == 0 { Ok(()) } else { Err("it has no counterpart") };
        };
        let off = self.level == 0;
        let code = match counterpart {
            Words { option, code } => {
                let words = texts(self.value);
                if !off && !self.always {
                    return Err(OPPOSITE);
                }
                source.message_option(option, if off { "[]".to_owned() } else { list(&words) });
                code
            }
            Case { option, code } => {
                source.message_option(option, if off { "any" } else { self.case()? });
                code
            }
            Length { option, unlimited, code } => {
                if !off && !self.always {
                    return Err(OPPOSITE);
                }
                let value = self.value.filter(|_| !off).and_then(Node::as_int);
                source.message_option(option, value.map_or((*unlimited).to_owned(), |n| n.to_string()));
                code
            }
            Flag { option, when, code } => {
                if !off && self.always != *when {
                    return Err(OPPOSITE);
                }
                source.message_option(option, if off { "false" } else { "true" });
                code
            }
            Code { when, code } => {
                if !off && self.always != *when {
                    return Err(OPPOSITE);
                }
                // A header without type or description is none here, whatever its severity.
                if off && matches!(self.name, "type-empty" | "subject-empty") {
                    return Err("a header has a type and a description here: make its code a warning");
                }
                code
            }
        };
        let severity = ["off", "warning", "error"][usize::try_from(self.level).unwrap_or(2)];
        // An option that is off has no findings.
        if off && !matches!(counterpart, Code { .. }) {
            source.out.severities.remove(code);
        } else {
            source.out.severities.insert(code, severity);
        }
        Ok(())
    }

    fn case(&self) -> Result<&'static str, &'static str> {
        let mut cases = texts(self.value);
        cases.sort();
        let cases: Vec<&str> = cases.iter().map(String::as_str).collect();
        Ok(match (self.always, &cases[..]) {
            (true, ["lower-case" | "lowercase"]) => "lower",
            (true, ["upper-case" | "uppercase"]) => "upper",
            (true, ["camel-case"]) => "camel",
            (true, ["kebab-case"]) => "kebab",
            (true, ["pascal-case"]) => "pascal",
            (true, ["snake-case"]) => "snake",
            (true, ["sentence-case" | "sentencecase"]) => "sentence",
            (true, ["start-case"]) => "start",
            // A text that begins with a capital is in sentence case, whatever follows.
            (false, words) if words.contains(&"sentence-case") || words.contains(&"sentencecase") => "lower-first",
            (true, [_, _, ..]) => return Err("one case is known here, not a choice"),
            _ => return Err(OPPOSITE),
        })
    }

    fn references(&self, source: &mut Source<'_>) -> Result<(), &'static str> {
        if self.level > 0 && self.always {
            return Err(OPPOSITE);
        }
        if self.level > 0 {
            source.message_option("references", list(&[r"#\d+"]));
            let severity = if self.level == 1 { "warning" } else { "error" };
            source.out.severities.insert("conventional-commits/reference-missing", severity);
        }
        Ok(())
    }
}
