//! The frame of HTML pages: one file that needs nothing else, with colours for light, dark and print. Owns the policy that
//! forbids the page to load anything, and escaping.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use super::show;

const STYLE: &str = include_str!("page.css");

/// From the doctype to the opened body. `style` is added to the common one; `script` is the only one that may run.
pub fn open(title: &str, style: &str, script: Option<&str>) -> String {
    let may_run = script.map_or_else(String::new, |script| {
        format!("; script-src 'sha256-{}'", STANDARD.encode(Sha256::digest(script.as_bytes())))
    });
    let script = script.map_or_else(String::new, |script| format!("<script>{script}</script>\n"));
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'{may_run}\">\
         <title>{}</title>\n<style>\n{STYLE}{style}</style>\n{script}</head>\n<body>\n",
        escape(title)
    )
}

/// Text in HTML or an attribute of it; line ends as character references.
pub fn escape(text: &str) -> String {
    show::xml(text)
}
