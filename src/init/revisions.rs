//! Which branches and tags Argo CD and Flux follow, for the environments that their files name.

use bstr::{BStr, ByteSlice as _};

use super::tiers;
use crate::error::Result;
use crate::subject::Snapshot;
use crate::yaml;

/// One object that follows a revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Followed {
    pub path: String,
    /// Tier of the environment that the path names.
    pub tier: usize,
    pub revision: String,
    /// A range of versions, of which the newest is followed.
    pub is_range: bool,
}

/// What the tree holds of GitOps controllers.
#[derive(Debug, Default)]
pub struct Controllers {
    pub argocd: usize,
    pub flux: usize,
    pub followed: Vec<Followed>,
}

pub fn find(paths: &[&BStr], snapshot: &dyn Snapshot) -> Result<Controllers> {
    let mut found = Controllers::default();
    for path in paths.iter().filter(|p| p.ends_with(b".yaml") || p.ends_with(b".yml")) {
        let Some(bytes) = snapshot.read(path)? else { continue };
        let argocd = bytes.find(b"apiVersion: argoproj.io/").is_some();
        let flux = bytes.find(b"toolkit.fluxcd.io/").is_some();
        found.argocd += usize::from(argocd);
        found.flux += usize::from(flux);
        let last = |(_, word): &(usize, &str)| tiers::has_word(path, word);
        let Some((tier, _)) = tiers::words().filter(last).last().filter(|_| argocd || flux) else { continue };
        for root in &yaml::parse(&bytes).roots {
            let mut revisions = Vec::new();
            root.walk(&mut |steps, node| {
                let [.., yaml::Step::Key(key)] = steps else { return };
                let below_ref = matches!(steps, [.., yaml::Step::Key("ref"), _]);
                let is_range = flux && below_ref && *key == "semver";
                let is_named =
                    argocd && *key == "targetRevision" || flux && below_ref && matches!(*key, "branch" | "tag");
                if is_range || is_named {
                    revisions.extend(node.text().map(|text| (text.to_owned(), is_range)));
                }
            });
            let follow = |(revision, is_range)| Followed { path: path.to_string(), tier, revision, is_range };
            found.followed.extend(revisions.into_iter().map(follow));
        }
    }
    Ok(found)
}
