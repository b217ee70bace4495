//! The generic detector on a labelled corpus of assignments, in all the syntaxes it knows: `corpus/*.yml`.
//! Lines it gets wrong stay in: what is asserted is that the numbers never fall.

use std::collections::BTreeMap;

use bstr::BStr;
use portcullis::rules::secrets::built_in;

/// The least there may ever be again: raise them with the detector.
const RECALL: f64 = 0.95;
const PRECISION: f64 = 0.99;

#[derive(serde::Deserialize)]
struct Corpus {
    found: BTreeMap<String, Vec<String>>,
    quiet: BTreeMap<String, Vec<String>>,
}

const CORPUS: [(&str, &str); 5] = [
    ("basics", include_str!("corpus/basics.yml")),
    ("config", include_str!("corpus/config.yml")),
    ("code", include_str!("corpus/code.yml")),
    ("infra", include_str!("corpus/infra.yml")),
    ("forms", include_str!("corpus/forms.yml")),
];

fn secrets(path: &str, text: &str) -> Vec<String> {
    let hits = built_in().scan(text.as_bytes(), Some(BStr::new(path)));
    hits.iter().map(|hit| text[hit.secret.clone()].to_owned()).collect()
}

/// Right, to find, false, to leave alone.
type Counts = [u32; 4];

fn judge(corpus: &Corpus, wrong: &mut Vec<String>) -> Counts {
    let [mut right, mut all, mut falsely, mut quiet] = [0; 4];
    for (path, case) in corpus.found.iter().flat_map(|(path, cases)| cases.iter().map(move |case| (path, case))) {
        let case = case.replace("<>", "");
        let (text, secret) = case.rsplit_once('|').expect("text|secret");
        all += 1;
        match secrets(path, text) {
            found if found == [secret] => right += 1,
            found => wrong.push(format!("missed {path}: {text:?}: found {found:?}")),
        }
    }
    for (path, case) in corpus.quiet.iter().flat_map(|(path, cases)| cases.iter().map(move |case| (path, case))) {
        let text = case.replace("<>", "");
        quiet += 1;
        let found = secrets(path, &text);
        if !found.is_empty() {
            falsely += 1;
            wrong.push(format!("false {path}: {text:?}: found {found:?}"));
        }
    }
    [right, all, falsely, quiet]
}

#[test]
#[allow(clippy::disallowed_macros, clippy::print_stdout)] // the numbers are what the corpus is for: `-- --nocapture`
fn precision_and_recall_of_the_labelled_corpus() {
    let mut sum: Counts = [0; 4];
    let mut wrong = Vec::new();
    for (name, text) in CORPUS {
        let corpus: Corpus = serde_yaml::from_str(text).unwrap_or_else(|e| panic!("{name}: {e}"));
        let counts = judge(&corpus, &mut wrong);
        println!("{name}: {} of {} found, {} of {} falsely", counts[0], counts[1], counts[2], counts[3]);
        sum = std::array::from_fn(|at| sum[at] + counts[at]);
    }
    let [right, all, falsely, quiet] = sum.map(f64::from);
    let (recall, precision) = (right / all, right / (right + falsely));
    let forms = judge(&serde_yaml::from_str(CORPUS[4].1).expect("YAML"), &mut Vec::new());
    assert_eq!((forms[0], forms[2]), (forms[1], 0), "{}", wrong.join("\n"));
    let numbers = format!("{all} to find, {quiet} to leave alone: recall {recall:.3}, precision {precision:.3}");
    println!("{numbers}\n{}", wrong.join("\n"));
    assert!(all + quiet >= 600.0, "{numbers}");
    assert!(recall >= RECALL && precision >= PRECISION, "{numbers}\n{}", wrong.join("\n"));
}
