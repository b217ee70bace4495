//! `docs/rules.md` from what the rules say of themselves, `docs/cli.md` from the definition of the command line.

use clap::CommandFactory as _;
use portcullis::cli::Cli;
use portcullis::finding::Severity;
use portcullis::report::Context;
use portcullis::rules::secrets::DETECTORS;
use portcullis::rules::{DefaultSeverity, RULES};
use portcullis::yaml;

use super::fresh;

fn level(severity: Option<Severity>) -> &'static str {
    match severity {
        Some(Severity::Error) => "error",
        Some(Severity::Warning) => "warning",
        Some(Severity::Note) => "note",
        None => "off",
    }
}

fn rules() -> String {
    let mut page = String::from(
        "# Rules\n\nGenerated from `policies/`: do not edit. `portcullis explain RULE` says the same in a terminal.\n\n\
         | family | says |\n|---|---|\n",
    );
    for rule in RULES {
        let about = rule.about().expect("the embedded file is good");
        page.push_str(&format!("| [{id}](#{id}) | {} |\n", about.summary, id = rule.id));
    }
    for rule in RULES {
        let about = rule.about().expect("the embedded file is good");
        page.push_str(&format!("\n## {}\n\n{}.\n\n{}\n", rule.id, capital(&about.summary), about.why.trim()));
        let options = yaml::first_document(rule.policy).trim();
        if options != "{}" {
            page.push_str(&format!("\nOptions, with their defaults:\n\n```yaml\n{options}\n```\n"));
        }
        for code in about.codes.iter().filter(|c| c.code != "<detector>") {
            let DefaultSeverity(severity) = code.severity;
            page.push_str(&format!(
                "\n### {}/{}\n\n**{}{}**: {}.\n",
                rule.id,
                code.code,
                level(severity),
                code.ci.map_or_else(String::new, |DefaultSeverity(ci)| format!(", in CI {}", level(ci))),
                prose(code.summary.trim_end_matches('.'))
            ));
            if !code.explain.trim().is_empty() {
                page.push_str(&format!("\n{}\n", prose(code.explain.trim())));
            }
            if !code.help.is_empty() {
                page.push_str(&format!("\nWhat to do: {}\n", prose(code.help.trim())));
            }
        }
        if rule.id == "secrets" {
            page.push_str(&format!("\n{} formats are known:\n", DETECTORS.len()));
            for d in &DETECTORS {
                let severity = level(Some(d.severity));
                page.push_str(&format!("\n### secrets/{}\n\n**{severity}**: {}.\n", d.id, prose(&d.name)));
                let revoke = if d.revoke.is_empty() { "revoke or change it where it was issued" } else { &d.revoke };
                page.push_str(&format!("\nWhat to do: {}\n", prose(revoke)));
                if !d.docs.is_empty() {
                    page.push_str(&format!("\nDocumented at <{}>\n", d.docs));
                }
            }
        }
    }
    page
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |c| c.to_uppercase().collect::<String>() + letters.as_str())
}

/// Placeholders in angle brackets would be taken for HTML, except within backticks.
fn prose(text: &str) -> String {
    let parts = text.split('`').enumerate();
    let escaped = parts.map(|(n, p)| if n % 2 == 0 { p.replace('<', "&lt;") } else { p.to_owned() });
    escaped.collect::<Vec<_>>().join("`")
}

fn cli() -> String {
    let mut page = String::from("# Command line\n\nGenerated from the program's own help: do not edit.\n");
    let mut command = Cli::command().term_width(100);
    command.build();
    describe(&mut command, &mut page);
    page
}

fn describe(command: &mut clap::Command, page: &mut String) {
    let name = command.get_bin_name().unwrap_or("portcullis").to_owned();
    let help = command.clone().term_width(100).render_long_help().to_string();
    let help: Vec<&str> = help.trim_end().lines().map(str::trim_end).collect();
    page.push_str(&format!("\n## {name}\n\n```text\n{}\n```\n", help.join("\n")));
    for sub in command.get_subcommands_mut().filter(|s| s.get_name() != "help") {
        describe(sub, page);
    }
}

#[test]
fn the_page_of_rules_is_fresh_and_every_anchor_is_there() {
    let page = rules();
    fresh("docs/rules.md", &page);
    // As code hosts make anchors of headings.
    let anchors: Vec<String> = page
        .lines()
        .filter_map(|l| l.strip_prefix("### "))
        .map(|h| h.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')).collect())
        .map(|h: String| h.to_ascii_lowercase())
        .collect();
    let context = Context { explain_base: "docs/rules.md", ..Context::default() };
    let mut names: Vec<String> = DETECTORS.iter().map(|d| format!("secrets/{}", d.id)).collect();
    for rule in RULES {
        let codes = rule.about().expect("good").codes;
        names.extend(codes.iter().filter(|c| !c.code.starts_with('<')).map(|c| format!("{}/{}", rule.id, c.code)));
    }
    for name in names {
        let uri = context.explain_uri(&name).expect("there is a page");
        let anchor = uri.split_once('#').expect("an anchor").1;
        assert_eq!(anchors.iter().filter(|a| *a == anchor).count(), 1, "{name}: {uri}");
    }
}

#[test]
fn the_page_of_commands_is_fresh() {
    fresh("docs/cli.md", &cli());
}
