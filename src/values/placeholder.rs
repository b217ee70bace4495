//! Values that stand for a secret without being one: `changeme`, `xxxx`, `<token>`, `0123456789`.

use bstr::ByteSlice as _;

use super::identifier::words;
use super::{PartList, WordList, base64, is_base64};

/// Parts that no real token holds, and hardly a real password: long enough not to occur by chance.
static PARTS: PartList = PartList::new(
    "\
    example xxxx .... **** changeme change_me change-me changethis change-this placeholder redacted dummy your- \
    your_ yourtoken yoursecret yourapikey yourkey yourpassword replaceme replace_ replace- insert_ insert- \
    insertyour notreal not-a-real not_a_real foobar lorem fake- fake_ -fake _fake faketoken fakekey fakesecret \
    fakepassword sample deadbeef some-secret some_secret my-secret my_secret mysecret yourstrong yourweak \
    supersecret super_secret super-secret mytoken my-token my_token mypassword my-password my_password \
    secret-password secret-token my-username strong-password some-password some-token fixme secret-here \
    secret_here goes-here goes_here",
);

/// Words of which people build placeholders: a value of nothing else, and simple numbers, is one.
static VOCABULARY: WordList = WordList::new(
    "\
    a access account add admin an any api apikey app auth base be by change changed changeit changeme changethis client config \
    credential credentials custom data database db default demo dev empty encoded enter env environment external fake \
    fill filled foo bar baz for from generate generated get go goes here in insert is it key local me mock must \
    my new no none not null of on or overridden override paste pass passwd password please prod production \
    provided put pwd random real redact removed replace replaced root sa secret secrets secure set sets should \
    some staging string strong super tbd test testing text that the this to todo token ui unset unused update \
    use used user username value values vault very via what with you your",
);

/// What people write where a password belongs, whole.
static WORDS: WordList = WordList::new(
    "\
    password passwd passphrase pass pwd pw secret secrets token key apikey api-key api_key credential \
    credentials changeit change changed none null nil undefined empty blank true false yes no on off string str \
    text bool int number object bytes required optional test testing tests tbd todo fixme fake foo bar baz qux \
    value default unknown hidden masked prompt ask stdin env environment vault file basic bearer oauth oauth2 \
    jwt mfa user username admin root guest name login p@ssw0rd passw0rd password1 password123 secret123 test123 \
    test1234 1234 12345 123456 1234567 12345678 123456789 qwerty abc abc123 xxx *** ... --- ??? some any mock \
    stub generated random auto encrypted plain plaintext sha256 md5 bcrypt this that self hunter2 postgres mysql \
    mariadb mongo mongodb redis rabbitmq minio minioadmin keycloak grafana elastic vagrant ubuntu docker toor \
    letmein admin123 adminadmin root123 password12 password1234 password12345 passw0rd1 secret1 secret12 \
    testpw testpwd testpass testsecret \
    testpassword testtest testing123 passpass notused not-used not_used unused ignored n/a",
);

/// A value that no provider ever issued.
pub fn is_placeholder(secret: &[u8]) -> bool {
    // Long bodies hold any short word sooner or later.
    let short = secret.len() <= 512;
    short && has_part(secret) || is_low_information(secret) && !is_long_run(secret) || is_wrapped(secret)
}

/// `abcdef1234567890abcdef`: what people make up, and what generators of keys for tests make, so that it may be one.
pub fn is_long_run(secret: &[u8]) -> bool {
    let distinct = secret.iter().collect::<std::collections::BTreeSet<_>>().len();
    let longest = secret.chunk_by(|a, b| a == b).map(<[u8]>::len).max().unwrap_or(0);
    secret.len() >= 16 && distinct >= 10 && longest < 6 && is_low_information(secret)
}

/// Base64 of words that say so.
fn is_wrapped(secret: &[u8]) -> bool {
    let wrapped = (16..=512).contains(&secret.len()) && secret.iter().all(|b| is_base64(*b));
    let decoded = wrapped.then(|| base64::decode(secret)).flatten();
    decoded.is_some_and(|d| d.iter().all(|b| b.is_ascii_graphic() || *b == b' ') && has_part(&d))
}

/// A value that nobody uses as a password, or that does not matter if somebody does.
pub fn is_password_placeholder(value: &[u8]) -> bool {
    let value = value.trim_with(|c| matches!(c, '"' | '\'' | '`' | ' '));
    let lower = value.to_ascii_lowercase();
    value.ends_with(b"...")
        || value.ends_with("…".as_bytes())
        || WORDS.has(&lower)
        || has_part(&lower)
        || lower.ends_with(b"_here")
        || lower.ends_with(b"-here")
        || is_made_of(value, |word| VOCABULARY.has(word) || WORDS.has(word))
        || is_low_information(value)
}

/// A text that says that the value is missing: words of placeholders, or one character again and again. A password that many
/// people have is none.
pub fn is_gap(value: &[u8]) -> bool {
    let repeated = value.len() > 2 && value.iter().all(|b| *b == value[0]) && !value[0].is_ascii_digit();
    is_made_of(value, |word| VOCABULARY.has(word)) || repeated
}

