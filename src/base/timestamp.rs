//! Timestamps as Graph writes them.

use std::borrow::Cow;

use jiff::Timestamp;

/// Reads an ISO 8601 timestamp with any number of fractional digits and any offset; `None` for what is no timestamp.
pub fn parse(text: &str) -> Option<Timestamp> {
    fast_path(text.as_bytes()).or_else(|| text.parse().ok())
}

/// The same for a time that tells when something happened: `None` also for what services write where there is no time,
/// such as `0001-01-01T00:00:00Z` and `1970-01-01T00:00:00Z`.
pub fn known(text: &str) -> Option<Timestamp> {
    parse(text).filter(is_known)
}

/// Nothing in Teams is older than the first day of 1970.
pub fn is_known(timestamp: &Timestamp) -> bool {
    timestamp.as_second() >= 86_400
}

/// Reads `2025-01-15T10:30:00Z` with up to nine digits of a fraction: the form of nearly every timestamp, several times
/// faster than by the library. `None` for every other form, which the library reads.
fn fast_path(text: &[u8]) -> Option<Timestamp> {
    let (date, time) = (text.get(..10)?, text.get(10..19)?);
    if (date[4], date[7], time[0], time[3], time[6]) != (b'-', b'-', b'T', b':', b':') {
        return None;
    }
    let (year, month, day) = (number(&date[..4])?, number(&date[5..7])?, number(&date[8..])?);
    let (hour, minute, second) = (number(&time[1..3])?, number(&time[4..6])?, number(&time[7..])?);
    // Days that only some months have, and leap seconds, are left to the library.
    if year == 0 || !(1..=12).contains(&month) || !(1..=28).contains(&day) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let seconds = days(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second;
    Timestamp::new(seconds, fraction(text.get(19..)?)?).ok()
}

fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0, |value, digit| digit.is_ascii_digit().then(|| value * 10 + i64::from(digit - b'0')))
}

/// Nanoseconds of `Z` or `.123Z`.
fn fraction(text: &[u8]) -> Option<i32> {
    let digits = match text {
        b"Z" => return Some(0),
        [b'.', digits @ .., b'Z'] if (1..=9).contains(&digits.len()) => digits,
        _ => return None,
    };
    i32::try_from(number(digits)? * 10_i64.pow(9 - digits.len() as u32)).ok()
}

/// Days since 1970-01-01, of years from 1 on (<https://howardhinnant.github.io/date_algorithms.html#days_from_civil>).
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year / 400, year % 400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// `2025-01-15T10:30:00.000Z`: three digits always, so that text sorts as time.
pub fn to_text(timestamp: Timestamp) -> String {
    format!("{timestamp:.3}")
}

/// The text of a cursor column, and its time.
///
/// Graph drops trailing zeros of the fraction, and as text `...01Z` sorts after `...01.5Z`: a merge by the text would
/// keep the older version. What is no timestamp stays as it came.
pub fn pad(text: &mut Cow<'_, str>) -> Option<Timestamp> {
    let timestamp = parse(text)?;
    let is_padded = text.len() == "2025-01-15T10:30:00.000Z".len() && text.ends_with('Z');
    if !is_padded {
        *text = Cow::Owned(to_text(timestamp));
    }
    Some(timestamp)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn padded(text: &str) -> (String, bool) {
        let mut text = Cow::Borrowed(text);
        let known = pad(&mut text).is_some();
        (text.into_owned(), known)
    }

    #[test]
    fn every_form_graph_uses_is_padded_to_three_digits() {
        for (sent, expected) in [
            ("2025-01-15T10:30:00Z", "2025-01-15T10:30:00.000Z"),
            ("2025-01-15T10:30:00.5Z", "2025-01-15T10:30:00.500Z"),
            ("2025-01-15T10:30:00.24Z", "2025-01-15T10:30:00.240Z"),
            ("2025-01-15T10:30:00.123Z", "2025-01-15T10:30:00.123Z"),
            ("2025-01-15T10:30:00.1239999Z", "2025-01-15T10:30:00.123Z"),
            ("2025-01-15T02:30:00-08:00", "2025-01-15T10:30:00.000Z"),
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"),
        ] {
            assert_eq!(padded(sent), (expected.to_owned(), true));
        }
    }

    #[test]
    fn a_time_that_stands_for_none_is_none() {
        for unset in ["0001-01-01T00:00:00Z", "1601-01-01T00:00:00Z", "1970-01-01T00:00:00.000Z", "soon", ""] {
            assert_eq!(known(unset), None, "{unset}");
        }
        assert!(known("2001-01-01T00:00:00Z").is_some());
    }

    #[test]
    fn what_is_no_timestamp_survives_as_it_is() {
        for text in ["2021-03-1706:47:05.123Z", "", "soon", "2021-13-40T00:00:00Z"] {
            assert_eq!(padded(text), (text.to_owned(), false));
        }
    }

    #[test]
    fn the_fast_path_agrees_with_the_library() {
        let mut texts: Vec<String> = Vec::new();
        for (year, month) in [(1, 1), (1899, 2), (1900, 3), (1970, 1), (2000, 2), (2024, 2), (2026, 12), (9999, 12)] {
            for day in 0..=32 {
                texts.push(format!("{year:04}-{month:02}-{day:02}T{:02}:59:{:02}Z", day % 25, day * 2));
            }
        }
        let odd = ["2025-01-15T10:30:00.5Z", "2025-01-15T10:30:00.123456789Z", "2025-01-15T10:30:00.1234567891Z"];
        texts.extend(odd.map(str::to_owned));
        texts.extend(["0000-01-01T00:00:00Z", "2025-01-15T10:30:00.Z", "2025-01-15T10:30:60Z"].map(str::to_owned));
        for text in texts {
            assert_eq!(parse(&text), text.parse::<Timestamp>().ok(), "{text}");
        }
    }
}
