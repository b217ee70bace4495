//! A draft on disk, beside the git directory, so that the engine judges it as it will judge the policy. It goes away when it
//! is no longer needed.

use super::own_mistake;
use crate::cli::{JudgeArgs, OutputArgs};
use crate::command::Outside;
use crate::command::acceptance_files::AcceptanceFiles;
use crate::command::gate::{Gate, Refusal, Target};
use crate::command::policy_file;
use crate::error::Result;
use crate::git::{Repo, Source};
use crate::options::PolicyFile;
use crate::policy::{Accepted, Policy};
use crate::report::Report;

pub struct DraftFiles<'a> {
    repo: &'a Repo,
    outside: &'a Outside,
    files: AcceptanceFiles,
}

impl<'a> DraftFiles<'a> {
    /// `baseline`: the one that is in the repository before there is a policy.
    pub fn write(repo: &'a Repo, outside: &'a Outside, text: String, baseline: Option<&[u8]>) -> Result<Self> {
        let policy = repo.git_dir().join("portcullis-init.yaml");
        let untrusted = policy_file::untrusted(Some(repo), &outside.directory);
        let baseline_name = policy_file::baseline_of(&policy);
        let draft = Self { repo, outside, files: AcceptanceFiles { policy, baseline_name, untrusted } };
        // What a run that was killed has left is not this one's.
        let _ = std::fs::remove_file(&draft.files.baseline_name);
        let accepted =
            Accepted { policy: Some(text.into_bytes()), baseline: baseline.map(<[u8]>::to_vec), ..Accepted::default() };
        draft.files.write(&accepted)?;
        Ok(draft)
    }

    /// What the draft says of the work tree.
    pub fn judge(&self) -> Result<Report> {
        let judge = JudgeArgs { policy: Some(self.files.policy.clone()), ..JudgeArgs::default() };
        let gate = Gate::new(Some(self.repo), self.outside, judge, OutputArgs::default());
        let source = Source::WorkTree { paths: Vec::new() };
        let judged = gate.judge(&Target::Change(self.repo, &source));
        judged.map(|judged| judged.report).map_err(|refusal| refusal.into_error(own_mistake))
    }

    /// The draft with its exceptions, as a policy for hundreds of landings: without the search for squashes, which takes a
    /// tenth of a second for each where much is unreleased.
    pub fn quick_policy(&self) -> Result<Policy> {
        let path = &self.files.policy;
        let mut files = policy_file::with_baseline(path, path, &self.files.untrusted)?;
        files.push(PolicyFile::new("init", "rules: { branch-topology: { content-cap: 0 } }\n"));
        Policy::load(files).map_err(|mistakes| Refusal::from(mistakes).into_error(own_mistake))
    }

    /// Adds an exception for everything that stands.
    pub fn accept_all(&self, report: &Report) -> Result<Accepted> {
        let accepted = self.files.accept(report, self.outside.today())?;
        self.files.write(&accepted)?;
        Ok(accepted)
    }
}

impl Drop for DraftFiles<'_> {
    fn drop(&mut self) {
        // Nothing depends on them any more, and nobody is left to tell.
        for file in [&self.files.policy, &self.files.baseline_name] {
            let _ = std::fs::remove_file(file);
        }
    }
}
