//! Times: read from ISO 8601 or seconds, written by the patterns of .NET, as Adaptive Expressions have them
//! (<https://learn.microsoft.com/dotnet/standard/base-types/custom-date-and-time-format-strings>).

use jiff::civil::{Date, DateTime};
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, Zoned};
use serde_json::Value;

/// How a time is written where no pattern is given.
const DEFAULT: &str = "yyyy-MM-ddTHH:mm:ss.fffZ";
const LONGEST_PATTERN: usize = 200;

/// Reads a time. One without an offset is UTC; a date alone begins at midnight.
pub fn read(value: &Value) -> Result<Zoned, String> {
    let wrong = || "it is no ISO 8601 time such as 2026-01-31T08:00:00Z".to_owned();
    match value {
        Value::String(text) => {
            let text = text.trim();
            let offset = || {
                let at = text.parse::<Timestamp>().ok()?;
                Some(at.to_zoned(TimeZone::fixed(offset_of(text).unwrap_or(Offset::UTC))))
            };
            let civil = || text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok();
            let date = || text.parse::<Date>().ok()?.to_zoned(TimeZone::UTC).ok();
            offset().or_else(civil).or_else(date).ok_or_else(wrong)
        }
        Value::Number(number) => seconds(number.as_f64().ok_or_else(wrong)?),
        _ => Err(wrong()),
    }
}

/// The offset at the end of a time.
fn offset_of(text: &str) -> Option<Offset> {
    let at = text.len().checked_sub(6)?;
    let (sign, rest) = (text.get(at..=at)?, text.get(at + 1..)?);
    let (hours, minutes) = rest.split_once(':')?;
    let seconds = hours.parse::<i32>().ok()? * 3_600 + minutes.parse::<i32>().ok()? * 60;
    match sign {
        "+" => Offset::from_seconds(seconds).ok(),
        "-" => Offset::from_seconds(-seconds).ok(),
        _ => None,
    }
}

/// Seconds since 1970.
pub fn seconds(since: f64) -> Result<Zoned, String> {
    let wrong = || "it is out of the range of times".to_owned();
    if !since.is_finite() || since.abs() > 2e11 {
        return Err(wrong());
    }
    let at = Timestamp::from_millisecond((since * 1_000.0).round() as i64).map_err(|_| wrong())?;
    Ok(at.to_zoned(TimeZone::UTC))
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// The pattern behind a letter that stands alone, for the invariant culture.
fn standard(letter: &str) -> Option<&'static str> {
    Some(match letter {
        "d" => "MM/dd/yyyy",
        "D" => "dddd, dd MMMM yyyy",
        "f" => "dddd, dd MMMM yyyy HH:mm",
        "F" | "U" => "dddd, dd MMMM yyyy HH:mm:ss",
        "g" => "MM/dd/yyyy HH:mm",
        "G" => "MM/dd/yyyy HH:mm:ss",
        "m" | "M" => "MMMM dd",
        "o" | "O" => "yyyy-MM-ddTHH:mm:ss.fffffffK",
        "r" | "R" => "ddd, dd MMM yyyy HH:mm:ss 'GMT'",
        "s" => "yyyy-MM-ddTHH:mm:ss",
        "t" => "HH:mm",
        "T" => "HH:mm:ss",
        "u" => "yyyy-MM-dd HH:mm:ss'Z'",
        "y" | "Y" => "yyyy MMMM",
        _ => return None,
    })
}

/// Writes a time by a pattern.
pub fn write(at: &Zoned, pattern: Option<&str>) -> Result<String, String> {
    let pattern = pattern.unwrap_or(DEFAULT);
    if pattern.chars().count() > LONGEST_PATTERN {
        return Err("the pattern is too long".to_owned());
    }
    let universal = ["r", "R", "u", "U"].contains(&pattern);
    let shown = if universal || pattern == DEFAULT { at.with_time_zone(TimeZone::UTC) } else { at.clone() };
    custom(&shown, standard(pattern).unwrap_or(pattern))
}

fn custom(at: &Zoned, pattern: &str) -> Result<String, String> {
    let mut shown = String::new();
    let mut rest = pattern;
    while let Some(first) = rest.chars().next() {
        if matches!(first, '\'' | '"') {
            let inner = &rest[1..];
            let end = inner.find(first).ok_or_else(|| format!("the pattern has no closing {first}"))?;
            shown.push_str(&inner[..end]);
            rest = &inner[end + 1..];
            continue;
        }
        if first == '\\' {
            let mut after = rest[1..].chars();
            shown.extend(after.next());
            rest = after.as_str();
            continue;
        }
        let count = rest.chars().take_while(|found| *found == first).count();
        let length = count * first.len_utf8();
        part(&mut shown, at, first, count);
        rest = &rest[length..];
    }
    Ok(shown)
}

