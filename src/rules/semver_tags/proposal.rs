//! Guesses the release tag that a name without a valid format was meant to be.
//! A guess keeps the component, and a prerelease stays one. There is no guess for names that no format resembles:
//! `build-123` is not a release.

use std::ops::Range;

use bstr::{BStr, ByteSlice as _};

use crate::rules::release_tags::format::TagFormat;
use crate::rules::release_tags::version::{Version, trimmed};

/// Words before a version that only announce it.
const LEADS: [&str; 8] = ["version", "release", "ver", "rel", "tag", "v", "r", ""];
/// Separators between a component and its version.
const SEPARATORS: [char; 7] = ['@', '/', '-', '_', ':', '#', '.'];
/// Words after a version that mark a release.
const RELEASED: [&str; 4] = ["final", "release", "ga", "stable"];
/// Words after a version that mark a later build; a prerelease would sort before the release.
const LATER: [&str; 6] = ["post", "sp", "sr", "patch", "hotfix", "p"];
/// A longer text after the numbers is not part of a version: it could be anything, even a secret.
const LONGEST_REST: usize = 16;
/// A single number with more digits is a date or a count.
const LONGEST_SINGLE: usize = 3;
/// A number with more digits is not part of a version.
const LONGEST_NUMBER: usize = 12;

/// Stands for the separator of a format without a component.
const NO_SEPARATOR: char = ' ';

/// A guess under one format.
pub struct Proposal<'f> {
    pub format: &'f TagFormat,
    pub name: String,
    pub version: Version,
}

/// The guess nearest to the written name, under any of the formats.
pub fn nearest<'f>(formats: &'f [TagFormat], name: &BStr) -> Option<Proposal<'f>> {
    let text: String = name.to_str_lossy().chars().filter(|c| !c.is_whitespace()).filter_map(plain).collect();
    let valid = formats.iter().find_map(|format| Some((format, format.parse_name(name).ok()?.version)));
    if let Some((format, version)) = valid {
        return Some(Proposal { format, name: name.to_str_lossy().into_owned(), version });
    }
    let guesses = formats.iter().filter_map(|format| {
        let (component, version, separator) = guess(format, &text)?;
        let name = format.name(component.as_bytes().as_bstr(), &version);
        // `api/1.0.0` means `{component}/v{semver}`, and not `{component}@{semver}`.
        let meant = format.infix.as_ref().is_none_or(|infix| infix.starts_with(separator));
        let cost = (!meant, crate::text::distance(&text, &name));
        Some((cost, Proposal { format, name, version }))
    });
    guesses.min_by_key(|(cost, _)| *cost).map(|(_, proposal)| proposal)
}

/// The component, the version, and the separator before the version.
fn guess<'t>(format: &TagFormat, text: &'t str) -> Option<(&'t str, Version, char)> {
    // `version-1.2.3` begins with `v` but does not use it as a prefix.
    let without_prefix = text.strip_prefix(format.prefix.as_str());
    without_prefix.into_iter().chain([text]).find_map(|body| guess_below(format, body, body.len() < text.len()))
}

/// `has_prefix`: the format's prefix was stripped from the text.
fn guess_below<'t>(format: &TagFormat, body: &'t str, has_prefix: bool) -> Option<(&'t str, Version, char)> {
    all_numbers(body).into_iter().find_map(|numbers| {
        let (head, rest) = (&body[..numbers.start], &body[numbers.end..]);
        let (component, separator) = match &format.infix {
            Some(_) => component(head)?,
            None if stem(head).is_empty() || stem(head) == stem(&format.prefix) => ("", NO_SEPARATOR),
            None => return None,
        };
        // `api/build-12` has a separator before its number, but no word for a version.
        let named = has_prefix || head.len() > component.len() + usize::from(separator != NO_SEPARATOR);
        Some((component, version(&body[numbers], rest, named)?, separator))
    })
}

