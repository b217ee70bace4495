//! The page in a real browser: it is drawn, nothing runs out of its place, and it says everything without a script.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use portcullis::promote::render;

use super::story::{Commit, Story};
use super::{lines, plan_for};
use crate::support::Sandbox;

const NAMES: [&str; 5] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];

fn browser() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).flat_map(|d| NAMES.map(|n| d.join(n))).find(|p| p.is_file())
}

/// What the browser prints. It gets a minute.
fn run(browser: &Path, sandbox: &Sandbox, arguments: &[String]) -> String {
    let out = sandbox.path().join("out");
    let mut child = Command::new(browser)
        .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--window-size=1240,1600"])
        .arg(format!("--user-data-dir={}", sandbox.path().join("profile").display()))
        .args(arguments)
        .env("HOME", sandbox.path())
        .stdin(Stdio::null())
        .stdout(std::fs::File::create(&out).expect("a file"))
        .stderr(Stdio::null())
        .spawn()
        .expect("the browser starts");
    let end = Instant::now() + Duration::from_secs(60);
    while child.try_wait().expect("it can be asked").is_none() {
        if Instant::now() > end {
            child.kill().expect("it can be ended");
            child.wait().expect("it ends");
            panic!("the browser did not end in a minute");
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    std::fs::read_to_string(out).expect("UTF-8")
}

/// Asked of the laid-out page: what is wider than its place.
const PROBE: &str = "<script>
const bad = [];
const page = document.documentElement;
if (page.scrollWidth > page.clientWidth) bad.push(`the page is ${page.scrollWidth} wide`);
const svg = document.querySelector('svg.lanes'), box = svg.viewBox.baseVal;
const lanes = [...svg.querySelectorAll('line.lane')].map(l => l.x1.baseVal.value).sort((a, b) => a - b);
for (const text of svg.querySelectorAll('text')) {
  const b = text.getBBox(), end = b.x + b.width;
  const limit = b.x < lanes[1] - 30 ? lanes[1] - 12 : box.width;
  if (end > limit) bad.push(`${text.textContent} ends at ${end}, not before ${limit}`);
  if (b.y < 0 || b.y + b.height > box.height) bad.push(`${text.textContent} is cut off`);
}
const rows = [...svg.querySelectorAll('g.commit text')].map(t => t.getBBox()).filter(b => b.x < lanes[1]);
rows.sort((a, b) => a.y - b.y);
rows.slice(1).forEach((b, n) => { if (b.y < rows[n].y + rows[n].height) bad.push('two rows overlap'); });
document.body.dataset.commits = svg.querySelectorAll('g.commit').length;
document.body.dataset.bad = bad.join('; ') || 'nothing';
</script></body>";

#[test]
fn the_page_is_drawn_and_nothing_runs_out_of_its_place() {
    let Some(browser) = browser() else {
        let why = format!("skipped: no browser on the PATH ({})\n", NAMES.join(", "));
        std::io::Write::write_all(&mut std::io::stderr(), why.as_bytes()).expect("standard error");
        return;
    };
    let long = "feat(web): WWWW a subject that is much wider than any lane, with MMMM wide letters in it WWWW MMMM";
    let mut dev: Vec<Commit> = (0..12)
        .map(|n| Commit::new(&format!("d{n}"), &[(&format!("apps/app{n}/values.yaml"), "a: 1\n")]).saying(long))
        .collect();
    dev.push(Commit::new("x1", &[("f", &lines(&[(3, "three")]))]).saying("fix(web): <b>three</b>"));
    dev.push(Commit::new("x2", &[("f", &lines(&[(3, "three again")]))]));
    dev.push(Commit::new("x3", &[("f", &lines(&[(3, "three again"), (8, "eight")]))]));
    let main = vec![
        Commit::new("m0", &[("apps/app0/values.yaml", "a: 1\n")]).saying(long),
        Commit::new("m1", &[("f", &lines(&[(8, "hot")]))]).saying(long),
    ];
    let told = Story { base: [("f".to_owned(), lines(&[]))].into(), dev, main }.tell();
    let names: Vec<String> = (1..12).map(|n| format!("d{n}")).chain(["x2".to_owned(), "x3".to_owned()]).collect();
    let plan = plan_for(&told, &names.iter().map(String::as_str).collect::<Vec<_>>());
    let page = render::html(&plan);

    let sandbox = told.git.sandbox();
    let file = |name: &str, text: &str| {
        let path = sandbox.path().join(name);
        std::fs::write(&path, text).expect("written");
        format!("file://{}", path.display())
    };
    let (plain, blank) = (file("plan.html", &page), file("blank.html", "<!DOCTYPE html><title>blank</title>"));
    let mut sizes = Vec::new();
    for url in [plain, blank] {
        let shot = sandbox.path().join("shot.png");
        // No script can run: the page's own policy forbids them, and there is none.
        run(&browser, sandbox, &[format!("--screenshot={}", shot.display()), url]);
        let bytes = std::fs::read(&shot).expect("a picture");
        assert!(bytes.starts_with(b"\x89PNG"));
        sizes.push(bytes.len());
        std::fs::remove_file(shot).expect("gone");
    }
    assert!(sizes[0] > 5 * sizes[1], "the page is drawn: {sizes:?}");

    // The probe is a script, which the page's own policy would forbid.
    let policy = page.find("<meta http-equiv").expect("a policy");
    let end = policy + page[policy..].find('>').expect("an end") + 1;
    let probed = format!("{}{}", &page[..policy], &page[end..]).replace("</body>", PROBE);
    let dom = run(&browser, sandbox, &["--dump-dom".to_owned(), file("probed.html", &probed)]);
    let said = |what: &str| {
        let rest = dom.split_once(&format!("data-{what}=\"")).expect("the probe ran").1;
        rest.split_once('"').expect("an end").0.to_owned()
    };
    assert_eq!(said("bad"), "nothing");
    let commits = plan.candidates.len() + plan.production.len() + plan.picks().count();
    assert_eq!(said("commits"), commits.to_string());
}
