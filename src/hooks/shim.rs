//! The text of what gets installed. Owns the templates in `hooks/`, their marker line and its digest, by which a shim
//! is recognised later: ours or not, which version, edited or not.

use std::ffi::OsString;
use std::path::Path;

use bstr::ByteSlice as _;
use sha2::{Digest as _, Sha256};

use super::Hook;
use crate::error::{Error, Result};
use crate::shell::quote_bytes;

const SHIM: &str = include_str!("../../hooks/shim.sh");
const BLOCK: &str = include_str!("../../hooks/block.sh");
const FIND: &str = include_str!("../../hooks/find.sh");
const REFUSE: &str = include_str!("../../hooks/refuse.sh");
const WARN: &str = include_str!("../../hooks/warn.sh");

const SHIM_MARK: &[u8] = b"# portcullis shim ";
const BLOCK_MARK: &[u8] = b"# >>> portcullis block ";
const BLOCK_END: &[u8] = b"# <<< portcullis block <<<\n";
const DIGEST: &[u8] = b"@DIGEST@";

/// The version that goes into the marker line.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What a hook does where there is no binary.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Missing {
    #[default]
    Refuse,
    /// Warn, and let git go on.
    Pass,
}

/// What the hook hands on of its own arguments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Arguments {
    #[default]
    All,
    /// A gitolite VREF: the first three are those of `update`, and gitolite reads what is printed.
    Vref,
}

/// A hook's text, before it is one.
#[derive(Clone, Debug)]
pub struct Shim<'a> {
    pub hook: Hook,
    /// Tried first. `None` where the text travels to other machines.
    pub binary: Option<&'a Path>,
    pub missing: Missing,
    pub arguments: Arguments,
    /// Options of `hook run`, such as `--server bare`.
    pub options: &'a [OsString],
}

/// What the marker line says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marker {
    pub version: String,
    /// Nobody changed the text since we wrote it.
    pub intact: bool,
}

