//! What every judging command shares: policy, engine, settling, outputs, exit code.
//! Owns the order of these steps and where a laptop's policy comes from; a server's trusted policy is `hook::run`'s.

use std::cell::OnceCell;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use sha2::{Digest, Sha256};

use super::former::compare_values;
use super::policy_file::{self, POLICY_FILE};
use super::title::title_for_messages;
use super::{Outside, rules_known};
use crate::cli::{JudgeArgs, OutputArgs};
use crate::engine::{self, BlobReading, CleanCache, Outcome, RunConfig};
use crate::error::{Error, Result};
use crate::finding::{Findings, Mask, Redact};
use crate::git::{Repo, Source};
use crate::options::{Mistake, PolicyFile};
use crate::policy::{self, Batch, Policy};
use crate::report::{self, Context, Output, Report, Undecided, Verbosity, Verdict};
use crate::rules::secrets::redactor;
use crate::stats::Stats;
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
    /// Runs as a hook: reads no more of the policy than it needs, and says nothing where there is nothing to say.
    hook: bool,
    policy: OnceCell<Policy>,
    /// The policy came from elsewhere than from what is judged.
    trusts: bool,
    /// Relies on what a run before found clean.
    remembering: bool,
    /// What somebody else found about the change, beside the engine.
    beside: Vec<Batch>,
    notes: Vec<String>,
}

/// A verdict, and what it was made with.
pub struct Judged {
    pub report: Report,
    /// The families that ran.
    pub families: Vec<&'static str>,
}