/// Splits `api/v` into the component and its separator.
fn component(head: &str) -> Option<(&str, char)> {
    LEADS.iter().find_map(|lead| {
        let name = head.get(..head.len().checked_sub(lead.len())?)?;
        let separator = name.chars().next_back().filter(|c| SEPARATORS.contains(c))?;
        let component = name.trim_end_matches(SEPARATORS);
        let is_lead = head[name.len()..].eq_ignore_ascii_case(lead) && !stem(component).is_empty();
        is_lead.then_some((component, separator))
    })
}

/// The words before a version, without the [`LEADS`].
fn stem(head: &str) -> Vec<String> {
    let words = head.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let mut words: Vec<String> = words.map(str::to_lowercase).collect();
    while words.last().is_some_and(|word| LEADS.contains(&word.as_str())) {
        words.pop();
    }
    words
}

/// Spans that can be a version: numbers with one kind of separator. `1-2` is a version and its prerelease.
fn all_numbers(text: &str) -> Vec<Range<usize>> {
    let digits = |from: usize| text[from..].bytes().take_while(u8::is_ascii_digit).count();
    let (mut found, mut at) = (Vec::new(), 0);
    while let Some(start) = text[at..].find(|c: char| c.is_ascii_digit()).map(|offset| at + offset) {
        let first = start + digits(start);
        let (mut end, mut count) = (first, 1);
        let separator = text[first..].chars().next().filter(|c| ".,_-".contains(*c));
        while separator.is_some_and(|c| text[end..].starts_with(c)) && digits(end + 1) > 0 {
            end += 1 + digits(end + 1);
            count += 1;
        }
        if separator == Some('-') && count < 3 {
            end = first;
        }
        found.push(start..end);
        at = end;
    }
    found
}

/// `named`: a word before the numbers says that they are a version.
fn version(numbers: &str, rest: &str, named: bool) -> Option<Version> {
    let mut parts = numbers.split(|c: char| !c.is_ascii_digit()).map(trimmed);
    let count = parts.clone().count();
    let single = count == 1 && (!named || numbers.len() > LONGEST_SINGLE);
    if single || parts.clone().any(|part| part.len() > LONGEST_NUMBER) || rest.len() > LONGEST_REST {
        return None;
    }
    let core = std::array::from_fn(|_| parts.next().unwrap_or_else(|| "0".into()));
    // A fourth number is a build number, not a prerelease.
    let mut build: Vec<String> = parts.collect();
    let (before, meta) = rest.split_once('+').unwrap_or((rest, ""));
    if before.starts_with(['/', '@']) {
        return None;
    }
    let mut prerelease = identifiers(before);
    if prerelease.len() == 1 && RELEASED.iter().any(|word| prerelease[0].eq_ignore_ascii_case(word)) {
        prerelease.clear();
    }
    let first = prerelease.first().map(|word| word.trim_end_matches(|c: char| c.is_ascii_digit()).to_lowercase());
    if first.is_some_and(|word| LATER.contains(&word.as_str())) {
        build.append(&mut prerelease);
    }
    build.extend(identifiers(meta));
    prerelease.iter_mut().filter(|i| i.bytes().all(|b| b.is_ascii_digit())).for_each(|i| *i = trimmed(i));
    Some(Version { core, prerelease, build })
}

fn identifiers(text: &str) -> Vec<String> {
    let clean = |c: char| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' };
    let clean: String = text.chars().map(clean).collect();
    clean.split('.').map(|i| i.trim_matches('-')).filter(|i| !i.is_empty()).map(str::to_owned).collect()
}

/// The ASCII equivalent of a character, also of other scripts' digits; `None` for invisible ones.
fn plain(c: char) -> Option<char> {
    let zeros = [0x0660, 0x06f0, 0x0966, 0x09e6, 0x0e50, 0xff10, 0x1d7ce, 0x1d7d8];
    let digit =
        zeros.iter().find_map(|z| (*z..z + 10).contains(&(c as u32)).then(|| (b'0' + (c as u32 - z) as u8) as char));
    match c {
        c if crate::text::is_unsafe(c) => None,
        '\u{ff0e}' | '\u{3002}' | '\u{2024}' => Some('.'),
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{ff0d}' => Some('-'),
        _ => Some(digit.unwrap_or(c)),
    }
}
