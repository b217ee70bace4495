//! Times as people write them on the command line: ages and dates.

use crate::error::{Error, Result};

/// A date (`2026-01-31`, its start in UTC) or an age (`14d`) before `now`, in seconds since 1970.
pub fn since(text: &str, now: i64) -> Result<i64> {
    age(text).map_or_else(|| date(text), |seconds| Ok(now - seconds))
}

/// `3d`, `12h`, `30m`, `2w` in seconds.
pub fn age(text: &str) -> Option<i64> {
    let unit = match text.chars().last()? {
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        'w' => 604_800,
        _ => return None,
    };
    text[..text.len() - 1].parse::<u32>().ok().map(|n| i64::from(n) * unit)
}

/// The start of a day, UTC.
fn date(text: &str) -> Result<i64> {
    let wrong = || Error::usage(format!("`{text}` is neither a date nor an age")).hint("write 2026-01-31 or 14d");
    let day: jiff::civil::Date = text.parse().map_err(|_| wrong())?;
    Ok(day.to_zoned(jiff::tz::TimeZone::UTC).map_err(|_| wrong())?.timestamp().as_second())
}
