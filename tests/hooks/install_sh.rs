//! `install.sh`: the binary gets in place only when its checksum holds.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use super::snapshot;
use crate::support::{Sandbox, write_program};

const TARGETS: [&str; 4] =
    ["x86_64-unknown-linux-musl", "aarch64-unknown-linux-musl", "x86_64-apple-darwin", "aarch64-apple-darwin"];

const BINARY: &str = "#!/bin/sh\nif [ \"$1\" = --version ]; then echo portcullis 1.2.3; else echo \"ran $*\"; fi\n";

struct Release {
    sandbox: Arc<Sandbox>,
    files: PathBuf,
}

/// A release directory with an archive for every platform, whose checksums hold.
fn release(layout: &str) -> Release {
    let sandbox = Sandbox::new();
    let files = sandbox.path().join("release");
    let content = sandbox.path().join("content").join(layout);
    fs::create_dir_all(&files).unwrap();
    fs::create_dir_all(content.parent().unwrap()).unwrap();
    write_program(&content, BINARY.as_bytes(), 0o755);
    for target in TARGETS {
        let archive = files.join(format!("portcullis-{target}.tar.gz"));
        let top = layout.split('/').next().unwrap();
        let tar = sandbox.command("tar", sandbox.path().join("content")).arg("-czf").arg(&archive).arg(top).status();
        assert!(tar.unwrap().success());
        let mut sum = sandbox.command("sh", &files);
        sum.args(["-c", "sha256sum \"$1\" || shasum -a 256 \"$1\"", "sh"]).arg(archive.file_name().unwrap());
        let sum = String::from_utf8(sum.output().unwrap().stdout).unwrap();
        assert!(sum.len() > 64);
        fs::write(files.join(format!("portcullis-{target}.tar.gz.sha256")), sum).unwrap();
    }
    Release { sandbox, files }
}

impl Release {
    fn url(&self) -> String {
        format!("file://{}", self.files.display())
    }

    /// `install.sh --dir <sandbox>/bin`, away from any checkout.
    fn installer(&self, base: &str) -> Command {
        let script = self.sandbox.path().join("install.sh");
        fs::copy(concat!(env!("CARGO_MANIFEST_DIR"), "/install.sh"), &script).unwrap();
        let mut command = self.sandbox.command("sh", self.sandbox.path());
        command.arg(script).args(["--dir", self.bin().to_str().unwrap()]).env("PORTCULLIS_BASE_URL", base);
        command
    }

    fn bin(&self) -> PathBuf {
        self.sandbox.path().join("bin dir")
    }

    fn change(&self, ending: &str, change: impl Fn(&mut Vec<u8>)) {
        for target in TARGETS {
            let file = self.files.join(format!("portcullis-{target}.tar.gz{ending}"));
            let mut bytes = fs::read(&file).unwrap();
            change(&mut bytes);
            fs::write(file, bytes).unwrap();
        }
    }

    fn refuses(&self, command: &mut Command, why: &str) {
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains(why), "{why}: {said}");
        assert!(snapshot(&self.bin()).is_empty());
    }
}

fn succeeds(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
    said
}

/// Serves the files of a directory until the test ends; answers with its URL.
fn serve(directory: &Path) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let directory = directory.to_path_buf();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
            let request = lines.next().unwrap_or_default();
            lines.take_while(|line| !line.is_empty()).for_each(drop);
            let name = request.split(' ').nth(1).unwrap_or_default().trim_start_matches('/').to_owned();
            let (status, body) = match fs::read(directory.join(name)) {
                Ok(body) => ("200 OK", body),
                Err(_) => ("404 Not Found", Vec::new()),
            };
            let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
            let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body));
        }
    });
    url
}

/// A search path with everything of this machine in it but some programs.
fn path_without(sandbox: &Sandbox, programs: &[&str]) -> PathBuf {
    let farm = sandbox.path().join("farm");
    let _ = fs::remove_dir_all(&farm);
    fs::create_dir(&farm).unwrap();
    for dir in std::env::split_paths(&std::env::var_os("PATH").unwrap()) {
        for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
            if !programs.iter().any(|p| entry.file_name() == *p) {
                let _ = symlink(entry.path(), farm.join(entry.file_name()));
            }
        }
    }
    farm
}

#[test]
fn an_archive_whose_checksum_holds_gets_in_place() {
    for layout in ["portcullis", "portcullis-1.2.3/portcullis"] {
        let release = release(layout);
        let said = succeeds(&mut release.installer(&release.url()));
        assert!(said.contains("portcullis 1.2.3 is in ") && said.contains("portcullis hook install"), "{said}");
        let there = snapshot(&release.bin());
        assert_eq!(there.len(), 1);
        assert_eq!(there["portcullis"], (0o100755, BINARY.as_bytes().to_vec()));
        succeeds(&mut release.installer(&release.url()));
        assert_eq!(snapshot(&release.bin()), there);
    }
}