/// `CHANGE_ME_IN_UI`, `set-via-vault`, `TestSecret123`: words of placeholders, and a number that counts up.
fn is_made_of(value: &[u8], known: impl Fn(&[u8]) -> bool) -> bool {
    let plain = |b: &u8| b.is_ascii_alphanumeric() || b"_-. /!".contains(b);
    let counts_up = |word: &[u8]| b"1234567890".starts_with(word) || b"0123456789".starts_with(word);
    let mut letters = false;
    value.iter().all(plain)
        && words(value).all(|word| {
            letters |= word[0].is_ascii_alphabetic();
            if word[0].is_ascii_digit() {
                word.len() == 1 || counts_up(word)
            } else {
                known(&word.to_ascii_lowercase())
            }
        })
        && letters
}

/// The same for what a machine makes: a long run may be one of its tokens.
pub fn is_token_placeholder(value: &[u8]) -> bool {
    is_password_placeholder(value) && (!is_long_run(value) || has_part(value))
}

/// A value that everybody would try first: `Pass123$`, `Password1!`.
pub fn is_usual_password(value: &[u8]) -> bool {
    let lower = value.trim_end_with(|c| c.is_ascii_punctuation()).to_ascii_lowercase();
    lower == b"pass123" || lower == b"pass1234" || WORDS.has(&lower)
}

/// A setting that somebody still has to fill in, as a whole: `your-key-here`, `xxxxxxxx`, `<set-me>`, `CHANGE_ME_IN_UI`.
/// Settings that merely hold a word of the list above (`https://api.example.org`) are settings.
pub fn is_unfilled(value: &[u8]) -> bool {
    const STARTS: &[&str] = &[
        "changeme",
        "change-me",
        "change_me",
        "change me",
        "changethis",
        "change-this",
        "change_this",
        "replaceme",
        "replace-me",
        "replace_me",
        "replace me",
        "replace-with",
        "replace_with",
        "replace with",
        "your-",
        "your_",
        "your ",
        "insert-",
        "insert_",
        "insert your",
        "enter-your",
        "enter_your",
        "enter your",
        "put-your",
        "put_your",
        "put your",
        "fill-me",
        "fill_me",
        "fill-in",
        "fill_in",
        "set-me",
        "set_me",
        "to-be-",
        "to_be_",
        "to be ",
    ];
    const WHOLE: &[&str] = &["todo", "fixme", "tbd", "placeholder", "...", "???", "***", "xxx"];
    let lower = value.trim().to_ascii_lowercase();
    let only = |byte: u8| lower.len() >= 4 && lower.iter().all(|b| *b == byte);
    let bracketed = lower.strip_prefix(b"<").and_then(|v| v.strip_suffix(b">")).is_some_and(|inner| {
        inner.iter().any(u8::is_ascii_alphabetic) && !inner.iter().any(|b| matches!(b, b'<' | b'>' | b'\n'))
    });
    // A sentence or an address that begins so is none.
    let short = lower.len() <= 64 && !lower.iter().any(|b| matches!(b, b'/' | b'.' | b'@' | b'\n'));
    bracketed
        || only(b'x')
        || only(b'*')
        || only(b'?')
        || WHOLE.iter().any(|w| lower == w.as_bytes())
        || short && STARTS.iter().any(|s| lower.starts_with(s.as_bytes()))
        || short && [&b"-here"[..], b"_here", b" here"].iter().any(|end| lower.ends_with(end))
        || lower.starts_with(b"todo:")
        || lower.starts_with(b"todo ")
}

fn has_part(value: &[u8]) -> bool {
    PARTS.is_in(value)
}

/// Runs of one character, runs through the alphabet, few different characters.
fn is_low_information(value: &[u8]) -> bool {
    let distinct = value.iter().collect::<std::collections::BTreeSet<_>>().len();
    if value.len() >= 3 && distinct <= 2 && value.len() < 16 || value.len() >= 16 && distinct < 6 {
        return true;
    }
    let (mut same, mut up, mut down) = (1, 1, 1);
    // Bytes that are part of a run of three or more.
    let mut in_runs = 0;
    for pair in value.windows(2) {
        let step = |run: usize, holds: bool| if holds { run + 1 } else { 1 };
        same = step(same, pair[0] == pair[1]);
        up = step(up, pair[1] == pair[0].wrapping_add(1) || pair == b"90");
        down = step(down, pair[0] == pair[1].wrapping_add(1) || pair == b"09");
        let longest = same.max(up).max(down);
        in_runs += match longest {
            0..3 => 0,
            3 => 3,
            _ => 1,
        };
        // The body of a key holds runs too: lengths and padding.
        if value.len() < 128 && (same >= 8 || up >= 10 || down >= 10) {
            return true;
        }
    }
    // `12345678`, `abcdef123456`, `aabbccddeeff`: nothing but runs.
    let doubled = value.len() >= 8 && value.chunks(2).all(|pair| pair[0] == pair[pair.len() - 1]);
    doubled || value.len() > 3 && in_runs * 5 >= value.len() * 4
}
