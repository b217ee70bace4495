//! A tape archive of a few small files, in the oldest common form (ustar): the same bytes on every run and machine.

/// One thing in an archive. Paths and contents are ours, so they are short.
pub(super) enum Entry<'a> {
    Directory(&'a str),
    Executable(&'a str, &'a [u8]),
}

/// The archive. Paths are at most 100 bytes long.
pub(super) fn archive(entries: &[Entry<'_>]) -> Vec<u8> {
    let mut out = Vec::new();
    for entry in entries {
        let (path, kind, content) = match entry {
            Entry::Directory(path) => (path, b'5', &[][..]),
            Entry::Executable(path, content) => (path, b'0', *content),
        };
        let mut header = [0u8; 512];
        let mut put = |at: usize, text: &[u8]| header[at..at + text.len()].copy_from_slice(text);
        put(0, path.as_bytes());
        put(100, b"0000755\0");
        put(108, b"0000000\0"); // user and group: root
        put(116, b"0000000\0");
        put(124, format!("{:011o}\0", content.len()).as_bytes());
        put(136, b"00000000000\0"); // the time of writing would be another one every time
        put(148, b"        "); // the checksum counts itself as spaces
        put(156, &[kind]);
        put(257, b"ustar\x0000");
        let sum: u32 = header.iter().map(|b| u32::from(*b)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        out.extend(header);
        out.extend(content);
        out.resize(out.len().next_multiple_of(512), 0);
    }
    // Two empty blocks end it; writers fill up to a record of twenty.
    out.resize((out.len() + 1024).next_multiple_of(10240), 0);
    out
}
