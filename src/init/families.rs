//! Files whose paths differ in nothing but the environment's word: `env/dev.env`, `env/staging.env`, `env/production.env`.

use std::collections::BTreeMap;

use bstr::{BStr, BString, ByteSlice as _};

use super::tiers;

/// The members of one family by tier, each with the word that its path has.
#[derive(Debug, Default)]
pub struct Family<'p> {
    pub members: BTreeMap<usize, Vec<(&'static str, &'p BStr)>>,
}

impl<'p> Family<'p> {
    /// The member of the lowest tier.
    pub fn lowest(&self) -> Option<&'p BStr> {
        self.members.values().flatten().next().map(|(_, path)| *path)
    }

    /// All paths, lowest first, for a comment.
    pub fn shown(&self) -> String {
        let paths: Vec<String> = self.members.values().flatten().map(|(_, path)| path.to_string()).collect();
        paths.join(", ")
    }
}

/// Families by their path with `{environment}` in it: at least two tiers, one of them staging, pre-production or
/// production. `test` beside `dev` alone is how any source tree looks.
pub fn find<'p>(paths: &[&'p BStr]) -> BTreeMap<BString, Family<'p>> {
    let mut families: BTreeMap<BString, Family<'p>> = BTreeMap::new();
    for path in paths.iter().copied().filter(|p| is_configuration(p)) {
        for (tier, word) in tiers::words() {
            let [at] = tiers::places(path, word)[..] else { continue };
            let (before, after) = (path[..at].as_bytes(), path[at + word.len()..].as_bytes());
            let template = [before, b"{environment}", after].concat();
            families.entry(template.into()).or_default().members.entry(tier).or_default().push((word, path));
        }
    }
    families.retain(|_, f| f.members.len() > 1 && f.members.keys().any(|tier| *tier >= tiers::STAGING));
    families
}

/// Tiers that directories beside one another name with their first word, with that word and how many there are: `qa`,
/// `staging-eu`, `prod-us`. What follows the word is a region or a cluster, not an environment.
pub fn in_directories(paths: &[&BStr]) -> BTreeMap<usize, BTreeMap<&'static str, usize>> {
    let mut siblings: BTreeMap<&BStr, BTreeMap<&BStr, (usize, &'static str)>> = BTreeMap::new();
    for path in paths.iter().copied().filter(|p| is_configuration(p)) {
        for end in path.find_iter("/") {
            let start = path[..end].rfind_byte(b'/').map_or(0, |n| n + 1);
            let name = path[start..end].as_bstr();
            let begins = |word: &str| {
                name.strip_prefix(word.as_bytes())
                    .is_some_and(|rest| rest.first().is_none_or(|b| matches!(b, b'-' | b'_')))
            };
            let longest = tiers::words().filter(|(_, word)| begins(word)).max_by_key(|(_, word)| word.len());
            if let Some(tier) = longest {
                siblings.entry(path[..start].as_bstr()).or_default().insert(name, tier);
            }
        }
    }
    let mut found: BTreeMap<usize, BTreeMap<&'static str, usize>> = BTreeMap::new();
    for named in siblings.into_values() {
        let several = named.values().any(|(tier, _)| named.values().any(|(other, _)| other != tier));
        if several && named.values().any(|(tier, _)| *tier >= tiers::STAGING) {
            for (tier, word) in named.into_values() {
                *found.entry(tier).or_default().entry(word).or_default() += 1;
            }
        }
    }
    found
}

/// Program text has `test` and `dev` in its paths for other reasons.
fn is_configuration(path: &BStr) -> bool {
    let name = path.rsplit_str("/").next().unwrap_or_default();
    let ends: [&[u8]; 10] =
        [b".yaml", b".yml", b".json", b".toml", b".env", b".tfvars", b".tf", b".hcl", b".properties", b".ini"];
    ends.iter().any(|end| name.ends_with(end)) || name.starts_with(b".env") || name.contains_str(".env.")
}
