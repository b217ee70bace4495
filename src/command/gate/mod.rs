//! What every judging command does: read the policy, judge by it, write the report, give the exit code. Owns the order of
//! these steps for the laptop and CI; the server's hook shares the [`pipeline`].

mod excepted_values;
pub mod pipeline;
mod policy_source;
mod refusal;
pub mod reports;
mod rule_infos;
mod title;

use std::cell::OnceCell;
use std::sync::Arc;
use std::time::Instant;

use sha2::{Digest as _, Sha256};

pub use self::pipeline::Target;
use self::pipeline::{Judgement, use_threads};
use self::policy_source::PolicySource;
pub use self::refusal::{Judging, Refusal, WRONG_POLICY};
use super::acceptance_files::AcceptanceFiles;
use super::policy_file::{self, POLICY_FILE};
use super::{Outside, program};
use crate::cli::{JudgeArgs, OutputArgs};
use crate::engine::{BlobReading, CleanCache};
use crate::error::Result;
use crate::finding::Redact;
use crate::git::Repo;
use crate::policy::{self, Batch, Compiled, Policy};
use crate::report::{self, Context, Output, Report, Verbosity, Verdict};
use crate::subject::Kinds;

/// Where the tool is at home, and where its rules are explained.
const HOME: &str = "https://github.com/portcullis-dev/portcullis";
const EXPLAIN: &str = "https://github.com/portcullis-dev/portcullis/blob/main/docs/rules.md";

/// One judgement on the laptop or in CI: the policy is that of the work tree, or of a commit the user names.
pub struct Gate<'a> {
    repo: Option<&'a Repo>,
    outside: &'a Outside,
    judge: JudgeArgs,
    output: OutputArgs,
    /// Rules that `PORTCULLIS_SKIP` names.
    skip: Vec<String>,
    kinds: Kinds,
    /// Runs as a hook: reads no more of the policy than it needs, and writes nothing where there is nothing to say.
    hook: bool,
    policy: OnceCell<Policy>,
    /// The policy came from elsewhere than from what is judged.
    trusted_policy: bool,
    /// Skips files that an earlier run found clean.
    uses_cache: bool,
    /// What the caller found about the change, beside the engine.
    findings: Vec<Batch>,
    notes: Vec<String>,
}

/// A report, and what it was made with.
pub struct Judged {
    pub report: Report,
    /// The families that ran.
    pub families: Vec<&'static str>,
}

impl From<Report> for Judged {
    fn from(report: Report) -> Self {
        Self { report, families: Vec::new() }
    }
}

impl<'a> Gate<'a> {
    /// As a hook judges: defaults for everything, silent when all is well.
    pub fn for_hook(repo: &'a Repo, outside: &'a Outside) -> Self {
        let gate = Self::new(Some(repo), outside, JudgeArgs::default(), OutputArgs::default());
        Self { hook: true, ..gate }
    }

