//! What one message costs, in process: to judge it, to take it apart, to compile the rule. The budget is 50 µs a message.

use bstr::BString;
use divan::{Bencher, black_box};
use portcullis::finding::{Findings, NothingToHide};
use portcullis::options::Trial;
use portcullis::rules::conventional_commits::{RULE, parse};
use portcullis::subject::{Carrier, Commit, Oid, Person};

fn main() {
    divan::main();
}

const MESSAGES: [(&str, &str); 5] = [
    ("short", "feat(media): add jellyseerr application"),
    (
        "trailers",
        "fix: prevent racing of requests\n\nIntroduce a request id and a reference to the latest request. Dismiss\n\
         incoming responses other than from the latest request.\n\nRemove timeouts which were used to mitigate the racing\n\
         issue but are obsolete now.\n\nReviewed-by: Z\nRefs: #123\nSigned-off-by: A U Thor <author@example.org>\n",
    ),
    ("slip", "feat(api: x"),
    ("unknown", "Windmill: Deploy staging → prod (#284)"),
    ("prose", "Added new feature"),
];

fn commit<'a>(message: &str, changed_paths: &'a dyn Fn() -> portcullis::error::Result<Vec<BString>>) -> Commit<'a> {
    Commit {
        carrier: Carrier::Commit(Oid::from_bytes(&[1; 20]).expect("20 bytes")),
        message: message.into(),
        headers: BString::default(),
        parents: vec![Oid::from_bytes(&[2; 20]).expect("20 bytes")],
        tree: Oid::from_bytes(&[3; 20]),
        author: Person::default(),
        committer: Person::default(),
        new_to: "refs/heads/main".into(),
        changed_paths,
        came_by: &|_| Ok(false),
    }
}

#[divan::bench(args = MESSAGES.map(|(name, _)| name))]
fn judge(bencher: Bencher<'_, '_>, name: &str) {
    let message = MESSAGES.iter().find(|(n, _)| *n == name).expect("an argument is one of them").1;
    let (checks, _) = Trial::new(RULE.policy, "").run(|options| (RULE.compile)(options));
    let paths = || Ok(Vec::new());
    let commit = commit(message, &paths);
    bencher.bench_local(|| {
        let mut findings = Findings::new(&NothingToHide, 0);
        checks.commits[0].check(black_box(&commit), &mut findings).expect("decided");
        findings.into_vec()
    });
}

#[divan::bench]
fn judge_a_megabyte(bencher: Bencher<'_, '_>) {
    let message = format!("fix: x\n\n{}", "word word word\n".repeat(70_000));
    let (checks, _) = Trial::new(RULE.policy, "").run(|options| (RULE.compile)(options));
    let paths = || Ok(Vec::new());
    let commit = commit(&message, &paths);
    bencher.bench_local(|| {
        let mut findings = Findings::new(&NothingToHide, 0);
        checks.commits[0].check(black_box(&commit), &mut findings).expect("decided");
    });
}

#[divan::bench(args = MESSAGES.map(|(name, _)| name))]
fn take_apart(bencher: Bencher<'_, '_>, name: &str) {
    let message = MESSAGES.iter().find(|(n, _)| *n == name).expect("an argument is one of them").1;
    bencher.bench(|| parse::parse(black_box(message.as_bytes())).map(|m| m.errors.len()));
}

#[divan::bench]
fn read_options_and_compile() -> usize {
    let (checks, _) = Trial::new(RULE.policy, "").run(|options| (RULE.compile)(options));
    checks.commits.len()
}