/// One run of the same letter.
fn part(shown: &mut String, at: &Zoned, letter: char, count: usize) {
    let hour = at.hour();
    let twelve = if hour % 12 == 0 { 12 } else { hour % 12 };
    let month = usize::from(at.month().unsigned_abs()).clamp(1, 12);
    let day = DAYS[at.weekday().to_sunday_zero_offset().unsigned_abs() as usize % 7];
    let digits = |value: i64, count: usize| format!("{value:0width$}", width = count.min(2));
    let text = match (letter, count) {
        ('y', 1 | 2) => digits(i64::from(at.year()) % 100, count),
        ('y', _) => format!("{:0count$}", at.year()),
        ('M', 1 | 2) => digits(month as i64, count),
        ('M', 3) => MONTHS[month - 1][..3].to_owned(),
        ('M', _) => MONTHS[month - 1].to_owned(),
        ('d', 1 | 2) => digits(i64::from(at.day()), count),
        ('d', 3) => day[..3].to_owned(),
        ('d', _) => day.to_owned(),
        ('H', _) => digits(i64::from(hour), count),
        ('h', _) => digits(i64::from(twelve), count),
        ('m', _) => digits(i64::from(at.minute()), count),
        ('s', _) => digits(i64::from(at.second()), count),
        ('f', _) => format!("{:09}", at.subsec_nanosecond())[..count.min(7)].to_owned(),
        ('F', _) => format!("{:09}", at.subsec_nanosecond())[..count.min(7)].trim_end_matches('0').to_owned(),
        ('t', 1) => if hour < 12 { "A" } else { "P" }.to_owned(),
        ('t', _) => if hour < 12 { "AM" } else { "PM" }.to_owned(),
        ('z', _) => offset(at, count),
        ('K', _) if at.offset().seconds() == 0 => "Z".to_owned(),
        ('K', _) => offset(at, 3),
        (other, count) => other.to_string().repeat(count),
    };
    shown.push_str(&text);
}

fn offset(at: &Zoned, count: usize) -> String {
    let seconds = at.offset().seconds();
    let sign = if seconds < 0 { '-' } else { '+' };
    let (hours, minutes) = (seconds.abs() / 3_600, seconds.abs() % 3_600 / 60);
    match count {
        1 => format!("{sign}{hours}"),
        2 => format!("{sign}{hours:02}"),
        _ => format!("{sign}{hours:02}:{minutes:02}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(time: &str, pattern: &str) -> String {
        write(&read(&Value::from(time)).unwrap(), Some(pattern)).unwrap()
    }

    #[test]
    fn patterns_are_those_of_dotnet() {
        let time = "2026-03-05T07:08:09.0123456Z";
        for (pattern, expected) in [
            ("yyyy-MM-dd", "2026-03-05"),
            ("d.M.yy", "5.3.26"),
            ("dddd, MMMM d", "Thursday, March 5"),
            ("ddd MMM", "Thu Mar"),
            ("HH:mm:ss.fff", "07:08:09.012"),
            ("h:mm tt", "7:08 AM"),
            ("'at' H \\H", "at 7 H"),
            ("o", "2026-03-05T07:08:09.0123456Z"),
            ("D", "Thursday, 05 March 2026"),
            ("r", "Thu, 05 Mar 2026 07:08:09 GMT"),
            ("u", "2026-03-05 07:08:09Z"),
            ("t", "07:08"),
        ] {
            assert_eq!(shown(time, pattern), expected, "{pattern}");
        }
        assert_eq!(shown("2026-03-05T23:30:00+05:30", "yyyy-MM-dd HH:mm zzz"), "2026-03-05 23:30 +05:30");
        assert_eq!(shown("2026-03-05", "HH:mm"), "00:00");
        assert_eq!(shown("2026-12-31T12:00:00", "tt"), "PM");
        let at = read(&Value::from("2026-03-05T23:30:00+05:30")).unwrap();
        assert_eq!(write(&at, None).unwrap(), "2026-03-05T18:00:00.000Z");
        assert!(write(&at, Some("'abc")).is_err());
        assert!(read(&Value::from("yesterday")).is_err());
        assert!(seconds(1e300).is_err());
    }
}