    /// As a user asked. No repository: only files can be judged.
    pub fn new(repo: Option<&'a Repo>, outside: &'a Outside, judge: JudgeArgs, output: OutputArgs) -> Self {
        Self {
            repo,
            outside,
            judge,
            output,
            skip: Vec::new(),
            kinds: Kinds::ALL,
            hook: false,
            policy: OnceCell::new(),
            trusted_policy: false,
            uses_cache: false,
            findings: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Skips files of the work tree that an earlier run found clean.
    pub fn with_cache(mut self, uses_cache: bool) -> Self {
        self.uses_cache = uses_cache;
        self
    }

    pub fn skipping_rules(mut self, rules: Vec<String>) -> Self {
        self.skip = rules;
        self
    }

    /// Judges only these kinds of subject.
    pub fn only_kinds(mut self, kinds: Kinds) -> Self {
        self.kinds = kinds;
        self
    }

    /// Judges by this policy, wherever it came from.
    pub fn by_policy(mut self, policy: Policy) -> Self {
        self.policy = OnceCell::from(policy);
        self.trusted_policy = true;
        self
    }

    /// Adds findings and remarks that the engine does not make.
    pub fn with_findings(mut self, findings: impl IntoIterator<Item = Batch>, notes: Vec<String>) -> Self {
        self.findings.extend(findings);
        self.notes.extend(notes);
        self
    }

    pub fn repo(&self) -> Option<&'a Repo> {
        self.repo
    }

    /// Judges, writes the report, and gives the exit code.
    pub fn run(&self, target: &Target<'_>) -> Result<u8> {
        let started = Instant::now();
        let (judged, code) = self.judge_and_report(target)?;
        self.write_report(&judged, started)?;
        Ok(code)
    }

    /// Judges, and gives the report with the exit code: a policy that cannot be followed is reported like findings.
    pub fn judge_and_report(&self, target: &Target<'_>) -> Result<(Judged, u8)> {
        match self.judge(target) {
            Ok(judged) => {
                let code = judged.report.exit_code();
                Ok((judged, code))
            }
            Err(refusal) => Ok((refusal.into_report()?.into(), WRONG_POLICY)),
        }
    }

    /// Writes why there was no verdict, and gives the exit code.
    pub fn write_refusal(&self, refusal: Refusal) -> Result<u8> {
        self.write_report(&refusal.into_report()?.into(), Instant::now())?;
        Ok(WRONG_POLICY)
    }

    pub fn judge(&self, target: &Target<'_>) -> Judging<Judged> {
        use_threads(self.judge.jobs)?;
        let policy = self.policy()?;
        let checks = self.compile(policy, target)?;
        let cache = self.clean_cache(policy);
        let judgement = Judgement {
            own_policy: !self.trusted_policy && self.policy_source().is_judged_too(),
            title: self.judge.title.as_deref(),
            threads: self.judge.jobs.unwrap_or(0),
            blob_reading: if self.judge.one_by_one { BlobReading::OneByOne } else { BlobReading::Prescan },
            clean_cache: cache.as_ref(),
            ..Judgement::new(policy, &checks)
        };
        let run = policy::Run {
            complete: target.is_work_tree() && self.skip.is_empty() && self.kinds == Kinds::ALL,
            only: self.judge.only.clone(),
            skip: self.skip.clone(),
            deny_warnings: self.judge.deny.is_some(),
            ..policy::Run::new(self.outside.today())
        };
        let report = judgement.report(target, run, |outcome| {
            outcome.batches.extend(self.findings.iter().cloned());
            outcome.notes.splice(0..0, self.notes.iter().cloned());
            if self.repo.is_some_and(Repo::is_foreign) {
                let note = "the repository belongs to another account: its git configuration was not trusted";
                outcome.notes.push(note.to_owned());
            }
            Ok(())
        })?;
        Ok(Judged { report, families: checks.families })
    }

    /// The checks of what the target can have. Outside hooks, every family's options are read, so that all mistakes of
    /// the policy are told together.
    fn compile(&self, policy: &Policy, target: &Target<'_>) -> Judging<Compiled> {
        let unknown = policy.check_names("PORTCULLIS_SKIP", &self.skip);
        if !unknown.is_empty() {
            return Err(unknown.into());
        }
        let compiled = policy.compile(target.kinds().intersection(self.kinds), &self.judge.only);
        if self.hook {
            return Ok(compiled?);
        }
        let mistakes = match &compiled {
            Ok(compiled) => policy.validate_but(&compiled.families),
            Err(mistakes) => {
                let mut all = mistakes.clone();
                all.extend(policy.validate().into_iter().filter(|m| !mistakes.contains(m)));
                all
            }
        };
        if mistakes.is_empty() { Ok(compiled?) } else { Err(mistakes.into()) }
    }

    /// What an earlier run found clean, if it can be relied on: the same program by the same policy and options.
    fn clean_cache(&self, policy: &Policy) -> Option<CleanCache> {
        // What stands in a repository of another account was written by nobody we know.
        let repo = self.repo.filter(|repo| self.uses_cache && !repo.is_foreign())?;
        let mut sum = Sha256::new();
        let mut add = |part: &[u8]| {
            sum.update((part.len() as u64).to_le_bytes());
            sum.update(part);
        };
        add(env!("CARGO_PKG_VERSION").as_bytes());
        // Two builds may bear one version; the file tells them apart.
        add(&program()?);
        for file in policy.files() {
            add(&file.path);
            add(&file.bytes);
        }
        let JudgeArgs { only, strict, .. } = &self.judge;
        add(format!("{only:?} {strict} {:?}", self.kinds).as_bytes());
        Some(CleanCache::open(&repo.git_dir().join("portcullis"), sum.finalize().into()))
    }

    /// The detectors of the policy that counts here, where it has any of its own and can be followed.
    pub fn own_redactor(&self) -> Option<Arc<dyn Redact>> {
        self.policy().ok()?.compile(Kinds::COMMIT, &["secrets".to_owned()]).ok()?.redactor
    }

    /// The policy that counts here.
    pub fn policy(&self) -> Judging<&Policy> {
        if let Some(policy) = self.policy.get() {
            return Ok(policy);
        }
        let policy = Policy::load(self.policy_source().files()?)?;
        let policy = if self.judge.strict { policy.strictly() } else { policy };
        Ok(self.policy.get_or_init(|| policy))
    }

    fn policy_source(&self) -> PolicySource<'_> {
        PolicySource { repo: self.repo, directory: &self.outside.directory, args: &self.judge }
    }

    /// Where exceptions for what stands would be written.
    pub fn acceptance_files(&self) -> AcceptanceFiles {
        let (policy, baseline_name) = self.policy_source().acceptance_files();
        let untrusted = policy_file::untrusted(self.repo, &self.outside.directory);
        AcceptanceFiles { policy, baseline_name, untrusted }
    }

    /// Writes the report in every format that was asked for.
    pub fn write_report(&self, judged: &Judged, started: Instant) -> Result<()> {
        let report = &judged.report;
        let nothing = report.verdict() == Verdict::Pass && report.standing().is_empty() && report.notes.is_empty();
        if self.hook && nothing {
            return Ok(());
        }
        let formats: Vec<Output> = self.output.format.iter().map(|f| f.parse()).collect::<Result<_>>()?;
        let outputs = report::plan(formats, self.output.output.clone())?;
        // What rules are is read from their files, which most runs have no time for.
        let lists = outputs.iter().any(|o| o.format.lists_rules);
        let rules = if lists { rule_infos::of(report, &judged.families) } else { Vec::new() };
        let context = Context { rules: &rules, ..self.context(started) };
        let untrusted = policy_file::untrusted(self.repo, &self.outside.directory);
        report::write_all(&outputs, report, &context, &mut std::io::stdout().lock(), &untrusted)
    }

    /// What renderers may know beside the report and the list of rules.
    pub fn context(&self, started: Instant) -> Context<'static> {
        let verbosity = match (self.output.quiet, self.output.verbose) {
            (true, _) => Verbosity::Quiet,
            (_, true) => Verbosity::Verbose,
            _ => Verbosity::Normal,
        };
        Context {
            color: self.outside.color(),
            verbosity,
            home: HOME,
            explain_base: EXPLAIN,
            policy_path: POLICY_FILE,
            stats: self.output.stats,
            started: self.outside.now,
            elapsed: Some(started.elapsed()),
            ..Context::default()
        }
    }
}
