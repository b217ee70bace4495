//! The judgement over a value that is assigned to a name: three kinds of evidence, what the name says, what the value is and
//! where it stands, weighed in one table. (The fourth, a form of its own, is for detectors; their hits outrank these.)

use bstr::ByteSlice as _;

use super::key_name::Kind;
use crate::finding::Confidence;
use crate::rules::secrets::decode;
use crate::rules::secrets::file_kind::FileKind;
use crate::values::{self, placeholder};

/// Longer values are files, not passwords or tokens.
pub const VALUE: usize = 1024;

/// What a value is, once it may be a secret at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Sixteen characters and more that a machine drew.
    Random,
    /// Fewer of them.
    Short,
    /// A person's password of three kinds of characters: `Sommer2024!`.
    Strong,
    /// One of two kinds: `hunter42`, `Copper-Kettle8`.
    Chosen,
    /// Several words: `correct-horse-battery-staple`.
    Phrase,
    /// One word: `saffrongate`.
    Word,
    Uuid,
    /// `abcdef1234567890abcdef`: made up, or the key of a test.
    Run,
}

/// Where a value stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Configuration,
    Code,
    Prose,
    /// Tests, fixtures, examples, comments that documentation is made from.
    Example,
    /// Texts for people and code without line ends: any string may stand beside any name.
    Screen,
}

type Level = Option<Confidence>;
const M: Level = Some(Confidence::Medium);
const L: Level = Some(Confidence::Low);
const NO: Level = None;

/// The table: a row for each thing that a name and a value can say together, a column for each place. What has no row is no
/// secret.
#[rustfmt::skip]
const TABLE: &[(Kind, Class, [Level; 5])] = &[
    //                                     Configuration  Code  Prose  Example  Screen
    (Kind::Password,     Class::Random,    [M,            M,    M,     L,       M ]),
    (Kind::Password,     Class::Short,     [M,            M,    L,     L,       NO]),
    (Kind::Password,     Class::Strong,    [M,            M,    L,     L,       NO]),
    (Kind::Password,     Class::Chosen,    [M,            L,    L,     L,       NO]),
    (Kind::Password,     Class::Phrase,    [M,            NO,   NO,    NO,      NO]),
    (Kind::Password,     Class::Word,      [M,            NO,   NO,    NO,      NO]),
    (Kind::Password,     Class::Uuid,      [M,            M,    L,     L,       NO]),
    (Kind::Abbreviation, Class::Random,    [M,            M,    M,     L,       M ]),
    (Kind::Abbreviation, Class::Short,     [M,            M,    L,     L,       NO]),
    (Kind::Abbreviation, Class::Strong,    [M,            M,    L,     L,       NO]),
    (Kind::Abbreviation, Class::Chosen,    [M,            L,    L,     L,       NO]),
    (Kind::Abbreviation, Class::Word,      [L,            NO,   NO,    NO,      NO]),
    (Kind::Token,        Class::Random,    [M,            M,    M,     L,       M ]),
    (Kind::Token,        Class::Short,     [L,            L,    L,     L,       NO]),
    (Kind::Token,        Class::Uuid,      [L,            L,    L,     L,       NO]),
    (Kind::Token,        Class::Run,       [L,            L,    NO,    NO,      NO]),
    (Kind::Mention,      Class::Random,    [M,            M,    L,     L,       NO]),
    (Kind::Mention,      Class::Short,     [L,            L,    L,     L,       NO]),
    (Kind::Mention,      Class::Strong,    [L,            L,    L,     L,       NO]),
];

/// How sure the evidence makes us; `None`: no secret.
pub fn confidence(name: Kind, value: Class, place: Place) -> Option<Confidence> {
    let row = TABLE.iter().find(|(kind, class, _)| *kind == name && *class == value)?;
    row.2[place as usize]
}

impl Place {
    pub fn of(file: FileKind, example: bool) -> Self {
        match file {
            FileKind::Translation | FileKind::Minified | FileKind::Lock => Self::Screen,
            _ if example => Self::Example,
            FileKind::Prose => Self::Prose,
            FileKind::Config | FileKind::Declaration => Self::Configuration,
            FileKind::Code | FileKind::Script => Self::Code,
        }
    }
}

