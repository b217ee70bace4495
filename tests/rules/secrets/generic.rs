//! The generic detector on a labelled corpus of assignments, in all the syntaxes it knows.

use std::collections::BTreeMap;

use bstr::BStr;
use portcullis::rules::secrets::built_in;

#[derive(serde::Deserialize)]
struct Corpus {
    found: BTreeMap<String, Vec<String>>,
    quiet: BTreeMap<String, Vec<String>>,
}

fn corpus() -> Corpus {
    serde_yaml::from_str(include_str!("generic.yml")).expect("the corpus is YAML")
}

fn secrets(path: &str, text: &str) -> Vec<String> {
    let hits = built_in().scan(text.as_bytes(), Some(BStr::new(path)));
    hits.iter().map(|hit| text[hit.secret.clone()].to_owned()).collect()
}

#[test]
#[allow(clippy::disallowed_macros, clippy::print_stdout)] // the numbers are what the corpus is for: `-- --nocapture`
fn precision_and_recall_of_the_labelled_corpus() {
    let corpus = corpus();
    let (mut right, mut all, mut wrong) = (0, 0, Vec::new());
    for (path, cases) in &corpus.found {
        for case in cases {
            let case = case.replace("<>", "");
            let (text, secret) = case.rsplit_once('|').expect("text|secret");
            all += 1;
            match secrets(path, text) {
                found if found == [secret] => right += 1,
                found => wrong.push(format!("missed {path}: {text:?}: found {found:?}")),
            }
        }
    }
    let mut false_ones = 0;
    let mut quiet = 0;
    for (path, cases) in &corpus.quiet {
        for case in cases {
            let text = case.replace("<>", "");
            quiet += 1;
            let found = secrets(path, &text);
            if !found.is_empty() {
                false_ones += 1;
                wrong.push(format!("false {path}: {text:?}: found {found:?}"));
            }
        }
    }
    let (recall, precision) = (right as f64 / all as f64, right as f64 / f64::from(right + false_ones).max(1.0));
    println!(
        "{all} to find, {quiet} to leave alone: recall {recall:.3}, precision {precision:.3}\n{}",
        wrong.join("\n")
    );
    assert!(all + quiet >= 200, "{all} + {quiet}");
    assert!(recall >= 0.97 && precision >= 0.97, "recall {recall:.3}, precision {precision:.3}\n{}", wrong.join("\n"));
}
