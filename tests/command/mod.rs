//! The command line as a user meets it: the built binary on real repositories.

mod backtest;
mod cache;
mod check;
mod large;
mod policy;
mod told_once;

use std::process::Output;

use serde_json::Value;

use crate::support::TestRepo;

/// Runs the binary in a repository, cut off from the machine as git is.
pub fn portcullis(repo: &TestRepo, arguments: &[&str]) -> Output {
    repo.command(env!("CARGO_BIN_EXE_portcullis")).args(arguments).output().expect("the binary runs")
}

/// Exit code and JSON report.
pub fn json(repo: &TestRepo, arguments: &[&str]) -> (i32, Value) {
    let output = portcullis(repo, &[arguments, &["--format", "json"]].concat());
    let text = String::from_utf8(output.stdout).expect("JSON is UTF-8");
    let value = serde_json::from_str(&text)
        .unwrap_or_else(|e| panic!("{e}: {text}{}", String::from_utf8_lossy(&output.stderr)));
    (output.status.code().expect("no signal"), value)
}

/// `rule path:line:column` of each finding, in the report's order.
pub fn found(report: &Value) -> Vec<String> {
    let findings = report["findings"].as_array().expect("findings");
    let one = |f: &Value| {
        let place = f["origin"]["path"].as_str().or(f["origin"]["name"].as_str()).unwrap_or("message");
        format!("{} {place}:{}:{}", f["rule"].as_str().unwrap(), f["span"]["line"], f["span"]["column"])
    };
    findings.iter().map(one).collect()
}

/// A GitHub token that nobody has: its checksum is right, its value is made up.
pub fn token() -> String {
    let body = "Zq7Xk2Vw9Rt4Yp1Lm8Nb3Cd6Fg5Hj0";
    let mut crc = u64::from(crc32fast::hash(body.as_bytes()));
    let digits = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut tail = Vec::new();
    for _ in 0..6 {
        tail.push(digits[(crc % 62) as usize]);
        crc /= 62;
    }
    tail.reverse();
    format!("ghp{}{body}{}", '_', String::from_utf8(tail).expect("ASCII"))
}
