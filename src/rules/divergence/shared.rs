//! Values that say what they are: a webhook, a bucket, a database or a queue that two environments must not share, and
//! a payment provider's key or address of its test or live mode.

use super::model::{Kind, Value};

/// Whether a payment provider moves money.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Test,
    Live,
}

/// How keys of each mode begin: Stripe and those who copied it, Razorpay, Flutterwave, Checkout.com, Mollie, Braintree,
/// Square, Adyen.
const KEYS: &[(&str, Mode)] = &[
    ("sk_test_", Mode::Test),
    ("pk_test_", Mode::Test),
    ("rk_test_", Mode::Test),
    ("sk_live_", Mode::Live),
    ("pk_live_", Mode::Live),
    ("rk_live_", Mode::Live),
    ("rzp_test_", Mode::Test),
    ("rzp_live_", Mode::Live),
    ("FLWSECK_TEST-", Mode::Test),
    ("FLWPUBK_TEST-", Mode::Test),
    ("sk_sbox_", Mode::Test),
    ("pk_sbox_", Mode::Test),
    ("sandbox-sq0", Mode::Test),
];

/// Hosts of test modes. There is none of live modes: staging may ask a live service for what costs nothing.
const HOSTS: &[&str] = &[
    "sandbox.paypal.com",
    "api-m.sandbox.paypal.com",
    "api.sandbox.paypal.com",
    "connect.squareupsandbox.com",
    "api.sandbox.braintreegateway.com",
    "checkout-test.adyen.com",
    "pal-test.adyen.com",
    "management-test.adyen.com",
    "api-sandbox.gocardless.com",
    "api.sandbox.checkout.com",
    "sandbox.klarna.com",
    "api.playground.klarna.com",
];

/// Characters behind a key's beginning: shorter texts only look like one.
const SHORTEST: usize = 8;

/// The mode that a value shows.
pub fn payment_mode(value: &Value) -> Option<Mode> {
    if value.kind != Kind::Plain {
        return None;
    }
    let key = KEYS.iter().find(|(start, _)| {
        value.text.strip_prefix(start).is_some_and(|rest| {
            rest.len() >= SHORTEST && rest.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
        })
    });
    if let Some((_, mode)) = key {
        return Some(*mode);
    }
    let host = host(&value.text)?;
    HOSTS.contains(&host).then_some(Mode::Test)
}

/// What a variable names that only one environment should use, if it names such a thing.
pub fn resource(name: &str, value: &Value) -> Option<&'static str> {
    let text = value.text.as_str();
    if value.kind != Kind::Plain || text.len() > 1024 || text.contains(char::is_whitespace) {
        return None;
    }
    let words = words(name);
    let has = |wanted: &[&str]| words.iter().any(|w| wanted.contains(&w.as_str()));
    let ends = |wanted: &[&str]| words.last().is_some_and(|w| wanted.contains(&w.as_str()));
    let scheme = text.split_once("://").map(|(scheme, _)| scheme).unwrap_or_default();
    let public = host(text).is_some_and(is_of_one_place);
    let is_webhook = ["hooks.slack.com/services/", "discord.com/api/webhooks/", ".webhook.office.com/"];
    if matches!(scheme, "https" | "http") && public {
        let known = is_webhook.iter().any(|part| text.contains(part));
        // Where somebody else's events arrive is their business; `docs` of it are nobody's.
        if known || has(&["webhook", "webhooks"]) && (ends(&["url", "uri", "webhook", "webhooks", "endpoint"])) {
            return Some("webhook");
        }
    }
    if matches!(scheme, "s3" | "gs" | "wasbs" | "abfss") {
        return Some("bucket");
    }
    let named_bucket = ends(&["bucket"]) || has(&["bucket"]) && ends(&["name", "id", "arn"]);
    if named_bucket && is_name(text) {
        return Some("bucket");
    }
    if text.starts_with("arn:aws:s3:::") {
        return Some("bucket");
    }
    if ["arn:aws:sqs:", "arn:aws:sns:", "arn:aws:kinesis:"].iter().any(|a| text.starts_with(a)) {
        return Some("queue");
    }
    if public && (matches!(scheme, "amqp" | "amqps") || text.contains("://sqs.")) {
        return Some("queue");
    }
    let databases =
        ["postgres", "postgresql", "mysql", "mariadb", "mongodb", "mongodb+srv", "redis", "rediss", "sqlserver"];
    if databases.contains(&scheme.trim_start_matches("jdbc:")) && public {
        return Some("database");
    }
    let database = has(&["database", "db", "postgres", "postgresql", "mysql", "mongo", "mongodb", "redis"]);
    if database && ends(&["host", "hostname", "url", "uri", "dsn", "server", "endpoint"]) && scheme.is_empty() {
        let name = text.split([':', '/']).next().unwrap_or_default();
        return (text.contains('.') && is_of_one_place(name)).then_some("database");
    }
    None
}

/// A key's words: `SLACK_WEBHOOK_URL`, `slackWebhookUrl`, `app.bucket-name`.
fn words(name: &str) -> Vec<String> {
    let mut out = vec![String::new()];
    let mut lower = false;
    for c in name.chars() {
        if !c.is_alphanumeric() || c.is_uppercase() && lower {
            out.push(String::new());
        }
        lower = c.is_lowercase();
        if c.is_alphanumeric()
            && let Some(last) = out.last_mut()
        {
            last.extend(c.to_lowercase());
        }
    }
    out.retain(|w| !w.is_empty());
    out
}

/// The host of a URL, without user and port.
fn host(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("://")?;
    let authority = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    Some(host.split_once(':').map_or(host, |(host, _)| host))
}

/// Whether a host is one place wherever it is asked for. Names inside a cluster or a machine are each environment's own.
fn is_of_one_place(host: &str) -> bool {
    const INSIDE: &[&str] = &[".svc", ".local", ".cluster", ".internal", ".localhost", ".lan", ".test", ".localdomain"];
    let last = host.rsplit('.').next().unwrap_or_default();
    host.contains('.')
        && !INSIDE.iter().any(|end| host.ends_with(end))
        && !host.contains(".svc.")
        && last.bytes().all(|b| b.is_ascii_alphabetic())
        && last.len() >= 2
}

/// Whether a text can be the name of a bucket, and not a switch or a number.
fn is_name(text: &str) -> bool {
    let good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b':' | b'/');
    let word = matches!(text, "true" | "false" | "none" | "null" | "default");
    (3..=255).contains(&text.len()) && !word && text.bytes().all(good) && text.bytes().any(|b| b.is_ascii_alphabetic())
}