#[test]
fn a_wrong_checksum_installs_nothing() {
    let release = release("portcullis");
    release.change("", |bytes| bytes.push(0));
    release.refuses(&mut release.installer(&release.url()), "does not hold");
    release.refuses(&mut release.installer(&serve(&release.files)), "does not hold");
}

#[test]
fn a_checksum_that_is_none_installs_nothing() {
    for text in ["", "\n", "0\n", "<html>not found</html>\n", &"z".repeat(64), &"a".repeat(63)] {
        let release = release("portcullis");
        release.change(".sha256", |bytes| *bytes = text.into());
        release.refuses(&mut release.installer(&release.url()), "so it is not installed");
    }
    let release = release("portcullis");
    for target in TARGETS {
        fs::remove_file(release.files.join(format!("portcullis-{target}.tar.gz.sha256"))).unwrap();
    }
    release.refuses(&mut release.installer(&release.url()), "there is no checksum");
    release.refuses(&mut release.installer(&serve(&release.files)), "there is no checksum");
}

#[test]
fn a_checksum_of_ones_own_counts_more() {
    let release = release("portcullis");
    release.refuses(release.installer(&release.url()).env("PORTCULLIS_SHA256", "0".repeat(64)), "does not hold");
}

#[test]
fn a_checksum_may_be_in_capitals_and_without_a_name() {
    let release = release("portcullis");
    release.change(".sha256", |bytes| *bytes = bytes[..64].to_ascii_uppercase());
    succeeds(&mut release.installer(&release.url()));
}

#[test]
fn curl_and_wget_both_fetch() {
    let release = release("portcullis");
    let url = serve(&release.files);
    let exists = |program: &str| {
        std::env::split_paths(&std::env::var_os("PATH").unwrap()).any(|dir| dir.join(program).is_file())
    };
    for (program, other) in [("curl", "wget"), ("wget", "curl")] {
        if exists(program) {
            let path = path_without(&release.sandbox, &[other]);
            succeeds(release.installer(&url).env("PATH", path));
            fs::remove_dir_all(release.bin()).unwrap();
        }
    }
    let path = path_without(&release.sandbox, &["curl", "wget"]);
    release.refuses(release.installer(&url).env("PATH", path), "neither curl nor wget");
}

#[test]
fn without_a_way_to_verify_nothing_is_installed() {
    let release = release("portcullis");
    let path = path_without(&release.sandbox, &["sha256sum", "shasum"]);
    release.refuses(release.installer(&release.url()).env("PATH", &path), "nothing unverified is installed");
    // Nor are two checksums equal because there is neither.
    release.change(".sha256", |bytes| *bytes = b"none\n".to_vec());
    release.refuses(release.installer(&release.url()).env("PATH", &path), "so it is not installed");
}

#[test]
fn without_an_archive_cargo_builds() {
    let release = release("portcullis");
    let empty = format!("{}/none", release.url());
    let path = path_without(&release.sandbox, &["cargo"]);
    release.refuses(release.installer(&empty).env("PATH", &path), "no cargo");
    // A cargo that writes down what it is asked for.
    let cargo = "#!/bin/sh\necho \"cargo $*\" >&2\nwhile [ \"$1\" != --root ]; do shift; done\nmkdir -p \"$2/bin\"\n\
                 printf '#!/bin/sh\\necho built\\n' >\"$2/bin/portcullis\"\n";
    write_program(&path.join("cargo"), cargo.as_bytes(), 0o755);
    release.refuses(release.installer(&empty).env("PATH", &path), "PORTCULLIS_REPOSITORY");
    let url = "https://example.org/portcullis";
    let mut installer = release.installer(&empty);
    let said = succeeds(installer.env("PATH", &path).env("PORTCULLIS_REPOSITORY", url).args(["--version", "v1.2.3"]));
    assert!(said.contains("--locked") && said.contains(&format!("--git {url} --tag v1.2.3 portcullis")), "{said}");
    assert!(said.contains("built is in"), "{said}");
    // In a checkout, the checkout.
    fs::write(release.sandbox.path().join("Cargo.toml"), "[package]\nname = \"portcullis\"\n").unwrap();
    let said = succeeds(release.installer(&release.url()).env("PATH", &path).arg("--source"));
    assert!(said.contains("--path "), "{said}");
}

#[test]
fn an_archive_without_the_binary_installs_nothing() {
    let release = release("something-else");
    release.refuses(&mut release.installer(&release.url()), "there is no portcullis in");
}

#[test]
fn the_hooks_are_put_in_place_when_asked_for() {
    let release = release("portcullis");
    let said = succeeds(release.installer(&release.url()).arg("--hooks"));
    assert!(said.contains("ran hook install"), "{said}");
}

#[test]
fn wrong_arguments_are_refused() {
    let release = release("portcullis");
    for args in [&["--frobnicate"][..], &["--dir"], &["--dir", ""], &["extra"]] {
        let output = release.installer(&release.url()).args(args).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(snapshot(&release.bin()).is_empty());
    }
}