impl Class {
    /// What a value is; `None` for one that cannot be a secret: a placeholder, a reference, ciphertext, a name. `quoted`: it
    /// stood in quotes, so that it is no expression.
    pub fn of(name: Kind, text: &[u8], quoted: bool, file: FileKind) -> Option<Self> {
        if text.len() < 4 || text.len() >= VALUE || text.iter().any(u8::is_ascii_control) {
            return None;
        }
        let token = matches!(name, Kind::Token | Kind::Mention);
        let is_placeholder =
            if token { placeholder::is_token_placeholder } else { placeholder::is_password_placeholder };
        if is_placeholder(text)
            || values::is_reference(text)
            || values::is_ciphertext(text)
            || values::is_pattern(text)
            || values::is_template(text)
            || values::is_timestamp(text)
            || is_url(text)
            || is_structure(text)
            || is_wrapped_word(text)
            || is_escape(text)
            // A web token has a detector of its own, which knows more.
            || text.starts_with(b"eyJ") && text.contains(&b'.')
            || text.iter().all(|b| b.is_ascii_digit() || b".,:-".contains(b))
        {
            return None;
        }
        if text.contains(&b' ') {
            return in_words(text, quoted, token, file);
        }
        if !quoted && is_call(text, file) {
            return None;
        }
        let marks = b"(){};,=".iter().filter(|mark| text.contains(mark)).count();
        if matches!(file, FileKind::Script | FileKind::Minified) && marks > 2 {
            return None;
        }
        if token && is_name_of_secret(text) {
            return None;
        }
        if token {
            return match () {
                () if values::is_uuid(text) => Some(Self::Uuid),
                () if placeholder::is_long_run(text) => Some(Self::Run),
                () if !values::is_random(text) => None,
                () if text.len() >= 16 => Some(Self::Random),
                () => Some(Self::Short),
            };
        }
        if values::is_uuid(text) {
            return Some(Self::Uuid);
        }
        if values::is_random(text) && !placeholder::is_usual_password(text) {
            return Some(if text.len() >= 16 { Self::Random } else { Self::Short });
        }
        if text.len() < 6 { None } else { chosen(text, file) }
    }
}

/// A password that a person made of words and numbers.
fn chosen(text: &[u8], file: FileKind) -> Option<Class> {
    let any = |kind: fn(&u8) -> bool| text.iter().any(kind);
    let (lower, upper, digit) = (any(u8::is_ascii_lowercase), any(u8::is_ascii_uppercase), any(u8::is_ascii_digit));
    let mark = any(u8::is_ascii_punctuation);
    let kinds = [lower, upper, digit, mark].iter().filter(|k| **k).count();
    if !values::is_identifier(text) {
        let inner = text.trim_with(|c| c.is_ascii_punctuation());
        // `admin_password` in brackets, and what follows it, is the name of a secret.
        if values::is_identifier(inner) && names_secret(inner) && !any(u8::is_ascii_digit) {
            return None;
        }
        return match kinds {
            0 | 1 => Some(Class::Word),
            2 => Some(Class::Chosen),
            _ => Some(Class::Strong),
        };
    }
    let joined = any(|b| b".:/()[]*&".contains(b));
    if digit && lower && (upper || !mark) {
        // `Saffron.Gate5` in configuration; in code that is a member of something.
        let in_code = Place::of(file, false) != Place::Configuration;
        return (!(in_code && (joined || mark && !upper)) && !(in_code && names_secret(text))).then_some(Class::Chosen);
    }
    if joined || names_secret(text) || !lower {
        return None;
    }
    let words = text.split(|b| matches!(b, b'-' | b'_')).count();
    match words {
        1 => Some(Class::Word),
        2 => None,
        _ => Some(Class::Phrase),
    }
}

