//! The pusher's profile: what git shows behind `remote:` while a server hook refuses. No colour, 72 columns, at most
//! 50 findings and 8 KB, worst first, how to repair in the last line. The first finding of a rule teaches: drawing,
//! reason, all commands; others of the same rule are short. Says nothing when there is nothing to say.

use std::collections::HashSet;
use std::io::{self, Write};

use unicode_width::UnicodeWidthChar as _;

use crate::finding::{Finding, Origin, Severity};

use crate::shell;

use super::show::Helps;
use super::{Context, Report, Undecided, Verbosity, Verdict, place, show};

const COLUMNS: usize = 72;
/// Findings and things not decided, together.
const SHOWN: usize = 50;
/// Bytes of the whole output, prefixes and line ends included.
const BYTES: usize = 8 << 10;
/// Lines of one text within a finding.
const LINES: usize = 4;
/// Rules that are taught in full.
const TAUGHT: usize = 5;
/// Lines of each of their texts.
const TAUGHT_LINES: usize = 14;

/// `prefix` stands before every line: some servers' web pages show only lines with theirs.
pub fn render(prefix: &str, report: &Report, ctx: &Context<'_>, out: &mut dyn Write) -> io::Result<()> {
    let page = Page { prefix };
    let quiet = ctx.verbosity == Verbosity::Quiet;
    let blocks = if quiet { Vec::new() } else { blocks(report) };
    if report.verdict() == Verdict::Pass && (quiet || (blocks.is_empty() && report.notes.is_empty())) {
        return Ok(());
    }
    let mut text = page.block(&[("", &format!("portcullis: {}", report.sentence()))]);
    for note in report.notes.iter().take(3).filter(|_| !quiet) {
        text.push_str(&page.block(&[("", &show::line(note))]));
    }
    let last = repair(report).map_or_else(String::new, |r| page.block(&[("", &format!("repair: {r}"))]));
    let reserve = last.len() + page.block(&[("", &more(usize::MAX))]).len();
    let mut shown = 0;
    for lines in blocks.iter().take(SHOWN) {
        let block = page.block(&lines.iter().map(|(indent, line)| (&**indent, &**line)).collect::<Vec<_>>());
        if text.len() + block.len() + reserve > BYTES {
            break;
        }
        text.push_str(&block);
        shown += 1;
    }
    if shown < blocks.len() {
        text.push_str(&page.block(&[("", &more(blocks.len() - shown))]));
    }
    text.push_str(&last);
    out.write_all(text.as_bytes())
}

fn more(n: usize) -> String {
    format!("and {n} more")
}

/// Lines, each with its indent.
type Block = Vec<(String, String)>;

/// What made the verdict comes first: errors, then what could not be decided, then the rest.
fn blocks<'f>(report: &'f Report) -> Vec<Block> {
    let standing = report.standing();
    let (errors, rest) = standing.split_at(standing.partition_point(|f| f.severity == Severity::Error));
    let (mut taught, mut helps) = (HashSet::new(), Helps::default());
    let mut tell = |f: &&'f Finding| {
        let help = helps.fresh(f);
        let teaches = taught.len() < TAUGHT && taught.insert(f.rule.clone());
        if teaches { lesson(f, help) } else { finding(f, help) }
    };
    let mut blocks: Vec<Block> = errors.iter().map(&mut tell).collect();
    blocks.extend(report.errors.iter().map(undecided));
    blocks.extend(rest.iter().map(&mut tell));
    blocks
}

fn finding(finding: &Finding, help: Option<String>) -> Block {
    let mut block = head(finding);
    block.extend(help.iter().flat_map(|h| h.lines().take(LINES)).map(indented));
    block
}

/// A finding with all that it has to say; drawings stand apart, and what to do does.
fn lesson(finding: &Finding, help: Option<String>) -> Block {
    let mut block = head(finding);
    let gap = |block: &mut Block| {
        if block.last().is_some_and(|(_, line)| !line.is_empty()) {
            block.push((String::new(), String::new()));
        }
    };
    for note in &finding.notes {
        let drawing = note.contains('\n');
        if drawing {
            gap(&mut block);
        }
        block.extend(note.lines().take(TAUGHT_LINES).map(indented));
        if drawing {
            gap(&mut block);
        }
    }
    if !finding.notes.is_empty() && help.is_some() {
        gap(&mut block);
    }
    block.extend(help.iter().flat_map(|h| h.lines().take(TAUGHT_LINES)).map(indented));
    block
}

fn head(finding: &Finding) -> Block {
    let mut block = vec![
        (String::new(), format!("{}: {}", finding.severity, show::line(&finding.message))),
        ("  ".into(), format!("at {}", place::locus(finding))),
        ("  ".into(), format!("rule {}", show::line(&finding.rule))),
    ];
    block.extend(header_of_message(finding));
    block
}

