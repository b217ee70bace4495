//! Secrets in archives, and what is said of an archive that is not read.

use std::io::{Cursor, Write as _};

use bstr::{BStr, ByteSlice as _};
use portcullis::finding::{Finding, Findings, Severity};
use portcullis::rules::Check as _;
use portcullis::rules::secrets::{Scanner, Secrets, Settings, redactor};
use portcullis::subject::{Content, File};

use super::github_token;
use super::kubernetes::gzip;

fn findings(path: &str, bytes: &[u8]) -> Vec<Finding> {
    let check = Secrets::new(Scanner::new(Vec::new()), Settings::default());
    let load = || Ok(bytes.to_vec());
    let content = Content::new(&load);
    let file = File { path: BStr::new(path), commit: None, blob: None, symlink: false, content: &content };
    let mut out = Findings::new(redactor(), 1);
    check.check(&file, &mut out).expect("readable");
    out.into_vec()
}

fn rules(path: &str, bytes: &[u8]) -> Vec<String> {
    findings(path, bytes).iter().map(|f| f.rule.to_string()).collect()
}

fn zip(entries: &[(&str, &[u8])], method: zip::CompressionMethod) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in entries {
        let options = zip::write::SimpleFileOptions::default().compression_method(method);
        writer.start_file(*name, options).expect("a name");
        writer.write_all(content).expect("memory");
    }
    writer.finish().expect("memory").into_inner()
}

fn tar(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, content) in entries {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_cksum();
        builder.append_data(&mut header, name, *content).expect("memory");
    }
    builder.into_inner().expect("memory")
}

#[test]
fn files_in_an_archive_are_searched() {
    let values = format!("image: nginx\ngithub: {}\n", github_token(1));
    let entries = [("chart/values.yaml", values.as_bytes()), ("chart/Chart.yaml", b"name: chart\n")];
    let tarball = tar(&entries);
    for (path, bytes) in [
        ("lib/tool.jar", zip(&entries, zip::CompressionMethod::Deflated)),
        ("stored.zip", zip(&entries, zip::CompressionMethod::Stored)),
        ("app.pyz", [b"#!/usr/bin/env python3\n", zip(&entries, zip::CompressionMethod::Deflated).as_slice()].concat()),
        ("chart.tar", tarball.clone()),
        ("charts/chart-1.2.3.tgz", gzip(&tarball)),
        ("values.yaml.gz", gzip(values.as_bytes())),
        ("parts.gz", [gzip(b"nothing: here\n"), gzip(values.as_bytes())].concat()),
    ] {
        let found = findings(path, &bytes);
        let [finding] = &found[..] else { panic!("{path}: {found:?}") };
        assert_eq!((finding.rule.as_ref(), finding.severity), ("secrets/github-pat", Severity::Error), "{path}");
        assert!(finding.message.contains("of this archive"), "{path}: {}", finding.message);
        assert!(!format!("{finding:?}").contains(&github_token(1)), "{path}");
    }
    assert_eq!(rules("clean.zip", &zip(&entries[1..], zip::CompressionMethod::Deflated)), [""; 0]);
}

#[test]
fn an_archive_that_is_not_read_to_its_end_is_a_finding() {
    let token = github_token(1);
    let entries = [("a.yaml", token.as_bytes())];
    let inner = zip(&entries, zip::CompressionMethod::Deflated);
    let outer = zip(&[("inner.zip", &inner)], zip::CompressionMethod::Deflated);
    let damaged = &inner[..inner.len() / 2];
    let many: Vec<(String, &[u8])> = (0..5000).map(|n| (format!("{n}"), &b"x"[..])).collect();
    let many: Vec<(&str, &[u8])> = many.iter().map(|(name, content)| (name.as_str(), *content)).collect();
    let mut unusual = zip(&entries, zip::CompressionMethod::Stored);
    // The number of a method that is not built in, in both of the file's headers.
    for header in [&b"PK\x03\x04"[..], b"PK\x01\x02"] {
        let at = unusual.find(header).expect("a header") + if header[2] == 3 { 8 } else { 10 };
        unusual[at] = 14;
    }
    let zeros = vec![b'0'; 40 << 20];
    for (why, path, bytes) in [
        ("is an archive itself", "outer.zip", outer.as_slice()),
        ("it is damaged", "half.zip", damaged),
        ("more than 4096 files", "many.tar", &tar(&many)),
        ("too much", "bomb.zip", &zip(&[("zeros", &zeros)], zip::CompressionMethod::Deflated)),
        ("its end is missing", "cut.gz", &gzip(b"nothing: here\n")[..30]),
        ("packed in an unusual way", "lzma.zip", &unusual),
        ("packed with xz", "a.tar.xz", b"\xfd7zXZ\0\0"),
        ("packed with 7z", "a.7z", b"7z\xbc\xaf\x27\x1c\0\x04"),
    ] {
        let found = findings(path, bytes);
        let [finding] = &found[..] else { panic!("{path}: {found:?}") };
        assert_eq!((finding.rule.as_ref(), finding.severity), ("secrets/unread", Severity::Note), "{path}");
        assert!(finding.message.contains(why), "{path}: {}", finding.message);
    }
}

#[test]
fn what_comes_before_the_missing_end_of_an_archive_is_searched() {
    let token = format!("github: {}\n", github_token(1));
    let packed = gzip(&tar(&[("a.yaml", token.as_bytes())]));
    let cut = &packed[..packed.len() - 12];
    assert_eq!(rules("chart.tgz", cut), ["secrets/github-pat", "secrets/unread"]);
}

#[test]
fn any_bytes_after_a_mark_are_borne() {
    for start in [&b"PK\x03\x04"[..], b"\x1f\x8b\x08", b"\x1f\x8b", b"PK\x05\x06\0\0\0\0"] {
        for rest in [&b""[..], &[0; 40], &[0xff; 40], b"text\n"] {
            findings("a.bin", &[start, rest].concat());
        }
    }
    let mut header = vec![0xff; 600];
    header[257..262].copy_from_slice(b"ustar");
    findings("a.tar", &header);
}