/// A value with blanks: a password in quotes or a passphrase, not a sentence.
fn in_words(text: &[u8], quoted: bool, token: bool, file: FileKind) -> Option<Class> {
    static SENTENCE: values::WordList = values::WordList::new(
        "\
        a an and are be by can cannot could does enter failed for from has have if in invalid is it missing must new not of on \
        or please should the this to use used using was when with without you your password passwords secret token key user \
        username required optional configuration database admin",
    );
    if !quoted || token || Place::of(file, false) != Place::Configuration {
        return None;
    }
    let words: Vec<&[u8]> = text.split(|b| *b == b' ').collect();
    let says = |w: &[u8]| SENTENCE.has(w.trim_with(|c| c.is_ascii_punctuation()).to_lowercase().as_slice());
    if words.iter().any(|w| w.is_empty() || says(w)) {
        return None;
    }
    let joined: Vec<u8> = words.concat();
    if values::is_random(&joined) && joined.iter().any(u8::is_ascii_digit) {
        return Some(if words.len() < 3 { Class::Short } else { Class::Chosen });
    }
    let lower = words.iter().all(|w| w.len() > 2 && w.iter().all(u8::is_ascii_lowercase));
    (lower && (4..=10).contains(&words.len())).then_some(Class::Phrase)
}

/// One character, written as an escape: `\\ueba4`.
fn is_escape(text: &[u8]) -> bool {
    let digits = [&b"\\u"[..], b"\\U", b"\\x"].iter().find_map(|start| text.strip_prefix(*start));
    digits.is_some_and(|digits| digits.len() <= 8 && digits.iter().all(u8::is_ascii_hexdigit))
}

/// A list or object of JSON.
fn is_structure(text: &[u8]) -> bool {
    let opens = [&b"{\""[..], b"[\"", b"[{", b"{'", b"['", b"{\\"].iter().any(|open| text.starts_with(open));
    opens && (text.ends_with(b"}") || text.ends_with(b"]"))
}

/// An address, not a piece of one.
fn is_url(text: &[u8]) -> bool {
    let scheme = text.iter().take_while(|b| b.is_ascii_alphanumeric() || b"+-.".contains(b)).count();
    scheme > 1 && text[scheme..].starts_with(b"://")
}

/// Calls, comparisons and members are code, not values.
fn is_call(text: &[u8], file: FileKind) -> bool {
    if file.is_code() {
        return text.find_byteset(b"()[]").is_some();
    }
    let name = text.iter().take_while(|b| b.is_ascii_alphanumeric() || b"_.".contains(b)).count();
    let ends = text.ends_with(b")") || text.ends_with(b"]");
    ends && matches!(text.get(name), Some(b'(' | b'[')) && (name == 0 || values::is_identifier(&text[..name]))
}

/// Whether a text of words is the name of a secret: `redis-password`.
fn names_secret(text: &[u8]) -> bool {
    let lower = text.to_ascii_lowercase();
    ["passw", "secret", "token", "credential", "pwd", "auth"].iter().any(|w| values::contains(&lower, w))
}

/// `ppc64le-ssh-key-wdc06`: what a secret is called where it is kept.
fn is_name_of_secret(text: &[u8]) -> bool {
    static SAYS: values::WordList = values::WordList::new(
        "ssh key keys token tokens secret secrets password credentials creds cert tls auth pull robot",
    );
    let plain = text.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_' | b'.'));
    let parts: Vec<&[u8]> = text.split(|b| matches!(b, b'-' | b'_' | b'.')).collect();
    let says = parts.iter().filter(|part| SAYS.has(part)).count();
    let letters = |part: &&[u8]| part.len() > 1 && part.iter().all(u8::is_ascii_lowercase);
    let words = parts.iter().filter(|part| letters(part)).count();
    plain && parts.len() > 2 && says > 0 && words * 2 >= parts.len() && parts.iter().all(|part| part.len() <= 12)
}

/// Base64 of a word or of a placeholder.
fn is_wrapped_word(text: &[u8]) -> bool {
    let decoded = text.iter().all(|b| values::is_base64(*b)).then(|| decode::base64(text)).flatten();
    decoded.is_some_and(|d| {
        let d = d.trim_end();
        let said = values::is_identifier(d) || values::stands_for_secret(d);
        d.len() > 4 && d.iter().all(u8::is_ascii_graphic) && said
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_evidence_has_two_rows() {
        for (at, (kind, class, _)) in TABLE.iter().enumerate() {
            assert!(!TABLE[..at].iter().any(|(k, c, _)| k == kind && c == class), "{kind:?} {class:?}");
        }
    }

    #[test]
    fn a_place_of_less_weight_never_raises_confidence() {
        for (kind, class, [configuration, code, prose, example, screen]) in TABLE {
            assert!(configuration >= code && code >= prose && prose >= example, "{kind:?} {class:?}");
            assert!(screen <= code, "{kind:?} {class:?}");
        }
    }
}
