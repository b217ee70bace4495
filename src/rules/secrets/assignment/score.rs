//! Whether a value that is assigned to a name is a secret, and how sure that is.
//! Owns the generic detector's judgement; what each value is in itself is for `value.rs` and `placeholder.rs` to say.

use bstr::ByteSlice;

use crate::finding::Confidence;
use crate::rules::secrets::assignment::key_name::Kind;
use crate::rules::secrets::decode;
use crate::rules::secrets::file_kind::FileKind;
use crate::values;
use crate::values::placeholder;

/// Longer values are no passwords and no tokens.
pub const VALUE: usize = 512;

/// How sure we are that a value is a secret, if it may be one at all. `quoted`: it stood in quotes, so that it is no expression.
pub fn judge(kind: Kind, text: &[u8], quoted: bool, file: FileKind) -> Option<Confidence> {
    if text.len() < 4 || text.len() >= VALUE || text.iter().any(|b| b.is_ascii_control() || *b == b' ') {
        return None;
    }
    let is_placeholder = match kind {
        Kind::Password => placeholder::is_password_placeholder,
        Kind::Token => placeholder::is_token_placeholder,
    };
    if values::is_reference(text)
        || values::is_ciphertext(text)
        || values::is_pattern(text)
        || values::is_template(text)
        || is_placeholder(text.trim_with(|c| matches!(c, '"' | '\'' | '`')))
        || values::is_timestamp(text)
        || values::contains(text, "://")
        || is_wrapped_word(text)
        // A web token has a detector of its own, which knows more.
        || text.starts_with(b"eyJ") && text.contains(&b'.')
        || text.iter().all(|b| b.is_ascii_digit() || b".,:-".contains(b))
    {
        return None;
    }
    // Calls, comparisons and members are code, not values.
    if !quoted && text.find_byteset(b"()[]").is_some() {
        return None;
    }
    // A string in minified code is any string, and a translation is a sentence: only what nobody would write there counts.
    if matches!(file, FileKind::Minified | FileKind::Translation)
        && !(text.iter().all(u8::is_ascii_alphanumeric) && text.len() >= 20)
    {
        return None;
    }
    let marks = b"(){};,=".iter().filter(|mark| text.contains(mark)).count();
    if matches!(file, FileKind::Script | FileKind::Minified) && marks > 2 {
        return None;
    }
    let strong = values::is_random(text);
    let found = match kind {
        Kind::Password if strong && !placeholder::is_usual_password(text) => Confidence::Medium,
        Kind::Password => weak(text, file)?,
        Kind::Token if values::is_uuid(text) || placeholder::is_long_run(text) => Confidence::Low,
        Kind::Token if strong && text.len() >= 16 => Confidence::Medium,
        Kind::Token if strong => Confidence::Low,
        Kind::Token => return None,
    };
    match file {
        FileKind::Prose if !strong => (kind == Kind::Password && quoted).then_some(Confidence::Low),
        FileKind::Translation | FileKind::Minified if !strong => None,
        _ => Some(found),
    }
}

/// A password that a person chose: `hunter42`, `Sommer2024!`.
fn weak(text: &[u8], file: FileKind) -> Option<Confidence> {
    let any = |kind: fn(&u8) -> bool| text.iter().any(kind);
    let kinds = [u8::is_ascii_alphabetic as fn(&u8) -> bool, u8::is_ascii_digit, u8::is_ascii_punctuation]
        .iter()
        .filter(|kind| any(**kind))
        .count();
    if placeholder::is_usual_password(text) {
        return Some(Confidence::Low);
    }
    if !values::is_identifier(text) {
        // `Password:`, `#add-password`
        let inner = text.trim_with(|c| c.is_ascii_punctuation());
        if values::is_identifier(inner)
            && values::contains(&inner.to_ascii_lowercase(), "passw")
            && !any(u8::is_ascii_digit)
        {
            return None;
        }
        let chosen = kinds > 2 || kinds > 1 && any(u8::is_ascii_uppercase) && any(u8::is_ascii_lowercase);
        return Some(if chosen && text.len() >= 6 { Confidence::Medium } else { Confidence::Low });
    }
    // Words in a row are the name of something, and so is what names what it is about; one word with a number is a password.
    let lower = text.to_ascii_lowercase();
    let named = ["passw", "secret", "token", "credential", "pwd", "auth"].iter().any(|w| values::contains(&lower, w));
    let mixed = any(u8::is_ascii_lowercase) && any(u8::is_ascii_uppercase);
    let joined = !text.iter().all(u8::is_ascii_alphanumeric);
    let chosen = any(u8::is_ascii_digit) && (!joined || mixed && !any(|b| b".:/()[]*&".contains(b)));
    let word = text.iter().all(u8::is_ascii_lowercase) && file == FileKind::Config;
    (text.len() >= 6 && (word || chosen && !named)).then_some(Confidence::Low)
}

/// Base64 of a word or of a placeholder.
fn is_wrapped_word(text: &[u8]) -> bool {
    let decoded = text.iter().all(|b| values::is_base64(*b)).then(|| decode::base64(text)).flatten();
    decoded.is_some_and(|d| {
        let d = d.trim_end();
        d.len() > 3
            && d.iter().all(u8::is_ascii_graphic)
            && (values::is_identifier(d) || placeholder::is_password_placeholder(d))
    })
}
