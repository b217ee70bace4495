//! Which remotes are allowed. Owns parsing `git_remote_url`, the list of hosts and their addresses: git connects exactly to
//! what is checked here, and gets a URL that we wrote, never the caller's.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use super::answer::Answer;
use super::options::SyncSettings;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scheme {
    Https,
    /// Unencrypted, including tokens.
    Http,
    /// A repository on this machine.
    File,
}

impl Scheme {
    pub fn name(self) -> &'static str {
        match self {
            Self::Https => "https",
            Self::Http => "http",
            Self::File => "file",
        }
    }
}

/// A parsed remote.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Remote {
    scheme: &'static str,
    /// In lower case; IPv6 in brackets; empty for files.
    host: String,
    port: Option<u16>,
    /// With its leading slash.
    path: String,
}

impl fmt::Display for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.origin(), self.path)
    }
}

impl Remote {
    /// Parses a URL. The error is shown to the caller and does not repeat the URL, which may contain a password.
    pub fn parse(url: &str, settings: &SyncSettings) -> Result<Self, String> {
        let wrong = |what: &str| Err(format!("Invalid field: git_remote_url {what}"));
        let allowed: Vec<&str> = settings.schemes.iter().map(|s| s.name()).collect();
        let known = settings.schemes.iter().find_map(|s| Some((*s, url.strip_prefix(s.name())?.strip_prefix("://")?)));
        let Some((scheme, rest)) = known else {
            return wrong(&format!("must begin with {}://", allowed.join(":// or ")));
        };
        // Allow only characters that all URL parsers interpret alike.
        if !rest.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~/%+:@[],=!()".contains(&b)) {
            return wrong("contains characters that are not allowed");
        }
        let at = rest.find('/').unwrap_or(rest.len());
        let (authority, path) = rest.split_at(at);
        if authority.contains('@') {
            return wrong("must not contain credentials: put them into git_token");
        }
        let path = path.trim_end_matches('/');
        let steps = path.split('/').skip(1);
        if path.len() < 2
            || steps.clone().any(|s| s.is_empty() || s == "." || s == ".." || s.contains("%2") || s.starts_with('-'))
        {
            return wrong("does not name a repository");
        }
        let (host, port) = match scheme {
            Scheme::File if authority.is_empty() => (String::new(), None),
            Scheme::File => return wrong("names a file on another machine"),
            Scheme::Https | Scheme::Http => match parse_authority(authority) {
                Some(parsed) => parsed,
                None => return wrong("does not name a host"),
            },
        };
        if scheme != Scheme::File && !settings.hosts.is_empty() && !settings.hosts.iter().any(|h| covers(h, &host)) {
            return wrong("is on a host that is not allowed here");
        }
        Ok(Self { scheme: scheme.name(), host, port, path: path.to_owned() })
    }

    pub fn scheme(&self) -> &'static str {
        self.scheme
    }

    /// Scheme, host and port.
    pub fn origin(&self) -> String {
        let port = self.port.map_or_else(String::new, |p| format!(":{p}"));
        format!("{}://{}{port}", self.scheme, self.host)
    }

    /// Equal for different spellings of the same repository, on the known servers.
    pub fn key(&self) -> String {
        let path = self.path.strip_suffix(".git").unwrap_or(&self.path);
        let port = self.port.unwrap_or_else(|| self.default_port());
        format!("{}:{port}{}", self.host, path.to_ascii_lowercase())
    }

    /// The URL with `.git` appended; `None` if it has it. Some servers redirect there, and we do not follow redirects.
    pub fn with_suffix(&self) -> Option<Self> {
        let path = (!self.path.ends_with(".git")).then(|| format!("{}.git", self.path))?;
        Some(Self { path, ..self.clone() })
    }

    fn default_port(&self) -> u16 {
        if self.scheme == "http" { 80 } else { 443 }
    }

    /// Resolves the host and checks every address. Returns `host:port:address,address` for git, so that it connects to these
    /// addresses without resolving again.
    pub async fn resolve(&self, allow_private: bool) -> Result<Option<String>, Answer> {
        if self.host.is_empty() {
            return Ok(None);
        }
        let port = self.port.unwrap_or_else(|| self.default_port());
        let name = self.host.trim_matches(['[', ']']);
        let found = tokio::net::lookup_host((name, port)).await;
        let addresses: Vec<IpAddr> = found.map(|all| all.map(|a: SocketAddr| a.ip()).collect()).unwrap_or_default();
        if addresses.is_empty() {
            return Err(Answer::failed(format!("Git pull failed: could not resolve the host {}", self.host)));
        }
        if addresses.iter().any(|a| !may_reach(*a, allow_private)) {
            let what = "has an address that is not allowed here";
            return Err(Answer::invalid(format!("Invalid field: git_remote_url {what}")));
        }
        if name.parse::<IpAddr>().is_ok() {
            return Ok(None);
        }
        let shown = |a: &IpAddr| match a {
            IpAddr::V4(a) => a.to_string(),
            IpAddr::V6(a) => format!("[{a}]"),
        };
        let mut list: Vec<String> = addresses.iter().map(shown).collect();
        list.dedup();
        Ok(Some(format!("{}:{port}:{}", self.host, list.join(","))))
    }
}

