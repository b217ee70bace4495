//! Keys as they stand in the environments today, and what the policy asks of them: short, by pattern where one pattern
//! explains at least three.

use std::collections::{BTreeMap, BTreeSet};

/// Words in the names of what each environment has for itself: addresses, stores, credentials.
const OWN: [&str; 23] = [
    "webhook",
    "url",
    "uri",
    "host",
    "endpoint",
    "domain",
    "bucket",
    "token",
    "secret",
    "password",
    "passwd",
    "apikey",
    "api_key",
    "private",
    "credential",
    "dsn",
    "database",
    "db_name",
    "environment",
    "account",
    "client_id",
    "queue",
    "topic",
];

/// A pattern stands for at least so many keys.
const EXPLAINED: usize = 3;

/// Keys as `<source>/<key>`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keys {
    different: BTreeSet<String>,
    equal: BTreeSet<String>,
    /// Numbers and switches: no address and no secret, whatever they are called.
    settings: BTreeSet<String>,
}

impl Keys {
    /// A key in two neighbouring environments. `setting`: its values are numbers or switches.
    pub fn add(&mut self, key: String, differs: bool, setting: bool) {
        if setting {
            self.settings.insert(key.clone());
        }
        if differs {
            self.different.insert(key)
        } else {
            self.equal.insert(key)
        };
    }

    /// Globs of keys that are equal somewhere, and named like what each environment should have for itself.
    pub fn shared(&self) -> Vec<String> {
        self.equal.iter().filter(|k| self.is_own(k)).map(|k| escaped(k)).collect()
    }

    /// Patterns of keys that differ everywhere and should.
    pub fn must_differ(&self) -> Vec<String> {
        let (own, rest): (BTreeSet<&String>, BTreeSet<&String>) =
            self.different.difference(&self.equal).partition(|k| self.is_own(k));
        // Equal keys of that kind are listed before, so that no pattern here reaches them.
        let rest = rest.into_iter().chain(self.equal.iter().filter(|k| !self.is_own(k)));
        patterns(&own, rest)
    }

    /// Patterns of the other keys that differ.
    pub fn may_differ(&self) -> Vec<String> {
        let list = self.different.iter().filter(|k| !self.is_own(k)).collect();
        patterns(
            &list,
            self.equal
                .difference(&self.different)
                .filter(|k| !self.is_own(k))
                .chain(self.different.difference(&self.equal).filter(|k| self.is_own(k))),
        )
    }

    fn is_own(&self, key: &str) -> bool {
        let name = key.split_once('/').map_or(key, |(_, name)| name).to_ascii_lowercase();
        !self.settings.contains(key) && OWN.iter().any(|word| name.contains(word))
    }
}

/// The keys, those that one pattern explains as that pattern. No pattern matches any of `others`.
fn patterns<'k>(keys: &BTreeSet<&'k String>, others: impl Iterator<Item = &'k String>) -> Vec<String> {
    let mut covers: BTreeMap<String, BTreeSet<&String>> = BTreeMap::new();
    for key in keys {
        for pattern in candidates(key) {
            covers.entry(pattern).or_default().insert(key);
        }
    }
    for pattern in others.flat_map(|key| candidates(key)) {
        covers.remove(&pattern);
    }
    let mut left = keys.clone();
    let mut out = Vec::new();
    let mut order: Vec<(String, BTreeSet<&String>)> = covers.into_iter().collect();
    order.sort_by_key(|(pattern, keys)| (std::cmp::Reverse(keys.len()), pattern.len()));
    for (pattern, keys) in order {
        if keys.iter().filter(|k| left.contains(*k)).count() >= EXPLAINED {
            left.retain(|k| !keys.contains(k));
            out.push(pattern);
        }
    }
    out.extend(left.into_iter().map(|k| escaped(k)));
    out
}

/// Every pattern that may stand for a key: its source, what it is below, and its last part. Globs take no notice of case,
/// so that all are in lower case.
fn candidates(key: &str) -> Vec<String> {
    let key = key.to_ascii_lowercase();
    let mut parts = key.match_indices(['/', '.']).map(|(at, _)| at);
    let mut found: Vec<String> = parts.clone().map(|at| format!("{}*", escaped(&key[..=at]))).collect();
    if let Some(last) = parts.next_back() {
        found.push(format!("*[/.]{}", escaped(&key[last + 1..])));
    }
    found
}

/// A glob that means this text and no other.
fn escaped(key: &str) -> String {
    let mut glob = String::new();
    for c in key.chars() {
        if matches!(c, '*' | '?' | '[' | ']' | '{' | '}' | '\\') {
            glob.push('\\');
        }
        glob.push(c);
    }
    glob
}
