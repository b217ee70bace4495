//! Which way an option of a rule family is the stricter one, told by its name and its values. What neither says is taken
//! for relaxing, so a new option needs a word here only if everybody shall be able to tighten it.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use super::effect::{Effect, canonical};
use crate::yaml::{Node, Scalar};

/// Lists that let more pass the longer they are.
const LOOSER_WHEN_LONGER: [&str; 6] = ["allow", "ignore", "exempt", "placeholders", "templates", "types"];
/// Lists that look at more the longer they are.
const STRICTER_WHEN_LONGER: [&str; 3] = ["references", "repositories", "sources"];
/// Flags that let something pass; any other flag asks for something.
const LOOSER_WHEN_TRUE: [&str; 1] = ["allow-initial"];
/// Words, from the loosest to the strictest.
const WORDS: [&[&str]; 4] =
    [&["off", "note", "warning", "error"], &["allow", "deny"], &["allow", "forbid"], &["any", "release"]];

/// What a changed option does.
pub(super) fn option_effect(key: &str, was: Option<&Node>, is: Option<&Node>) -> Effect {
    let (Some(was), Some(is)) = (was, is) else { return Effect::Relaxed };
    let stricter = match (was.as_bool(), is.as_bool()) {
        (Some(_), Some(now)) => now != LOOSER_WHEN_TRUE.contains(&key),
        _ if was.is_seq() && is.is_seq() => {
            let (was, is) = (items(was), items(is));
            (LOOSER_WHEN_LONGER.contains(&key) && is.is_subset(&was))
                || (STRICTER_WHEN_LONGER.contains(&key) && was.is_subset(&is))
        }
        _ => is_tighter_limit(key, was, is) || is_stricter_word(was, is),
    };
    if stricter { Effect::Tightened } else { Effect::Relaxed }
}

fn items(list: &Node) -> BTreeSet<String> {
    list.items().iter().map(|item| canonical(Some(item))).collect()
}

/// `null` is no limit at all.
fn is_tighter_limit(key: &str, was: &Node, is: &Node) -> bool {
    let order = match (was.scalar(), is.scalar()) {
        (Some(Scalar::Int(was)), Some(Scalar::Int(is))) => was.cmp(&is),
        (None | Some(Scalar::Null), Some(Scalar::Int(_))) if was.is_null() => Ordering::Greater,
        _ => return false,
    };
    let words: Vec<&str> = key.split('-').collect();
    (words.contains(&"max") && order == Ordering::Greater) || (words.contains(&"min") && order == Ordering::Less)
}

fn is_stricter_word(was: &Node, is: &Node) -> bool {
    let (Some(was), Some(is)) = (was.text(), is.text()) else { return false };
    WORDS.iter().any(|words| {
        let rank = |word| words.iter().position(|w| *w == word);
        rank(was).zip(rank(is)).is_some_and(|(was, is)| is > was)
    })
}