/// What there is to judge.
pub enum Matter<'a> {
    Change(&'a Source),
    /// Files under these paths, in no repository.
    Files(&'a [PathBuf]),
}

impl<'a> Gate<'a> {
    /// As a hook judges: defaults for everything, silent when all is well.
    pub fn local(repo: &'a Repo, outside: &'a Outside) -> Self {
        let gate = Self::new(Some(repo), outside, JudgeArgs::default(), OutputArgs::default());
        Self { hook: true, ..gate }
    }

    /// As a user asked. No repository: only files can be judged.
    pub fn new(repo: Option<&'a Repo>, outside: &'a Outside, judge: JudgeArgs, output: OutputArgs) -> Self {
        let (skip, kinds, policy) = (Vec::new(), Kinds::ALL, OnceCell::new());
        let (beside, notes) = (Vec::new(), Vec::new());
        let (hook, remembering, trusts) = (false, false, false);
        Self { repo, outside, judge, output, skip, kinds, hook, policy, trusts, remembering, beside, notes }
    }

    /// Passes over files of the work tree that a run before found clean, if `so`.
    pub fn remembering(mut self, so: bool) -> Self {
        self.remembering = so;
        self
    }

    pub fn skipping(mut self, rules: Vec<String>) -> Self {
        self.skip = rules;
        self
    }

    /// Judges only these kinds of subject.
    pub fn kinds(mut self, kinds: Kinds) -> Self {
        self.kinds = kinds;
        self
    }

    /// Judges by this policy, wherever it came from.
    pub fn trusting(mut self, policy: Policy) -> Self {
        self.policy = OnceCell::from(policy);
        self.trusts = true;
        self
    }

    /// Adds findings and remarks that the engine does not make.
    pub fn beside(mut self, findings: impl IntoIterator<Item = Batch>, notes: Vec<String>) -> Self {
        self.beside.extend(findings);
        self.notes.extend(notes);
        self
    }

    pub fn repo(&self) -> Option<&'a Repo> {
        self.repo
    }

    /// Judges, tells, and gives the exit code.
    pub fn run(&self, matter: &Matter<'_>) -> Result<u8> {
        let started = Instant::now();
        let (judged, code) = self.decide(matter)?;
        self.tell(&judged, started)?;
        Ok(code)
    }

    /// Judges, and gives what is to be told with the exit code: a policy that cannot be followed is told like findings.
    pub fn decide(&self, matter: &Matter<'_>) -> Result<(Judged, u8)> {
        Ok(match self.judge(matter)? {
            Ok(judged) => {
                let code = judged.report.exit_code();
                (judged, code)
            }
            Err(mistakes) => (Judged { report: mistaken(&mistakes), families: Vec::new() }, 2),
        })
    }

    /// Tells what is wrong with the policy, and gives the exit code.
    pub fn refuse(&self, mistakes: &[Mistake]) -> Result<u8> {
        self.tell(&Judged { report: mistaken(mistakes), families: Vec::new() }, Instant::now())?;
        Ok(2)
    }

    /// Judges. The inner error: the policy cannot be followed.
    pub fn judge(&self, matter: &Matter<'_>) -> Result<Result<Judged, Vec<Mistake>>> {
        use_threads(self.judge.jobs)?;
        let policy = match self.policy()? {
            Ok(policy) => policy,
            Err(mistakes) => return Ok(Err(mistakes)),
        };
        let wrong = policy.check_names("PORTCULLIS_SKIP", &self.skip);
        if !wrong.is_empty() {
            return Ok(Err(wrong));
        }
        let feeds = match matter {
            Matter::Change(source) => engine::kinds(source),
            Matter::Files(_) => Kinds::FILE,
        };
        let compiled = match policy.compile(feeds.intersection(self.kinds), &self.judge.only) {
            Ok(compiled) => compiled,
            Err(mistakes) if self.hook => return Ok(Err(mistakes)),
            Err(mut mistakes) => {
                let others = policy.validate();
                mistakes.extend(others.into_iter().filter(|m| !mistakes.contains(m)).collect::<Vec<_>>());
                return Ok(Err(mistakes));
            }
        };
        if !self.hook {
            let mistakes = policy.validate_but(&compiled.families);
            if !mistakes.is_empty() {
                return Ok(Err(mistakes));
            }
        }
        let protected = protected(policy);
        let seen = self.seen(policy);
        let config = RunConfig {
            checks: &compiled,
            protected: &protected,
            path_budget: policy.vocabulary().budgets.paths,
            threads: self.judge.jobs.unwrap_or(0),
            clean_cache: seen.as_ref(),
            blob_reading: if self.judge.one_by_one { BlobReading::OneByOne } else { BlobReading::Prescan },
        };
        let mut outcome = match (matter, self.repo) {
            (Matter::Change(source), Some(repo)) => engine::run(repo, source, &config)?,
            (Matter::Files(paths), _) => engine::run_outside(&self.outside.directory, paths, &config),
            (Matter::Change(_), None) => return Err(Error::no_repository(&self.outside.directory)),
        };
        if let (Matter::Change(source), Some(repo)) = (matter, self.repo) {
            let own_policy = !self.trusts && self.judge.policy.is_none() && self.judge.policy_from.is_none();
            compare_values(policy, repo, source, &config, own_policy, &mut outcome);
        }
        if let (Some(title), Matter::Change(source), Some(repo)) = (&self.judge.title, matter, self.repo) {
            title_for_messages(repo, source, title, &config, &mut outcome)?;
        }
        outcome.batches.extend(self.beside.iter().cloned());
        outcome.notes.splice(0..0, self.notes.iter().cloned());
        if self.repo.is_some_and(Repo::is_foreign) {
            let note = "the repository belongs to another account: its git configuration was not trusted";
            outcome.notes.push(note.to_owned());
        }
        let whole = matches!(matter, Matter::Change(Source::WorkTree { paths }) if paths.is_empty());
        if let Some(seen) = seen.filter(|_| whole) {
            seen.keep(std::mem::take(&mut outcome.clean));
        }
        let run = policy::Run {
            complete: whole && self.skip.is_empty() && self.kinds == Kinds::ALL,
            only: self.judge.only.clone(),
            skip: self.skip.clone(),
            deny_warnings: self.judge.deny.is_some(),
            ..policy::Run::new(self.outside.today())
        };
        Ok(Ok(Judged { report: settle(policy, outcome, run), families: compiled.families }))
    }

    /// What a run before found clean, if it can be relied on: the same program by the same policy and options.
    fn seen(&self, policy: &Policy) -> Option<CleanCache> {
        // What stands in a repository of another account was written by nobody we know.
        let repo = self.repo.filter(|repo| self.remembering && !repo.is_foreign())?;
        let mut sum = Sha256::new();
        let mut add = |part: &[u8]| {
            sum.update((part.len() as u64).to_le_bytes());
            sum.update(part);
        };
        add(env!("CARGO_PKG_VERSION").as_bytes());
        // Two builds may bear one version; the file tells them apart.
        add(&super::program()?);
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
        let policy = self.policy().ok()?.ok()?;
        policy.compile(Kinds::COMMIT, &["secrets".to_owned()]).ok()?.redactor
    }

    /// The policy that counts here; the inner error: what is wrong with it.
    pub fn policy(&self) -> Result<Result<&Policy, Vec<Mistake>>> {
        if let Some(policy) = self.policy.get() {
            return Ok(Ok(policy));
        }
        Ok(match Policy::load(self.layers()?) {
            Ok(policy) => {
                let policy = if self.judge.strict { policy.strictly() } else { policy };
                Ok(self.policy.get_or_init(|| policy))
            }
            Err(mistakes) => Err(mistakes),
        })
    }

    /// The policy's files, and what the command line says on top of them.
    fn layers(&self) -> Result<Vec<PolicyFile>> {
        let mut files = self.policy_files()?;
        if self.judge.binary {
            files.push(PolicyFile::new("--binary", "version: 1\nrules: { secrets: { binary: true } }\n"));
        }
        Ok(files)
    }

    fn policy_files(&self) -> Result<Vec<PolicyFile>> {
        if let (Some(revision), Some(repo)) = (&self.judge.policy_from, self.repo) {
            let local = repo.thread_local();
            let commit = local.commit_named(revision)?;
            return Ok(policy_file::at_revision(&local, commit, revision)?.into_iter().collect());
        }
        let Some(file) = self.policy_path() else { return Ok(Vec::new()) };
        let shown = self.judge.policy.as_deref().unwrap_or(Path::new(POLICY_FILE));
        match (
            policy_file::on_disk(&file, shown, &policy_file::untrusted(self.repo, &self.outside.directory))?,
            &self.judge.policy,
        ) {
            (Some(policy), _) => Ok(vec![policy]),
            (None, Some(_)) => Err(Error::usage(format!("the policy {} is not there", shown.display()))),
            // A bare repository, or nobody wrote a policy: what HEAD has counts, else the built-in defaults.
            (None, None) => self.policy_at_head(),
        }
    }

    /// The file that the policy stands in, or would stand in.
    pub fn policy_path(&self) -> Option<PathBuf> {
        match (&self.judge.policy, self.repo) {
            (Some(file), _) => Some(self.outside.directory.join(file)),
            (None, Some(repo)) => Some(repo.workdir().map_or_else(|| repo.git_dir(), Path::to_owned).join(POLICY_FILE)),
            (None, None) => Some(self.outside.directory.join(POLICY_FILE)),
        }
    }

    fn policy_at_head(&self) -> Result<Vec<PolicyFile>> {
        let Some(repo) = self.repo.filter(|r| r.workdir().is_none()) else { return Ok(Vec::new()) };
        let local = repo.thread_local();
        let Some(head) = local.head()? else { return Ok(Vec::new()) };
        Ok(policy_file::at_revision(&local, head, "HEAD")?.into_iter().collect())
    }

    /// Writes the report in every format that was asked for.
    pub fn tell(&self, judged: &Judged, started: Instant) -> Result<()> {
        let report = &judged.report;
        let nothing = report.verdict() == Verdict::Pass && report.standing().is_empty() && report.notes.is_empty();
        if self.hook && nothing {
            return Ok(());
        }
        let formats: Vec<Output> = self.output.format.iter().map(|f| f.parse()).collect::<Result<_>>()?;
        let outputs = report::plan(formats, self.output.output.clone())?;
        // What rules are is read from their files, which most runs have no time for.
        let lists = outputs.iter().any(|o| o.format.lists_rules());
        let rules = if lists { rules_known::of(report, &judged.families) } else { Vec::new() };
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

/// A report of something that nobody could decide.
pub fn undecided(error: Error) -> Report {
    let errors = vec![Undecided { error, origin: None }];
    let (findings, notes) = (Vec::new(), Vec::new());
    let report = Report { findings, errors, stats: Stats::default(), notes, enforce: true, deny_warnings: false };
    report.masked(&Mask::new(redactor()))
}

/// Applies a policy to what was found.
pub fn settle(policy: &Policy, outcome: Outcome, run: policy::Run<'_>) -> Report {
    let redactor = outcome.redactor.as_deref().unwrap_or(redactor());
    let mask = Mask::of(redactor, outcome.batches.iter().flat_map(|batch| &batch.findings));
    let run = policy::Run { trailers: outcome.trailers, redactor, ..run };
    let mut report = policy.settle(outcome.batches, outcome.errors, outcome.stats, &run);
    report.notes.extend(outcome.notes);
    if !run.skip.is_empty() {
        report.notes.push(format!("skipped here, judged at the push: {}", run.skip.join(", ")));
    }
    report.masked(&mask)
}

/// Short names and globs of protected branches.
pub fn protected(policy: &Policy) -> Vec<String> {
    policy.vocabulary().protected.iter().map(|p| p.branch.clone()).collect()
}

/// A report of what is wrong with a policy.
pub fn mistaken(mistakes: &[Mistake]) -> Report {
    let mut findings = Findings::new(redactor(), 0);
    for mistake in mistakes {
        findings.push(mistake.violation());
    }
    let findings = findings.into_vec();
    let errors: Vec<Undecided> = Vec::new();
    Report { findings, errors, stats: Stats::default(), notes: Vec::new(), enforce: true, deny_warnings: false }
}

/// Sets the number of threads for the whole process; asked for once, before anything runs.
fn use_threads(jobs: Option<usize>) -> Result<()> {
    let Some(jobs) = jobs else { return Ok(()) };
    if jobs == 0 {
        return Err(Error::usage("--jobs takes a number of at least 1"));
    }
    // A pool that stands already (a second judgement in one process) keeps its size.
    let _ = rayon::ThreadPoolBuilder::new().num_threads(jobs).build_global();
    Ok(())
}
