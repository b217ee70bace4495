//! Recognises values that belong to one environment: a webhook, bucket, database or queue that two environments must not
//! share, and a payment provider's key or address in its test or live mode.

use super::model::{ComparedValue, ValueKind};

/// The mode of a payment provider: `Live` moves real money.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaymentMode {
    Test,
    Live,
}

/// Prefixes of keys by mode: Stripe and providers that copied its format, Razorpay, Flutterwave, Checkout.com, Mollie, Braintree,
/// Square, Adyen.
const KEYS: &[(&str, PaymentMode)] = &[
    ("sk_test_", PaymentMode::Test),
    ("pk_test_", PaymentMode::Test),
    ("rk_test_", PaymentMode::Test),
    ("sk_live_", PaymentMode::Live),
    ("pk_live_", PaymentMode::Live),
    ("rk_live_", PaymentMode::Live),
    ("rzp_test_", PaymentMode::Test),
    ("rzp_live_", PaymentMode::Live),
    ("FLWSECK_TEST-", PaymentMode::Test),
    ("FLWPUBK_TEST-", PaymentMode::Test),
    ("sk_sbox_", PaymentMode::Test),
    ("pk_sbox_", PaymentMode::Test),
    ("sandbox-sq0", PaymentMode::Test),
];

/// Hosts of test modes. Hosts of live modes are not listed: staging may use a live service where it costs nothing.
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

/// Minimum length of a key after its prefix.
const MIN_KEY_LENGTH: usize = 8;

/// The mode of a payment provider's key or address.
pub fn payment_mode(value: &ComparedValue) -> Option<PaymentMode> {
    if value.kind != ValueKind::Plain {
        return None;
    }
    let key = KEYS.iter().find(|(start, _)| {
        value.text.strip_prefix(start).is_some_and(|rest| {
            rest.len() >= MIN_KEY_LENGTH && rest.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
        })
    });
    if let Some((_, mode)) = key {
        return Some(*mode);
    }
    let host = host(&value.text)?;
    HOSTS.contains(&host).then_some(PaymentMode::Test)
}

/// The kind of resource that a variable names and that only one environment should use, if any.
pub fn resource(name: &str, value: &ComparedValue) -> Option<&'static str> {
    let text = value.text.as_str();
    if value.kind != ValueKind::Plain || text.len() > 1024 || text.contains(char::is_whitespace) {
        return None;
    }
    let words = words(name);
    let has = |wanted: &[&str]| words.iter().any(|w| wanted.contains(&w.as_str()));
    let ends = |wanted: &[&str]| words.last().is_some_and(|w| wanted.contains(&w.as_str()));
    let scheme = text.split_once("://").map(|(scheme, _)| scheme).unwrap_or_default();
    let public = host(text).is_some_and(is_public_host);
    let is_webhook = ["hooks.slack.com/services/", "discord.com/api/webhooks/", ".webhook.office.com/"];
    if matches!(scheme, "https" | "http") && public {
        let known = is_webhook.iter().any(|part| text.contains(part));
        // Only addresses of webhooks count, not those of their documentation.
        if known || has(&["webhook", "webhooks"]) && (ends(&["url", "uri", "webhook", "webhooks", "endpoint"])) {
            return Some("webhook");
        }
    }
    if matches!(scheme, "s3" | "gs" | "wasbs" | "abfss") {
        return Some("bucket");
    }
    let named_bucket = ends(&["bucket"]) || has(&["bucket"]) && ends(&["name", "id", "arn"]);
    if named_bucket && is_bucket_name(text) {
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
        return (text.contains('.') && is_public_host(name)).then_some("database");
    }
    None
}

/// Splits a key into words: `SLACK_WEBHOOK_URL`, `slackWebhookUrl`, `app.bucket-name`.
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

/// Whether a host name is public. Names inside a cluster or a machine differ in each environment.
fn is_public_host(host: &str) -> bool {
    const INSIDE: &[&str] = &[".svc", ".local", ".cluster", ".internal", ".localhost", ".lan", ".test", ".localdomain"];
    let last = host.rsplit('.').next().unwrap_or_default();
    host.contains('.')
        && !INSIDE.iter().any(|end| host.ends_with(end))
        && !host.contains(".svc.")
        && last.bytes().all(|b| b.is_ascii_alphabetic())
        && last.len() >= 2
}

/// Whether a text can be the name of a bucket, rather than a switch or a number.
fn is_bucket_name(text: &str) -> bool {
    let good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b':' | b'/');
    let word = matches!(text, "true" | "false" | "none" | "null" | "default");
    (3..=255).contains(&text.len()) && !word && text.bytes().all(good) && text.bytes().any(|b| b.is_ascii_alphabetic())
}