impl Shim<'_> {
    /// The whole file. `kept` is the name of the hook that was there, in the same directory; it runs first.
    pub fn text(&self, kept: Option<&str>) -> Result<Vec<u8>> {
        // `$0` is how git names the hook: its directory is where the kept one stands, without asking a subshell.
        let kept = kept.map(|name| [br#""${0%/*}"/"#, quote_bytes(name.as_bytes()).as_slice()].concat());
        let mut options = Vec::new();
        for option in self.options {
            options.push(b' ');
            let word = bytes(Path::new(option))?;
            // The name of an option needs no quotes; a value that begins with `-` does.
            let is_name = word.starts_with(b"--") && word.iter().all(|b| b.is_ascii_lowercase() || *b == b'-');
            options.extend(if is_name { word.to_vec() } else { quote_bytes(word) });
        }
        let mut missing = match self.missing {
            Missing::Refuse => self.fill(REFUSE, &[])?,
            Missing::Pass => self.fill(WARN, &[])?,
        };
        if self.missing == Missing::Pass {
            if let Some(kept) = &kept {
                missing.extend([b"    [ -x ", kept.as_slice(), b" ] && exec ", kept, b" \"$@\"\n"].concat());
            }
            missing.extend(b"    exit 0\n");
        }
        if let Some(kept) = kept {
            options.extend(b" --chain ");
            options.extend(kept);
        }
        let arguments: &[u8] = match self.arguments {
            Arguments::All => br#""$@""#,
            Arguments::Vref => br#""$1" "$2" "$3" >&2"#,
        };
        let find = self.fill(FIND, &[])?;
        let text = self.fill(
            SHIM,
            &[
                ("FIND", find.trim_end()),
                ("MISSING", missing.trim_end()),
                ("OPTIONS", &options),
                ("ARGUMENTS", arguments),
            ],
        )?;
        Ok(sign(&text))
    }

    /// The lines that go into a shell script of somebody else's.
    pub fn block(&self) -> Result<Vec<u8>> {
        let missing = self.fill(if self.missing == Missing::Refuse { REFUSE } else { WARN }, &[])?;
        let find = self.fill(FIND, &[])?;
        Ok(sign(&self.fill(BLOCK, &[("FIND", find.trim_end()), ("MISSING", missing.trim_end())])?))
    }

    /// Puts values for `@NAME@` in one pass, so that nothing in a value is taken for a name.
    fn fill(&self, template: &str, more: &[(&str, &[u8])]) -> Result<Vec<u8>> {
        let binary = quote_bytes(self.binary.map(bytes).transpose()?.unwrap_or_default());
        let value = |name: &str| match name {
            "BINARY" => Some(binary.as_slice()),
            "HOOK" => Some(self.hook.name().as_bytes()),
            "VERSION" => Some(VERSION.as_bytes()),
            "DIGEST" => Some(DIGEST),
            name => more.iter().find(|(n, _)| *n == name).map(|(_, value)| *value),
        };
        let mut out = Vec::with_capacity(template.len() * 2);
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('@') {
            out.extend(before.as_bytes());
            // Not every `@` begins a name: the shell has `$@`.
            rest = match after.split_once('@').and_then(|(name, tail)| Some((value(name)?, tail))) {
                Some((value, tail)) => {
                    out.extend(value);
                    tail
                }
                None => {
                    out.push(b'@');
                    after
                }
            };
        }
        out.extend(rest.as_bytes());
        Ok(out)
    }
}

/// Puts the digest of the text into its marker line.
fn sign(text: &[u8]) -> Vec<u8> {
    text.replacen(DIGEST, digest(text), 1)
}

fn digest(text: &[u8]) -> String {
    Sha256::digest(text)[..8].iter().map(|b| format!("{b:02x}")).collect()
}

/// The marker of a text that is a shim of ours.
pub fn marker(text: &[u8]) -> Option<Marker> {
    let line = text.lines().nth(1)?;
    read_marker(text, line, line.strip_prefix(SHIM_MARK)?)
}

/// The range of our block in a script, its lines whole, and its marker.
pub fn find_block(text: &[u8]) -> Option<(std::ops::Range<usize>, Marker)> {
    let start = if text.starts_with(BLOCK_MARK) { 0 } else { text.find([b"\n", BLOCK_MARK].concat())? + 1 };
    let end = start + text[start..].find(BLOCK_END)? + BLOCK_END.len();
    let block = &text[start..end];
    let line = block.lines().next()?;
    Some((start..end, read_marker(block, line, line.strip_prefix(BLOCK_MARK)?)?))
}

fn read_marker(text: &[u8], line: &[u8], rest: &[u8]) -> Option<Marker> {
    let mut words = rest.fields();
    let (version, written) = (words.next()?, words.next()?);
    let unsigned = text.replacen(line, line.replacen(written, DIGEST, 1), 1);
    Some(Marker {
        version: crate::text::sanitise(version),
        intact: version != written && digest(&unsigned).as_bytes() == written,
    })
}

/// Where a block goes: after the first line of a shell script. `None` for any other kind of file.
pub fn place_for_block(script: &[u8]) -> Option<usize> {
    let Some(interpreter) = script.strip_prefix(b"#!") else {
        // Without that line git hands a text to `sh`; a binary is no place for lines.
        return (!script.contains(&0)).then_some(0);
    };
    let end = interpreter.find_byte(b'\n')?;
    let is_shell = interpreter[..end]
        .fields()
        .flat_map(|word| word.rsplit(|b| *b == b'/').next())
        .any(|name| [&b"sh"[..], b"bash", b"dash", b"ash", b"ksh"].contains(&name));
    is_shell.then_some(2 + end + 1)
}

/// The bytes of a path, as a shell script can hold them.
pub(super) fn bytes(path: &Path) -> Result<&[u8]> {
    <[u8]>::from_path(path)
        .ok_or_else(|| Error::usage(format!("the path {} cannot be written into a script", path.display())))
}

/// The first word of a text that [`quote_bytes`] wrote.
pub(super) fn unquote(text: &[u8]) -> Option<Vec<u8>> {
    let Some(mut rest) = text.strip_prefix(b"'") else {
        return text.fields().next().map(<[u8]>::to_vec);
    };
    let mut word = Vec::new();
    loop {
        let end = rest.find_byte(b'\'')?;
        word.extend(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix(br"\''") {
            Some(more) => {
                word.push(b'\'');
                rest = more;
            }
            None => return Some(word),
        }
    }
}

/// The path that a shim tries first, if it names one.
pub fn binary_in(text: &[u8]) -> Option<std::path::PathBuf> {
    let at = text.find("\nportcullis=").or_else(|| text.find("    portcullis="))?;
    let value = text[at..].splitn_str(2, "portcullis=").nth(1)?;
    let word = unquote(value)?;
    if word.is_empty() { None } else { word.to_path().ok().map(Into::into) }
}

/// Bytes as an argument of a command.
pub(super) fn as_argument(bytes: &[u8]) -> Result<&std::ffi::OsStr> {
    bytes.to_os_str().map_err(|_| Error::usage("the path of the binary is not text on this system"))
}
