//! Commits, tags and trees as they are stored, judged while git lists what a change brings. Owns what comes of that.

use std::sync::{Mutex, PoisonError};

use crate::finding::{Finding, Findings};
use crate::policy::Compiled;
use crate::report::Undecided;
use crate::rules::secrets::redactor;
use crate::subject::Object;

/// What the checks of objects have said so far.
pub(super) struct Judged<'a> {
    checks: &'a Compiled,
    key: u64,
    found: Mutex<(Vec<Finding>, Vec<Undecided>)>,
}

impl<'a> Judged<'a> {
    pub fn new(checks: &'a Compiled, key: u64) -> Self {
        Self { checks, key, found: Mutex::default() }
    }

    /// Any thread's call.
    pub fn object(&self, object: &Object<'_>) {
        let mut findings = Findings::new(redactor(), self.key);
        let checked = self.checks.objects.iter().map(|scoped| scoped.check.check(object, &mut findings));
        let errors: Vec<_> = checked.filter_map(Result::err).collect();
        if !(findings.is_empty() && errors.is_empty()) {
            let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
            found.0.extend(findings.into_vec());
            found.1.extend(errors.into_iter().map(|error| Undecided { error, origin: None }));
        }
    }

    /// In an order that does not depend on threads; a tree that stands at several places is one finding.
    pub fn into_found(self) -> (Vec<Finding>, Vec<Undecided>) {
        let (mut findings, errors) = self.found.into_inner().unwrap_or_else(PoisonError::into_inner);
        findings.sort_by(|a, b| (&a.fingerprint, &a.origin).cmp(&(&b.fingerprint, &b.origin)));
        findings.dedup_by(|b, a| a.fingerprint == b.fingerprint);
        findings.sort_by(|a, b| (&a.origin, &a.rule).cmp(&(&b.origin, &b.rule)));
        (findings, errors)
    }
}
