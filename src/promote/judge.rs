//! The interface to the engine, which judges a plan before its commits exist; assigns each finding to its step.

use super::history::History;
use super::plan::{Plan, PlanFinding, State};
use crate::error::Result;
use crate::finding::{Finding, Origin, Severity};
use crate::subject::Oid;
use crate::text;

/// A plan to be judged: its objects are in the memory of `history.picker`.
pub struct Planned<'p, 'r> {
    pub history: &'p History<'r>,
    pub plan: &'p Plan,
}

/// Findings on a plan, each with the original commit of the step that it belongs to; `None`: the result as a whole.
#[derive(Default)]
pub struct Judgement(pub Vec<(Option<Oid>, PlanFinding)>);

/// Whoever judges plans.
pub trait JudgePlan {
    fn judge(&self, planned: &Planned<'_, '_>) -> Result<Judgement>;
}

/// Judges nothing: `--no-check`, and tests of everything else.
pub struct Unjudged;

impl JudgePlan for Unjudged {
    fn judge(&self, _: &Planned<'_, '_>) -> Result<Judgement> {
        Ok(Judgement::default())
    }
}

impl Judgement {
    /// Puts each finding into its step or the result; a step with an error is refused.
    pub fn settle(self, plan: &mut Plan) {
        for (commit, found) in self.0 {
            let step = plan.steps.iter_mut().find(|s| Some(s.commit.0) == commit);
            match step {
                Some(step) => {
                    if found.severity == Severity::Error && step.state == State::Clean {
                        step.state = State::Refused;
                    }
                    step.findings.push(found);
                }
                None => plan.result.findings.push(found),
            }
        }
    }
}

impl PlanFinding {
    pub fn of(finding: &Finding) -> Self {
        let path = match &finding.origin {
            Origin::Ref { name, .. } => Some(name),
            origin => origin.path(),
        };
        Self {
            rule: finding.rule.to_string(),
            severity: finding.severity,
            message: finding.message.clone(),
            path: path.map(|p| text::sanitise(p)),
            line: (finding.span.line > 0 && path.is_some()).then_some(finding.span.line),
            fingerprint: finding.fingerprint.clone(),
        }
    }
}
