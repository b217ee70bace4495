//! Configuration that assigns with blanks: `requirepass x`, `set $token "x";`, `SetEnv API_KEY x`, an argument of PowerShell.

use std::ops::Range;

use bstr::ByteSlice as _;

use super::key_name::{self, Kind};
use super::value_span::Value;
use super::{FileKind, Reader};
use crate::values;

impl Reader<'_> {
    /// The last word of a line that begins with a few words and a name. `first`: what stands before the name.
    pub fn directive(&self, name: &Range<usize>, at: usize, first: &[u8]) -> Option<Value> {
        if self.file.is_code() {
            return if first.ends_with(b"-") { self.quoted(at) } else { None };
        }
        let line = self.ahead_in_line(at);
        let lead =
            [&b"--plaintext "[..], b"password "].iter().find(|lead| line.starts_with(lead)).map_or(0, |l| l.len());
        let at = at + lead;
        let quoted = self.quoted(at);
        let range = match &quoted {
            Some(value) => value.range.clone(),
            None => at..at + line[lead..].find_byteset(b" \t\r\n;").unwrap_or(line.len() - lead),
        };
        let after = self.skip(range.end + usize::from(quoted.is_some()), b" \t;");
        if !matches!(self.byte(after), b'\n' | b'\r' | b'#') {
            return None;
        }
        let word = &self.text[range.clone()];
        let token = word.len() >= 20 && word.iter().all(|b| values::is_base64(*b)) && values::is_random(word);
        // In a sentence and after another assignment a name and a word are no directive.
        let words = first.split(u8::is_ascii_whitespace).filter(|w| !w.is_empty()).count();
        let in_sentence = words > 3 || first.find_byteset(b":=|(<\"'").is_some();
        let is_password =
            || matches!(key_name::kind(&self.text[name.clone()]), Some(Kind::Password | Kind::Abbreviation));
        let chosen =
            self.file == FileKind::Config && !in_sentence && word.iter().any(u8::is_ascii_digit) && is_password();
        (token || chosen).then_some(Value { range, quoted: quoted.is_some(), fallback: in_sentence, member: false })
    }
}
