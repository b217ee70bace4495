//! Splits shell scripts into commands and words with their spans: enough to see which program gets which flags. Expands
//! nothing.

use std::ops::Range;

/// A word without its quotes; the span includes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub text: String,
    pub span: Range<usize>,
}

/// The simple commands of a script, in order. `folded`: line ends separate words, not commands.
pub(super) fn commands(script: &[u8], folded: bool) -> Vec<Vec<Word>> {
    let mut reader = WordReader { commands: Vec::new(), words: Vec::new(), word: None };
    let mut at = 0;
    let mut quote = None;
    while at < script.len() {
        let (byte, next) = (script[at], script.get(at + 1).copied());
        let mut length = 1;
        match (quote, byte) {
            (Some(q), b) if q == b => quote = None,
            (Some(b'\''), b) => reader.put(at, b),
            (_, b'\\') => match continued(&script[at + 1..]) {
                Some(blank) => {
                    length = 1 + blank;
                    if quote.is_none() {
                        reader.end_word();
                    }
                }
                None => {
                    reader.put(at, next.unwrap_or(b'\\'));
                    length = 2;
                }
            },
            (Some(_), b) => reader.put(at, b),
            (None, q @ (b'"' | b'\'')) => {
                quote = Some(q);
                reader.start_word(at);
            }
            (None, b'#') if reader.word.is_none() => {
                length = memchr::memchr(b'\n', &script[at..]).unwrap_or(script.len() - at);
            }
            // `${{ ... }}` and `${...}` belong to one word, whatever they contain.
            (None, b'$') if next == Some(b'{') => {
                let end = if script[at..].starts_with(b"${{") { &b"}}"[..] } else { b"}" };
                let close = memchr::memmem::find(&script[at..], end);
                length = close.map_or(2, |c| c + end.len());
                script[at..at + length].iter().for_each(|b| reader.put(at, *b));
            }
            (None, b'\n') if !folded => reader.end_command(),
            (None, b';' | b'&' | b'|' | b'(' | b')') => reader.end_command(),
            (None, b) if b.is_ascii_whitespace() => reader.end_word(),
            (None, b) => reader.put(at, b),
        }
        at += length;
        reader.extend_span(at.min(script.len()));
    }
    reader.end_command();
    reader.commands
}

/// Length of the line end after a backslash that continues the line.
fn continued(rest: &[u8]) -> Option<usize> {
    let end = rest.strip_prefix(b"\r").unwrap_or(rest);
    end.starts_with(b"\n").then(|| rest.len() - end.len() + 1)
}

struct WordReader {
    commands: Vec<Vec<Word>>,
    words: Vec<Word>,
    /// The current word: its bytes and its span so far.
    word: Option<(Vec<u8>, Range<usize>)>,
}

impl WordReader {
    fn start_word(&mut self, at: usize) {
        self.word.get_or_insert_with(|| (Vec::new(), at..at));
    }

    fn put(&mut self, at: usize, byte: u8) {
        self.start_word(at);
        if let Some((bytes, _)) = &mut self.word {
            bytes.push(byte);
        }
    }

    /// Extends the current word's span to `at`.
    fn extend_span(&mut self, at: usize) {
        if let Some((_, span)) = &mut self.word {
            span.end = at;
        }
    }

    fn end_word(&mut self) {
        if let Some((bytes, span)) = self.word.take() {
            self.words.push(Word { text: String::from_utf8_lossy(&bytes).into_owned(), span });
        }
    }

    fn end_command(&mut self) {
        self.end_word();
        if !self.words.is_empty() {
            self.commands.push(std::mem::take(&mut self.words));
        }
    }
}
