//! Object ids.

use std::fmt;
use std::hash::{Hash, Hasher};

/// An object id: 20 bytes (sha1) or 32 (sha256).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Oid {
    bytes: [u8; 32],
    len: u8,
}

impl Hash for Oid {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // All bytes: ids that are only written down (of submodules, say) can be chosen to share a prefix.
        state.write(self.as_bytes());
    }
}

impl Oid {
    /// `None` unless `raw` has 20 or 32 bytes.
    pub fn from_bytes(raw: &[u8]) -> Option<Self> {
        let mut bytes = [0; 32];
        matches!(raw.len(), 20 | 32).then(|| {
            bytes[..raw.len()].copy_from_slice(raw);
            Self { bytes, len: raw.len() as u8 }
        })
    }

    /// Parses 40 or 64 hexadecimal digits of either case.
    pub fn from_hex(hex: &[u8]) -> Option<Self> {
        let digit = |b: u8| (b as char).to_digit(16).map(|d| d as u8);
        let raw: Option<Vec<u8>> = hex.chunks(2).map(|c| Some(digit(c[0])? << 4 | digit(*c.get(1)?)?)).collect();
        Self::from_bytes(&raw?)
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len as usize]
    }

    /// True for the id of zeroes with which git says "no object".
    pub fn is_null(&self) -> bool {
        self.as_bytes().iter().all(|b| *b == 0)
    }

    /// The first ten digits, for people.
    pub fn short(&self) -> String {
        self.to_string()[..10].to_owned()
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_bytes().iter().try_for_each(|b| write!(f, "{b:02x}"))
    }
}

impl fmt::Debug for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
