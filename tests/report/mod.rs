//! Renderers: one corpus of hostile findings, one property for all formats, and what each format promises besides.

mod corpus;
mod every_rule;
mod formats;
mod human;
mod json;
mod output;
mod remote;
mod sarif;
mod verdict;
mod xml;

use std::io::{self, Write};

use portcullis::report::{Context, Report};

type Render = fn(&Report, &Context<'_>, &mut dyn Write) -> io::Result<()>;

fn text(render: Render, report: &Report, ctx: &Context<'_>) -> String {
    let mut out = Vec::new();
    render(report, ctx, &mut out).expect("a vector takes everything");
    String::from_utf8(out).expect("reports are UTF-8")
}
