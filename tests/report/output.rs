//! Several reports in one run, whole files, and readers who leave.

use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::Path;

use assert_fs::TempDir;
use portcullis::error::{Kind, Result};
use portcullis::plain_file::Untrusted;
use portcullis::report::{Context, FORMATS, Format, Output, human, json, jsonl, junit, plan, sarif, write_all};

use super::corpus::hostile;

fn planned(formats: &[&str], output: Option<&str>) -> Result<Vec<Output>> {
    plan(formats.iter().map(|f| f.parse()).collect::<Result<_>>()?, output.map(Into::into))
}

fn written(outputs: &[Output]) -> (Result<()>, String) {
    let mut out = Vec::new();
    let done =
        write_all(outputs, &hostile(), &Context { color: true, ..Context::default() }, &mut out, &Untrusted::default());
    (done, String::from_utf8(out).expect("UTF-8"))
}

#[test]
fn names_are_those_of_the_contract() {
    let names: Vec<String> = FORMATS.iter().map(Format::to_string).collect();
    let contract = "human json jsonl sarif github gitlab gitlab-secrets junit checkstyle rdjson html";
    assert_eq!(names.join(" "), contract);
    for (name, format) in names.iter().zip(FORMATS) {
        assert_eq!(name.parse::<Format>().expect("a name"), *format);
    }
    let error = "srif".parse::<Format>().expect_err("a slip");
    assert_eq!((error.kind, error.hint.as_deref()), (Kind::Usage, Some("did you mean `sarif`?")));
}

#[test]
fn standard_output_gets_one_report() {
    let one = |format, file: Option<&str>| Output { format, file: file.map(Into::into) };
    assert_eq!(planned(&[], None).expect("fine"), [one(human::FORMAT, None)]);
    assert_eq!(
        planned(&["sarif=a=b.sarif", "json"], None).expect("fine"),
        [one(json::FORMAT, None), one(sarif::FORMAT, Some("a=b.sarif"))]
    );
    assert_eq!(
        planned(&["junit=x.xml"], None).expect("fine"),
        [one(human::FORMAT, None), one(junit::FORMAT, Some("x.xml"))]
    );
    assert_eq!(planned(&["json"], Some("o")).expect("fine"), [one(json::FORMAT, Some("o"))]);
    for wrong in [planned(&["json", "sarif"], None), planned(&["sarif="], None), planned(&["json=o"], Some("o"))] {
        assert_eq!(wrong.expect_err("a mistake").kind, Kind::Usage);
    }
}

#[test]
fn files_are_whole_plain_and_alone() {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("out.txt");
    fs::write(&file, "old, and longer than nothing").expect("written");
    let (done, stdout) = written(&[
        Output { format: human::FORMAT, file: None },
        Output { format: human::FORMAT, file: Some(file.clone()) },
        Output { format: json::FORMAT, file: Some(folder.path().join("out.json")) },
    ]);
    done.expect("written");
    let human = fs::read_to_string(&file).expect("there");
    assert!(stdout.contains('\x1b') && !human.contains('\x1b'), "colour is for the terminal");
    assert!(human.ends_with("not decided\n"));
    assert_eq!(names(folder.path()), ["out.json", "out.txt"]);
}

#[test]
fn what_a_killed_run_left_behind_is_in_nobodys_way() {
    let folder = TempDir::new().expect("a folder");
    fs::write(folder.path().join(format!(".out.{}.part", std::process::id())), "half").expect("written");
    written(&[Output { format: json::FORMAT, file: Some(folder.path().join("out")) }]).0.expect("written");
    assert_eq!(names(folder.path()), ["out"]);
}

#[test]
fn one_file_that_cannot_be_written_costs_the_others_nothing() {
    let folder = TempDir::new().expect("a folder");
    let (done, stdout) = written(&[
        Output { format: json::FORMAT, file: Some(folder.path().join("no/such/out.json")) },
        Output { format: json::FORMAT, file: Some(folder.path().to_owned()) },
        Output { format: json::FORMAT, file: None },
    ]);
    let error = done.expect_err("no folder");
    assert!(error.message.contains("out.json"), "{}", error.message);
    serde_json::from_str::<serde_json::Value>(&stdout).expect("whole");
    assert!(names(folder.path()).is_empty());
}

#[cfg(unix)]
#[test]
fn links_stay_links_and_devices_are_written_to() {
    let folder = TempDir::new().expect("a folder");
    let (file, link) = (folder.path().join("file"), folder.path().join("link"));
    fs::write(&file, "old").expect("written");
    std::os::unix::fs::symlink(&file, &link).expect("linked");
    let to = |path: &Path| written(&[Output { format: jsonl::FORMAT, file: Some(path.to_owned()) }]).0;
    to(&link).expect("written");
    assert!(fs::symlink_metadata(&link).expect("there").is_symlink());
    assert!(fs::read_to_string(&file).expect("there").contains("\"verdict\":\"fail\""));
    to(Path::new("/dev/null")).expect("written");
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    let mut names: Vec<_> = entries.map(|e| e.expect("an entry").file_name().into_string().expect("UTF-8")).collect();
    names.sort();
    names
}

/// A reader who leaves after so many bytes.
struct Leaving(usize, ErrorKind);

impl Write for Leaving {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0 == 0 {
            return Err(self.1.into());
        }
        let n = bytes.len().min(self.0);
        self.0 -= n;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_reader_who_leaves_is_no_failure_and_a_full_disk_is() {
    for format in FORMATS {
        let outputs = [Output { format: *format, file: None }];
        let write =
            |mut to: Leaving| write_all(&outputs, &hostile(), &Context::default(), &mut to, &Untrusted::default());
        write(Leaving(10, ErrorKind::BrokenPipe)).expect("success");
        write(Leaving(10, ErrorKind::StorageFull)).expect_err("a failure");
    }
}
