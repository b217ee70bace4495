//! Identifiers: what code and configuration refer to things by. UUIDs, digests, dates, names of words.

/// A UUID in its usual form.
pub fn is_uuid(value: &[u8]) -> bool {
    value.len() == 36
        && value.iter().enumerate().all(|(at, b)| match at {
            8 | 13 | 18 | 23 => *b == b'-',
            _ => b.is_ascii_hexdigit(),
        })
}

/// Hexadecimal of the length of an object id or a digest.
pub fn is_digest(value: &[u8]) -> bool {
    matches!(value.len(), 32 | 40 | 56 | 64 | 96 | 128) && value.iter().all(u8::is_ascii_hexdigit)
}

/// Words in camel, snake or kebab case, dotted names, paths and calls: what code and configuration refer to things by.
pub fn is_identifier(value: &[u8]) -> bool {
    if value.iter().any(|b| !(b.is_ascii_alphanumeric() || b"_-.:/()[]*&".contains(b))) {
        return false;
    }
    if is_constant(value) || is_dashed_name(value) {
        return true;
    }
    let (mut runs, mut letters, mut numbers) = (0, 0, 0);
    let (mut pairs, mut usual) = (0, 0);
    for word in words(value) {
        if word[0].is_ascii_digit() {
            numbers += 1;
            continue;
        }
        runs += 1;
        letters += word.len();
        // Short runs are abbreviations: `db`, `k8s`, `id`.
        if word.len() > 2 {
            pairs += word.len() - 1;
            usual += word.windows(2).filter(|p| is_usual(p[0], p[1])).count();
        }
    }
    let digits = value.iter().filter(|b| b.is_ascii_digit()).count();
    // Of sixteen characters and more in all kinds, some spell words by chance.
    let any = |kind: fn(&u8) -> bool| value.iter().any(kind);
    let marks = value.iter().filter(|b| b.is_ascii_punctuation()).count();
    let mixed = value.len() >= 16
        && marks * 8 <= value.len()
        && digits > 0
        && any(u8::is_ascii_lowercase)
        && any(u8::is_ascii_uppercase);
    let (run, share) = if mixed { (4, 90) } else { (3, 75) };
    letters > 0 && digits * 3 <= letters && numbers <= 3 && letters >= runs * run && usual * 100 >= pairs * share
}

/// `wildcard-s390x-builder-keys`: a name as Kubernetes wants them, most of it in words.
fn is_dashed_name(value: &[u8]) -> bool {
    let plain = value.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'.'));
    let parts = || value.split(|b| matches!(b, b'-' | b'.'));
    let is_word = |part: &&[u8]| part.len() > 2 && part.iter().all(u8::is_ascii_lowercase) && is_wordy(part);
    let in_words: usize = parts().filter(is_word).map(<[u8]>::len).sum();
    let (all, words) = (parts().count(), parts().filter(is_word).count());
    let fits = all > 2 && words * 2 >= all && in_words * 3 >= value.len();
    plain && fits && parts().all(|part| !part.is_empty() && part.len() <= 16)
}

/// `minio123`: a word, and a number of a few digits.
pub fn is_numbered_word(value: &[u8]) -> bool {
    let word = value.iter().take_while(|b| b.is_ascii_lowercase()).count();
    (4..=12).contains(&word)
        && value.len() <= word + 4
        && value[word..].iter().all(u8::is_ascii_digit)
        && is_wordy(&value[..word])
}

/// `SOME_CONSTANT_1`.
fn is_constant(value: &[u8]) -> bool {
    let parts = || value.split(|b| *b == b'_');
    let upper = value.iter().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || *b == b'_');
    let letters = value.iter().filter(|b| b.is_ascii_uppercase()).count();
    upper && parts().count() > 1 && parts().all(|p| p.len() <= 16) && letters * 4 >= value.len() * 3
}

/// `2019-03-20T17:54:53Z`, and anything else that begins with a date.
pub fn is_timestamp(value: &[u8]) -> bool {
    value.len() >= 10
        && value[..10]
            .iter()
            .enumerate()
            .all(|(at, b)| if matches!(at, 4 | 7) { *b == b'-' } else { b.is_ascii_digit() })
}

/// Splits at separators, at changes between letters and digits, and before capitals that follow small letters.
pub(super) fn words(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value
        .split(|b| !b.is_ascii_alphanumeric())
        .flat_map(|part| {
            let mut rest = part;
            std::iter::from_fn(move || {
                if rest.is_empty() {
                    return None;
                }
                let kind = |a: u8, b: u8| {
                    a.is_ascii_digit() == b.is_ascii_digit() && !(a.is_ascii_lowercase() && b.is_ascii_uppercase())
                };
                let end = rest.windows(2).position(|p| !kind(p[0], p[1])).map_or(rest.len(), |at| at + 1);
                let (word, after) = rest.split_at(end);
                rest = after;
                Some(word)
            })
        })
        .filter(|word| !word.is_empty())
}

/// Whether most neighbours in a run of letters are such as words have.
pub(super) fn is_wordy(word: &[u8]) -> bool {
    if !word[0].is_ascii_alphabetic() || word.len() < 3 {
        return true;
    }
    let pairs = word.len() - 1;
    let usual = word.windows(2).filter(|p| is_usual(p[0], p[1])).count();
    usual * 4 >= pairs * 3
}

/// Letter pairs that are frequent in English words and abbreviations of the trade.
fn is_usual(a: u8, b: u8) -> bool {
    const AFTER: [&str; 26] = [
        "bcdgiklmnprstuvwy",
        "aeilorsuy",
        "acehiklorstuy",
        "abdeiorsuvy",
        "abcdefgilmnpqrstuvwxy",
        "aefilortuy",
        "aehilnorsu",
        "aeiortuy",
        "abcdefgklmnoprstvz",
        "aeou",
        "aeilnosy",
        "adefiklmopstuvy",
        "abeimnopsuy",
        "acdefgijknorstuvy",
        "abcdfgiklmnoprstuvwx",
        "aehiloprstuy",
        "lu",
        "abcdegiklmnorstuvy",
        "acehiklmopqrstuvwy",
        "aehilorstuwy",
        "abcdegilmnprst",
        "aeioy",
        "aehinors",
        "acepty",
        "aeilmnops",
        "aeioz",
    ];
    let (a, b) = (a.to_ascii_lowercase(), b.to_ascii_lowercase());
    a.is_ascii_lowercase() && AFTER[(a - b'a') as usize].as_bytes().contains(&b)
}

/// The name of a variable or key: words and separators, nothing random.
pub(super) fn is_name(value: &[u8]) -> bool {
    !value.is_empty() && is_identifier(value)
}

/// A path: it begins like one, and none of its parts is random.
pub fn is_path(value: &[u8]) -> bool {
    let begins = [&b"/"[..], b"./", b"../", b"~/"].iter().any(|start| value.starts_with(start));
    let parts = || value.split(|b| *b == b'/').filter(|part| !part.is_empty());
    let plain = |b: &u8| b.is_ascii_alphanumeric() || b"_-./~@:*".contains(b);
    // A single part with digits and both cases is base64 that begins with a slash.
    begins
        && value.iter().all(plain)
        && parts().count() > 0
        && parts().all(|part| part.len() < 4 || !is_random_part(part))
}

fn is_random_part(part: &[u8]) -> bool {
    !is_identifier(part) && super::is_random(part)
}