/// The line of a commit message that is wrong, with a caret where both fit: nobody knows commits by their ids.
fn header_of_message(finding: &Finding) -> Option<(String, String)> {
    let Origin::Message { .. } = finding.origin else { return None };
    let text = show::line(&finding.excerpt.text);
    (!text.trim().is_empty()).then(|| ("  ".into(), format!("wrote: `{}`", text.trim_end())))
}

/// A line below a finding; what it is indented by itself is kept, where there is room.
fn indented(line: &str) -> (String, String) {
    let text = line.trim_start_matches(' ');
    (" ".repeat(2 + (line.len() - text.len()).min(COLUMNS / 3)), show::line(text))
}

fn undecided(undecided: &Undecided) -> Block {
    let mut block = vec![(String::new(), format!("not decided: {}", show::line(&undecided.error.message)))];
    block.extend(undecided.origin.iter().map(|o| ("  ".into(), format!("at {}", place::title(o)))));
    block.extend(undecided.error.hint.iter().flat_map(|h| h.lines().take(LINES)).map(indented));
    block
}

/// What to type. History that was not accepted yet may be rewritten; so the answer depends on what is wrong where.
fn repair(report: &Report) -> Option<String> {
    match report.verdict() {
        Verdict::Pass => None,
        Verdict::Undecided => {
            let hint = report.errors.first().and_then(|u| u.error.hint.as_deref()).and_then(|h| h.lines().next());
            Some(hint.map_or_else(|| "ask whoever runs this server".to_owned(), show::line))
        }
        Verdict::Fail => report.standing().first().map(|worst| repair_of(worst, report)),
    }
}

fn repair_of(worst: &Finding, report: &Report) -> String {
    let commit = |f: &Finding| match f.origin {
        Origin::File { commit, .. } | Origin::Message { commit } => commit,
        _ => None,
    };
    match &worst.origin {
        Origin::File { commit: Some(first), .. } | Origin::Message { commit: Some(first) } => {
            let several = report.standing().into_iter().filter_map(commit).any(|c| c != *first);
            let how = if several {
                "git rebase -i (edit the commits above)".to_owned()
            } else {
                format!("git rebase -i {}^ (or git commit --amend)", first.short())
            };
            format!("{how}, then push")
        }
        origin => match (worst.help.as_deref().and_then(first_commands), origin) {
            (Some(commands), _) => show::line(&commands),
            (None, Origin::Tag { name, .. }) => retag(name),
            _ => format!("see portcullis explain {}", shell::quote(show::line(&worst.rule))),
        },
    }
}

/// The first commands of a help in one line, else its first line.
fn first_commands(help: &str) -> Option<String> {
    let typed = |l: &&str| ["git ", "portcullis "].iter().any(|c| l.trim_start().starts_with(c));
    let rest = help.lines().skip_while(|l| !typed(l));
    let commands: Vec<&str> = rest.take_while(typed).map(str::trim).collect();
    if commands.is_empty() { help.lines().next().map(str::to_owned) } else { Some(commands.join(" && ")) }
}

fn retag(name: &[u8]) -> String {
    format!("git tag -d {}, then tag and push", shell::quote(name))
}

/// Lines of at most 72 columns behind a prefix.
struct Page<'p> {
    prefix: &'p str,
}

impl Page<'_> {
    /// Each line is wrapped under its own indent and clipped to a few.
    fn block(&self, lines: &[(&str, &str)]) -> String {
        let mut out = String::new();
        for (indent, line) in lines {
            // One column is for what keeps a line from being a command of its own.
            let room = COLUMNS - self.prefix.len() - indent.len() - HANG.len() - 1;
            for (n, part) in wrap(line, room, LINES).iter().enumerate() {
                let hang = if n == 0 { "" } else { HANG };
                let full = format!("{}{indent}{hang}{}", self.prefix, show::lines(part));
                out.push_str(full.trim_end());
                out.push('\n');
            }
        }
        out
    }
}

/// In front of continued lines.
const HANG: &str = "  ";

/// Characters without a width count too: a line of nothing else would have no end.
fn columns_of(c: char) -> usize {
    c.width().unwrap_or(0).max(1)
}

/// Breaks between words, within one only where it is longer than a line. Too many lines end in `…`.
fn wrap(text: &str, columns: usize, lines: usize) -> Vec<String> {
    let mut out = vec![String::new()];
    let mut used = 0;
    for word in text.split(' ') {
        let width: usize = word.chars().map(columns_of).sum();
        if used > 0 && used + 1 + width > columns {
            out.push(String::new());
            used = 0;
        } else if used > 0 {
            out.last_mut().expect("never empty").push(' ');
            used += 1;
        }
        for c in word.chars() {
            let width = columns_of(c);
            if used + width > columns {
                out.push(String::new());
                used = 0;
            }
            out.last_mut().expect("never empty").push(c);
            used += width;
        }
        if out.len() > lines {
            break;
        }
    }
    if out.len() > lines {
        out.truncate(lines);
        let last = out.last_mut().expect("never empty");
        last.pop();
        last.push('…');
    }
    out
}
