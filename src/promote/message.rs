//! The message of a pick: the original's, with a line that names the original where `git cherry-pick -x` puts it.

use bstr::{BString, ByteSlice as _};

use crate::subject::Oid;

/// Appends `(cherry picked from commit X)`, below the trailers if the message ends in some.
pub fn with_origin(message: &[u8], origin: Oid) -> BString {
    let mut out = BString::from(message);
    if out.last().is_some_and(|b| *b != b'\n') {
        out.push(b'\n');
    }
    if !ends_in_trailers(&out) {
        out.push(b'\n');
    }
    out.extend_from_slice(format!("(cherry picked from commit {origin})\n").as_bytes());
    tidy(&out)
}

/// No white space at the ends of lines, no empty lines at the start, no two in a row: git does this when it adds a line.
fn tidy(message: &[u8]) -> BString {
    let mut out = BString::default();
    let mut gap = false;
    for line in message.split(|b| *b == b'\n') {
        let line = line.trim_end_with(|c| matches!(c, ' ' | '\t' | '\r'));
        if line.is_empty() {
            gap = !out.is_empty();
            continue;
        }
        if gap {
            out.push(b'\n');
        }
        out.extend_from_slice(line);
        out.push(b'\n');
        gap = false;
    }
    out
}

/// The last paragraph, which is not the first, holds trailers: only such, or git's own and not too much else.
fn ends_in_trailers(message: &[u8]) -> bool {
    let lines: Vec<&[u8]> = message.lines().collect();
    let end = lines.iter().rposition(|l| !l.trim().is_empty()).map_or(0, |at| at + 1);
    let start = lines[..end].iter().rposition(|l| l.trim().is_empty()).map_or(0, |at| at + 1);
    if start == 0 || end != lines.len() {
        return false;
    }
    let (mut trailers, mut others, mut own) = (0, 0, false);
    for line in &lines[start..end] {
        if line.starts_with(b" ") || line.starts_with(b"\t") {
            continue;
        }
        if line.starts_with(b"(cherry picked from commit ") || line.starts_with(b"Signed-off-by: ") {
            own = true;
            trailers += 1;
        } else if is_trailer(line) {
            trailers += 1;
        } else {
            others += 1;
        }
    }
    trailers > 0 && others == 0 || own && trailers * 3 >= others
}

fn is_trailer(line: &[u8]) -> bool {
    line.find_byte(b':').is_some_and(|colon| {
        let token = line[..colon].trim_end();
        !token.is_empty() && token.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'-')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_origin_stands_where_git_puts_it() {
        let id = Oid::from_bytes(&[7; 20]).expect("an id");
        let told = |message: &str| with_origin(message.as_bytes(), id).to_string();
        let line = format!("(cherry picked from commit {id})\n");
        assert_eq!(told("feat: a\n"), format!("feat: a\n\n{line}"));
        assert_eq!(told("feat: a"), format!("feat: a\n\n{line}"));
        assert_eq!(told("feat: a\n\nbody\n"), format!("feat: a\n\nbody\n\n{line}"));
        assert_eq!(told("feat: a\n\nFixes: x\n"), format!("feat: a\n\nFixes: x\n{line}"));
        let untidy = "\n\nfeat: a  \n\n\nbody \t\n# kept\n\n\nmore\r\n\nSigned-off-by: x <x@y>\n\n\n";
        let tidy = "feat: a\n\nbody\n# kept\n\nmore\n\nSigned-off-by: x <x@y>\n\n";
        assert_eq!(told(untidy), format!("{tidy}{line}"));
        assert_eq!(told(&told("feat: a\n")), format!("feat: a\n\n{line}{line}"));
    }
}
