//! Times.

use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, Unit, Zoned};
use serde_json::Value;

use super::function::{Context, Function, function, number, whole, words_of};
use crate::card::calendar::{read, seconds, write};

/// Ticks of 100 nanoseconds since the year 1, at 1970.
const TICKS_AT_1970: f64 = 621_355_968_000_000_000.0;
const TICKS_A_SECOND: f64 = 10_000_000.0;

pub(super) const FUNCTIONS: &[Function] = &[
    function("utcNow", 0, 2, |context, given| now(context).and_then(|at| shown(&at, given.first()))),
    function("formatDateTime", 1, 3, |_, given| shown(&read(&given[0])?, given.get(1))),
    function("formatEpoch", 1, 3, |_, given| shown(&seconds(number(&given[0])?)?, given.get(1))),
    function("formatTicks", 1, 3, |_, given| {
        shown(&seconds((number(&given[0])? - TICKS_AT_1970) / TICKS_A_SECOND)?, given.get(1))
    }),
    function("addSeconds", 2, 4, |_, given| moved(given, "second")),
    function("addMinutes", 2, 4, |_, given| moved(given, "minute")),
    function("addHours", 2, 4, |_, given| moved(given, "hour")),
    function("addDays", 2, 4, |_, given| moved(given, "day")),
    function("addToTime", 3, 5, |_, given| by_unit(given, 1)),
    function("subtractFromTime", 3, 5, |_, given| by_unit(given, -1)),
    function("getFutureTime", 2, 4, |context, given| {
        let at = add(&now(context)?, whole(&given[0])?, words_of(&given[1])?)?;
        shown(&at, given.get(2))
    }),
    function("getPastTime", 2, 4, |context, given| {
        let at = add(&now(context)?, whole(&given[0])?.saturating_neg(), words_of(&given[1])?)?;
        shown(&at, given.get(2))
    }),
    function("dayOfMonth", 1, 1, |_, given| Ok(Value::from(read(&given[0])?.day()))),
    function("dayOfWeek", 1, 1, |_, given| Ok(Value::from(read(&given[0])?.weekday().to_sunday_zero_offset()))),
    function("dayOfYear", 1, 1, |_, given| Ok(Value::from(read(&given[0])?.day_of_year()))),
    function("month", 1, 1, |_, given| Ok(Value::from(read(&given[0])?.month()))),
    function("year", 1, 1, |_, given| Ok(Value::from(read(&given[0])?.year()))),
    function("date", 1, 1, |_, given| write(&read(&given[0])?, Some("M/dd/yyyy")).map(Value::String)),
    function("startOfDay", 1, 3, |_, given| {
        let at = read(&given[0])?.start_of_day().map_err(|_| OUT_OF_RANGE)?;
        shown(&at, given.get(1))
    }),
    function("startOfHour", 1, 3, |_, given| {
        let at = read(&given[0])?;
        let at = at.with().minute(0).second(0).subsec_nanosecond(0).build().map_err(|_| OUT_OF_RANGE)?;
        shown(&at, given.get(1))
    }),
    function("startOfMonth", 1, 3, |_, given| {
        let at = read(&given[0])?.first_of_month().and_then(|at| at.start_of_day()).map_err(|_| OUT_OF_RANGE)?;
        shown(&at, given.get(1))
    }),
    function("ticks", 1, 1, |_, given| {
        let ticks = i128::from(621_355_968_000_000_000_i64) + read(&given[0])?.timestamp().as_nanosecond() / 100;
        i64::try_from(ticks).map(Value::from).map_err(|_| OUT_OF_RANGE.to_owned())
    }),
    function("isWeekend", 1, 1, |_, given| {
        let day = read(&given[0])?.weekday();
        Ok(Value::Bool(matches!(day, Weekday::Saturday | Weekday::Sunday)))
    }),
    function("dateDifference", 2, 2, |_, given| {
        let (from, to) = (read(&given[0])?, read(&given[1])?);
        let days = from.timestamp().until((Unit::Hour, to.timestamp())).map_err(|_| OUT_OF_RANGE)?;
        Ok(Value::from(days.get_hours() / 24))
    }),
];

const OUT_OF_RANGE: &str = "it is out of the range of times";

fn now(context: &Context) -> Result<Zoned, String> {
    let at = Timestamp::from_millisecond(context.now_ms).map_err(|_| OUT_OF_RANGE)?;
    Ok(at.to_zoned(TimeZone::UTC))
}

fn shown(at: &Zoned, pattern: Option<&Value>) -> Result<Value, String> {
    let pattern = pattern.map(words_of).transpose()?.filter(|pattern| !pattern.is_empty());
    write(at, pattern).map(Value::String)
}

fn moved(given: &[Value], unit: &str) -> Result<Value, String> {
    shown(&add(&read(&given[0])?, whole(&given[1])?, unit)?, given.get(2))
}

fn by_unit(given: &[Value], sign: i64) -> Result<Value, String> {
    let count = whole(&given[1])?.saturating_mul(sign);
    shown(&add(&read(&given[0])?, count, words_of(&given[2])?)?, given.get(3))
}

fn add(at: &Zoned, count: i64, unit: &str) -> Result<Zoned, String> {
    let span = match unit.to_ascii_lowercase().trim_end_matches('s') {
        "second" => Span::new().try_seconds(count),
        "minute" => Span::new().try_minutes(count),
        "hour" => Span::new().try_hours(count),
        "day" => Span::new().try_days(count),
        "week" => Span::new().try_weeks(count),
        "month" => Span::new().try_months(count),
        "year" => Span::new().try_years(count),
        _ => return Err("the unit is one of Second, Minute, Hour, Day, Week, Month, Year".to_owned()),
    };
    span.and_then(|span| at.checked_add(span)).map_err(|_| OUT_OF_RANGE.to_owned())
}
