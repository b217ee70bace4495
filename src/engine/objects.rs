//! Commits, tags and trees as they are stored, checked while git lists the changes of a push. Owns the results until
//! the listing is complete.

use std::sync::{Mutex, PoisonError};

use crate::finding::{Finding, Findings};
use crate::policy::Compiled;
use crate::report::Undecided;
use crate::rules::secrets::redactor;
use crate::subject::Object;

/// The checks of stored objects, and their results so far.
pub(super) struct ObjectChecks<'a> {
    checks: &'a Compiled,
    key: u64,
    results: Mutex<(Vec<Finding>, Vec<Undecided>)>,
}

impl<'a> ObjectChecks<'a> {
    pub fn new(checks: &'a Compiled, key: u64) -> Self {
        Self { checks, key, results: Mutex::default() }
    }

    /// Can be called on any thread.
    pub fn check(&self, object: &Object<'_>) {
        let mut findings = Findings::new(redactor(), self.key);
        let checked = self.checks.objects.iter().map(|scoped| scoped.check.check(object, &mut findings));
        let errors: Vec<_> = checked.filter_map(Result::err).collect();
        if !(findings.is_empty() && errors.is_empty()) {
            let mut results = self.results.lock().unwrap_or_else(PoisonError::into_inner);
            results.0.extend(findings.into_vec());
            results.1.extend(errors.into_iter().map(|error| Undecided { error, origin: None }));
        }
    }

    /// Sorted, so that the order does not depend on threads. A tree that occurs at several paths is one finding.
    pub fn into_results(self) -> (Vec<Finding>, Vec<Undecided>) {
        let (mut findings, errors) = self.results.into_inner().unwrap_or_else(PoisonError::into_inner);
        findings.sort_by(|a, b| (&a.fingerprint, &a.origin).cmp(&(&b.fingerprint, &b.origin)));
        findings.dedup_by(|b, a| a.fingerprint == b.fingerprint);
        findings.sort_by(|a, b| (&a.origin, &a.rule).cmp(&(&b.origin, &b.rule)));
        (findings, errors)
    }
}
