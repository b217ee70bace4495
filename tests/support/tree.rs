//! Trees made in memory, with other refs beside them, that count what is read of them.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use bstr::{BStr, BString};
use portcullis::document::Stored;
use portcullis::error::Result;
use portcullis::finding::{Finding, Findings, NothingToHide};
use portcullis::options::PolicyFile;
use portcullis::policy::Policy;
use portcullis::subject::{Entry, Kinds, Oid, Snapshot, Tree};
use sha2::{Digest as _, Sha256};

#[derive(Clone, Default)]
pub struct MemoryTree {
    pub files: BTreeMap<BString, Vec<u8>>,
    pub others: BTreeMap<String, MemoryTree>,
    pub read: RefCell<Vec<BString>>,
}

impl MemoryTree {
    pub fn of<'f>(files: impl IntoIterator<Item = (&'f str, &'f str)>) -> Self {
        let files = files.into_iter().map(|(p, t)| (p.into(), t.as_bytes().to_vec())).collect();
        Self { files, ..Self::default() }
    }

    pub fn with(mut self, path: &str, text: &str) -> Self {
        self.files.insert(path.into(), text.into());
        self
    }

    pub fn other(mut self, name: &str, tree: Self) -> Self {
        self.others.insert(name.into(), tree);
        self
    }
}

impl Snapshot for MemoryTree {
    fn entries(&self) -> Result<Vec<Entry>> {
        let id = |t: &[u8]| Oid::from_bytes(&Sha256::digest(t));
        Ok(self.files.iter().map(|(p, t)| Entry { path: p.clone(), blob: id(t), symlink: false }).collect())
    }

    fn read(&self, path: &BStr) -> Result<Option<Rc<Stored>>> {
        self.read.borrow_mut().push(path.to_owned());
        Ok(self.files.get(path).map(|text| Rc::new(Stored::new(text.clone()))))
    }

    fn other(&self, name: &str) -> Result<Option<Box<dyn Snapshot + '_>>> {
        Ok(self.others.get(name).map(|t| Box::new(t.clone()) as Box<dyn Snapshot>))
    }

    fn branches(&self) -> Result<Vec<BString>> {
        Ok(self.others.keys().map(|n| n.as_str().into()).collect())
    }
}

/// Judges a tree by one family of a policy. `branch`: short name.
#[track_caller]
pub fn judge(
    policy: &str,
    family: &str,
    branch: Option<&str>,
    tree: &MemoryTree,
    before: Option<&MemoryTree>,
) -> Vec<Finding> {
    let told = |m: Vec<portcullis::options::Mistake>| {
        format!("{policy}\n{:?}", m.iter().map(|m| (&m.wrong.message, &m.wrong.span)).collect::<Vec<_>>())
    };
    let policy_file = PolicyFile::new("portcullis.yaml", policy);
    let loaded = Policy::load(vec![policy_file]).map_err(told).expect("a good policy");
    let compiled = loaded.compile(Kinds::TREE, &[family.to_owned()]).map_err(told).expect("good options");
    let subject = Tree {
        commit: None,
        name: branch.map(|b| format!("refs/heads/{b}").into()),
        snapshot: tree,
        before: before.map(|b| b as &dyn Snapshot),
    };
    let mut out = Findings::new(&NothingToHide, 0);
    for scoped in &compiled.trees {
        scoped.check.check(&subject, &mut out).unwrap();
    }
    let mut findings = out.into_vec();
    findings.sort_by_key(|f| (f.rule.to_string(), f.key.clone()));
    findings
}

/// `code key severity` of each.
pub fn said(findings: &[Finding]) -> Vec<String> {
    let severity = |f: &Finding| format!("{:?}", f.severity).to_lowercase();
    findings.iter().map(|f| format!("{} {} {}", f.rule, f.key.as_deref().unwrap_or("-"), severity(f))).collect()
}
