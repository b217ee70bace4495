//! git's configuration of commit messages, `git -c` included. Owns parsing `GIT_CONFIG_PARAMETERS`, in which git passes
//! `-c name=value` to its hooks and which gix does not read.

use bstr::{BString, ByteSlice as _, ByteVec as _};

use super::ThreadRepo;

/// The configuration of messages; `None` where a key is not set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MessageSettings {
    /// `commit.cleanup`.
    pub cleanup: Option<BString>,
    /// `core.commentString` or `core.commentChar`.
    pub comment: Option<BString>,
    /// `i18n.commitEncoding`.
    pub encoding: Option<BString>,
    /// `commit.verbose`: git adds a diff below the message.
    pub verbose: bool,
}

impl ThreadRepo<'_> {
    /// Reads the configuration of messages. `parameters`: the value of `GIT_CONFIG_PARAMETERS`, which wins.
    pub fn message_settings(&self, parameters: Option<&[u8]>) -> MessageSettings {
        let config = self.gix.config_snapshot();
        let mut settings = MessageSettings {
            cleanup: config.string("commit.cleanup"),
            comment: config.string("core.commentString").or_else(|| config.string("core.commentChar")),
            encoding: config.string("i18n.commitEncoding"),
            verbose: config.boolean("commit.verbose").unwrap_or(false),
        };
        for (key, value) in parameters.map(parse_parameters).unwrap_or_default() {
            match key.to_ascii_lowercase().as_slice() {
                b"commit.cleanup" => settings.cleanup = value,
                b"core.commentchar" | b"core.commentstring" => settings.comment = value,
                b"i18n.commitencoding" => settings.encoding = value,
                b"commit.verbose" => {
                    settings.verbose = value.is_none_or(|v| !matches!(&v[..], b"" | b"0" | b"false" | b"no" | b"off"));
                }
                _ => {}
            }
        }
        settings
    }
}

/// Parses `'name'='value' 'name'='value'`, and the form before git 2.30, `'name=value'`. A name can have no value. Text
/// that is not quoted was not written by git and ends the list.
fn parse_parameters(text: &[u8]) -> Vec<(BString, Option<BString>)> {
    let mut out = Vec::new();
    let mut rest = text.trim_start();
    while let Some((word, after)) = unquote(rest) {
        match after.strip_prefix(b"=") {
            Some(after) => {
                let (value, after) = unquote(after).map_or((None, after), |(v, after)| (Some(v), after));
                out.push((word, value));
                rest = after.trim_start();
            }
            None => {
                let parted = word.split_once_str("=").map(|(name, value)| (name.into(), Some(value.into())));
                out.push(parted.unwrap_or((word, None)));
                rest = after.trim_start();
            }
        }
    }
    out
}

/// A word in single quotes as git's own quoting writes it (`it'\''s`, `a'\!'b`), and what follows it.
fn unquote(text: &[u8]) -> Option<(BString, &[u8])> {
    let mut rest = text.strip_prefix(b"'")?;
    let mut word = BString::default();
    loop {
        let end = rest.find_byte(b'\'')?;
        word.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        match rest {
            [b'\\', c @ (b'\'' | b'!'), b'\'', after @ ..] => {
                word.push(*c);
                rest = after;
            }
            _ => return Some((word, rest)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_config_parameters_are_parsed() {
        let pair = |name: &str, value: Option<&str>| (BString::from(name), value.map(BString::from));
        for (text, wanted) in [
            ("", vec![]),
            ("'core.commentchar'=';'", vec![pair("core.commentchar", Some(";"))]),
            ("'a.b'='it'\\''s' 'c.d'", vec![pair("a.b", Some("it's")), pair("c.d", None)]),
            ("'core.commentchar=;'", vec![pair("core.commentchar", Some(";"))]),
            ("'a.b'='x'\\!''", vec![pair("a.b", Some("x!"))]),
            ("'a.b'=", vec![pair("a.b", None)]),
            ("'open", vec![]),
            ("plain", vec![]),
        ] {
            assert_eq!(parse_parameters(text.as_bytes()), wanted, "{text}");
        }
    }
}