/// Host in lower case and port; `None` if the host is not a name or an address in its usual form.
fn parse_authority(authority: &str) -> Option<(String, Option<u16>)> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (address, port) = rest.split_once(']')?;
            (format!("[{}]", address.parse::<Ipv6Addr>().ok()?), port)
        }
        None => {
            let at = authority.find(':').unwrap_or(authority.len());
            (authority[..at].to_ascii_lowercase(), &authority[at..])
        }
    };
    let port = match port.strip_prefix(':') {
        None if port.is_empty() => None,
        Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => Some(digits.parse().ok().filter(|p| *p != 0)?),
        _ => return None,
    };
    let label = |l: &str| {
        !l.is_empty()
            && !l.starts_with('-')
            && !l.ends_with('-')
            && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    // A resolver reads `0x7f.1` and `2130706433` as addresses.
    let numeric = host.rsplit('.').next().is_some_and(|l| l.starts_with(|c: char| c.is_ascii_digit()));
    let good = host.starts_with('[')
        || (host.len() <= 253 && host.split('.').all(label) && (!numeric || host.parse::<Ipv4Addr>().is_ok()));
    good.then_some((host, port))
}

fn covers(pattern: &str, host: &str) -> bool {
    let pattern = pattern.to_ascii_lowercase();
    match pattern.strip_prefix("*.") {
        Some(domain) => host.strip_suffix(domain).is_some_and(|h| h.ends_with('.')),
        None => pattern == host,
    }
}

/// Whether a remote may have this address.
pub fn may_reach(address: IpAddr, allow_private: bool) -> bool {
    match address {
        IpAddr::V4(a) => may_reach_v4(a, allow_private),
        // A packet may go to the address that is embedded, or to the whole: both have to be allowed.
        IpAddr::V6(a) => {
            let embedded = embedded(a);
            let whole = a.to_ipv4_mapped().is_some() || may_reach_v6(a, allow_private);
            whole && embedded.into_iter().flatten().all(|inner| may_reach_v4(inner, allow_private))
        }
    }
}

fn may_reach_v4(a: Ipv4Addr, allow_private: bool) -> bool {
    let [first, second, third, _] = a.octets();
    // Where clouds answer for their metadata; one of them does it in the carriers' range.
    let metadata = a.is_link_local() || a == Ipv4Addr::new(100, 100, 100, 200);
    let nowhere = first == 0 || first >= 224 || (first == 192 && second == 0 && third == 0);
    let carrier = first == 100 && (64..128).contains(&second);
    let benchmark = first == 198 && (18..20).contains(&second);
    !metadata && !nowhere && (allow_private || !(a.is_private() || a.is_loopback() || carrier || benchmark))
}

fn may_reach_v6(a: Ipv6Addr, allow_private: bool) -> bool {
    let first = a.segments()[0];
    let metadata = first & 0xffc0 == 0xfe80 || a == Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);
    let private = a.is_loopback() || first & 0xfe00 == 0xfc00 || first & 0xffc0 == 0xfec0;
    !metadata && !a.is_unspecified() && !a.is_multicast() && (allow_private || !private)
}

/// The IPv4 addresses to which a router or tunnel could send what goes to an IPv6 address.
///
/// IPv4-mapped and IPv4-compatible (RFC 4291), SIIT (RFC 2765), NAT64 (RFC 6052 and 8215), 6to4 (RFC 3056), Teredo
/// (RFC 4380: the server, and the client with its bits inverted) and ISATAP (RFC 5214).
fn embedded(a: Ipv6Addr) -> [Option<Ipv4Addr>; 2] {
    let s = a.segments();
    let join = |high: u16, low: u16| Some(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)));
    let last = join(s[6], s[7]);
    match s {
        // The unspecified address and the loopback address of IPv6 itself.
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => [None, None],
        [0, 0, 0, 0, 0, 0 | 0xffff, ..] | [0, 0, 0, 0, 0xffff, 0, ..] => [last, None],
        // The local-use prefix may embed the address after 48 bits or after 96.
        [0x64, 0xff9b, 1, high, low, rest, ..] if (high, low, rest) != (0, 0, 0) => {
            [join(high, low << 8 | rest >> 8), last.filter(|l| !l.is_unspecified())]
        }
        [0x64, 0xff9b, ..] => [last, None],
        [0x2002, high, low, ..] => [join(high, low), None],
        [0x2001, 0, high, low, ..] => [join(high, low), join(!s[6], !s[7])],
        [.., 0 | 0x200, 0x5efe, _, _] => [last, None],
        _ => [None, None],
    }
}
