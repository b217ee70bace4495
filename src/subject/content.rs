//! The content of a blob or file: read whole on first use, or streamed if it is too large.

use std::cell::OnceCell;
use std::io::Read;

use crate::error::{Error, Result};

/// The bytes of a blob or file, read on first use. Not shared between threads: one job, one blob.
pub struct Content<'a> {
    load: Load<'a>,
    /// `None`: too large.
    bytes: OnceCell<Result<Option<Vec<u8>>>>,
}

enum Load<'a> {
    Whole(&'a dyn Fn() -> Result<Vec<u8>>),
    Parts(&'a dyn Fn() -> Result<Option<Vec<u8>>>, &'a Open<'a>),
}

/// Opens a content and passes the reader, at its first byte, to a function.
pub type Open<'a> = dyn Fn(&mut dyn FnMut(&mut dyn Read) -> Result<()>) -> Result<()> + 'a;

/// Completes "this is ...".
pub const TOO_LARGE: &str = "too large for the rules that need all of a file at once";

impl<'a> Content<'a> {
    pub fn new(load: &'a dyn Fn() -> Result<Vec<u8>>) -> Self {
        Self { load: Load::Whole(load), bytes: OnceCell::new() }
    }

    /// `load` returns `None` for a content that is too large for memory; `open` then streams it.
    pub fn or_in_parts(load: &'a dyn Fn() -> Result<Option<Vec<u8>>>, open: &'a Open<'a>) -> Self {
        Self { load: Load::Parts(load, open), bytes: OnceCell::new() }
    }

    /// The whole content, an error if it is too large. The first call reads; its error is returned again by later calls.
    pub fn bytes(&self) -> Result<&[u8]> {
        let too_large = || {
            Error::undecided(format!("this is {TOO_LARGE}"))
                .hint("exclude it from the rule in the policy, or keep it elsewhere")
        };
        self.whole()?.ok_or_else(too_large)
    }

    /// The whole content; `None` if it is too large, and [`Content::open`] has to stream it.
    pub fn whole(&self) -> Result<Option<&[u8]>> {
        let load = || match self.load {
            Load::Whole(load) => load().map(Some),
            Load::Parts(load, _) => load(),
        };
        self.bytes.get_or_init(load).as_ref().map(Option::as_deref).map_err(Error::clone)
    }

    /// Streams the content from its first byte, of any size.
    pub fn open(&self, read: &mut dyn FnMut(&mut dyn Read) -> Result<()>) -> Result<()> {
        match self.load {
            Load::Whole(_) => read(&mut self.bytes()?),
            Load::Parts(_, open) => open(read),
        }
    }

    /// The buffer of what was read, to reuse for the next content.
    pub fn into_spare(self) -> Option<Vec<u8>> {
        self.bytes.into_inner()?.ok()?
    }

    /// The length of what was read; `None` before the first read, and for a content that is too large.
    pub fn read(&self) -> Option<usize> {
        match self.bytes.get()? {
            Ok(bytes) => bytes.as_ref().map(Vec::len),
            Err(_) => Some(0),
        }
    }
}
