//! Metrics in Prometheus's text format. Labels are outcomes and rules, never values that a caller chooses such as a remote or
//! workspace.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::answer::{Answer, SyncOutcome};

/// Upper bounds of the buckets, in seconds.
const BUCKETS: [f64; 9] = [0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0];

#[derive(Default)]
pub struct Metrics {
    counted: Mutex<Counted>,
}

#[derive(Default)]
struct Counted {
    outcomes: BTreeMap<SyncOutcome, u64>,
    rules: BTreeMap<String, u64>,
    /// Not cumulative; the last bucket is for longer jobs.
    buckets: [u64; BUCKETS.len() + 1],
    seconds: f64,
}

impl Metrics {
    /// Counts an answer. `took` is the duration of its job, if one ran.
    pub fn count(&self, answer: &Answer, took: Option<Duration>) {
        let mut counted = self.counted();
        *counted.outcomes.entry(answer.outcome).or_default() += 1;
        let mut rules: Vec<&str> =
            answer.findings.iter().filter(|f| f.severity == "error").map(|f| f.rule.as_str()).collect();
        rules.sort_unstable();
        rules.dedup();
        for rule in rules {
            *counted.rules.entry(rule.to_owned()).or_default() += 1;
        }
        if let Some(took) = took.map(|t| t.as_secs_f64()) {
            let bucket = BUCKETS.iter().position(|b| took <= *b).unwrap_or(BUCKETS.len());
            counted.buckets[bucket] += 1;
            counted.seconds += took;
        }
    }

    /// The metrics page. `requests` is the number of requests that run or wait.
    pub fn text(&self, requests: usize) -> String {
        let counted = self.counted();
        let mut out = String::new();
        let mut line = |text: std::fmt::Arguments<'_>| {
            let _ = writeln!(out, "{text}");
        };
        line(format_args!("# HELP portcullis_sync_total Requests for a sync, by how they ended."));
        line(format_args!("# TYPE portcullis_sync_total counter"));
        for outcome in SyncOutcome::ALL {
            let n = counted.outcomes.get(&outcome).copied().unwrap_or_default();
            line(format_args!("portcullis_sync_total{{outcome=\"{}\"}} {n}", outcome.name()));
        }
        line(format_args!("# HELP portcullis_sync_refusals_total Refused syncs, by the rule that refused."));
        line(format_args!("# TYPE portcullis_sync_refusals_total counter"));
        for (rule, n) in &counted.rules {
            // A policy may define its own rule names, so escape them.
            let rule = rule.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            line(format_args!("portcullis_sync_refusals_total{{rule=\"{rule}\"}} {n}"));
        }
        line(format_args!("# HELP portcullis_sync_duration_seconds How long jobs ran, without their waiting."));
        line(format_args!("# TYPE portcullis_sync_duration_seconds histogram"));
        let mut sum = 0;
        for (bound, n) in BUCKETS.iter().zip(counted.buckets) {
            sum += n;
            line(format_args!("portcullis_sync_duration_seconds_bucket{{le=\"{bound}\"}} {sum}"));
        }
        let all: u64 = counted.buckets.iter().sum();
        line(format_args!("portcullis_sync_duration_seconds_bucket{{le=\"+Inf\"}} {all}"));
        line(format_args!("portcullis_sync_duration_seconds_sum {}", counted.seconds));
        line(format_args!("portcullis_sync_duration_seconds_count {all}"));
        line(format_args!("# HELP portcullis_sync_requests Requests that run or wait now."));
        line(format_args!("# TYPE portcullis_sync_requests gauge"));
        line(format_args!("portcullis_sync_requests {requests}"));
        out
    }

    fn counted(&self) -> MutexGuard<'_, Counted> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
