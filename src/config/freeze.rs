//! Freeze windows: times in which nothing new goes to an environment. Pure: a time in, an answer out.

use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};

/// Windows that follow upon each other are joined so often; after that the answer is far enough away.
const JOINED: usize = 32;

const DAY: i64 = 24 * 60;
const WEEK: i64 = 7 * DAY;

/// One window, in the time of the place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// Every day, in minutes from midnight; one that ends before it begins ends on the next day.
    Daily(i64, i64),
    /// Every week, in minutes from Monday midnight.
    Weekly(i64, i64),
    /// Once.
    Once(DateTime, DateTime),
}

/// All windows of an environment.
#[derive(Clone, Debug, PartialEq)]
pub struct Freeze {
    windows: Vec<Window>,
    zone: TimeZone,
}

impl Default for Freeze {
    fn default() -> Self {
        Self {
            windows: Vec::new(),
            zone: TimeZone::UTC,
        }
    }
}

impl Freeze {
    /// The windows written as `windows`, in `zone`.
    ///
    /// # Errors
    /// What is wrong with the first that is none.
    pub fn parse(windows: &[String], zone: TimeZone) -> Result<Self, String> {
        let windows = windows.iter().map(|text| Window::parse(text));
        Ok(Self {
            windows: windows.collect::<Result<_, _>>()?,
            zone,
        })
    }

    /// When it opens, if it is frozen at `now`. Windows that touch or overlap are one.
    pub fn until(&self, now: Timestamp) -> Option<Zoned> {
        let mut at = now.to_zoned(self.zone.clone()).datetime();
        let mut until = None;
        for _ in 0..JOINED {
            let end = self.windows.iter().filter_map(|window| window.end(at));
            match end.max() {
                Some(end) if end > at => {
                    at = end;
                    until = Some(end);
                }
                _ => break,
            }
        }
        until.and_then(|end| end.to_zoned(self.zone.clone()).ok())
    }
}

/// A moment for people: `Mon 23 Nov 08:00 (Europe/Berlin)`.
pub fn told(at: &Zoned) -> String {
    let zone = at.time_zone().iana_name().map(str::to_owned);
    let zone = zone.unwrap_or_else(|| at.strftime("%Z").to_string());
    format!("{} ({zone})", at.strftime("%a %-d %b %H:%M"))
}

/// The time zone called `name`; the system's when that is empty.
///
/// # Errors
/// When there is none of that name here.
pub fn zone(name: &str) -> Result<TimeZone, String> {
    match name.trim() {
        "" => Ok(TimeZone::system()),
        name if name.eq_ignore_ascii_case("utc") => Ok(TimeZone::UTC),
        name => TimeZone::get(name).map_err(|_| {
            format!("there is no time zone {name:?} here (write \"Europe/Berlin\", \"UTC\", or leave it empty for the system's)")
        }),
    }
}

impl Window {
    /// `Fri 16:00 - Mon 08:00`, `22:00 - 06:00`, `2026-12-20 18:00 - 2027-01-02`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let form = "write \"Fri 16:00 - Mon 08:00\" (every week), \"22:00 - 06:00\" (every day) or \
                    \"2026-12-20 18:00 - 2027-01-02\" (once)";
        let wrong = || format!("{text:?} is no freeze window: {form}");
        let plain = text.replace(['–', '—'], "-");
        let (from, to) = plain.split_once(" - ").ok_or_else(wrong)?;
        let (from, to) = (
            Edge::parse(from, false).ok_or_else(wrong)?,
            Edge::parse(to, true).ok_or_else(wrong)?,
        );
        let window = match (from, to) {
            (Edge::Time(from), Edge::Time(to)) => Self::Daily(from % DAY, to % DAY),
            (Edge::Week(from), Edge::Week(to)) => Self::Weekly(from % WEEK, to % WEEK),
            (Edge::Date(from), Edge::Date(to)) if from < to => Self::Once(from, to),
            (Edge::Date(_), Edge::Date(_)) => {
                return Err(format!("the freeze window {text:?} ends before it begins"));
            }
            _ => return Err(wrong()),
        };
        match window {
            Self::Daily(from, to) | Self::Weekly(from, to) if from == to => Err(format!(
                "the freeze window {text:?} ends when it begins: {form}"
            )),
            window => Ok(window),
        }
    }

    /// When it ends, if `at` is in it.
    fn end(self, at: DateTime) -> Option<DateTime> {
        let midnight = at.date().to_datetime(Time::midnight());
        let minute = i64::from(at.hour()) * 60 + i64::from(at.minute());
        match self {
            Self::Once(from, to) => (from <= at && at < to).then_some(to),
            Self::Daily(from, to) => {
                let end = recurring(minute, from, to, DAY)?;
                midnight.checked_add(end.minutes()).ok()
            }
            Self::Weekly(from, to) => {
                let days = i64::from(at.weekday().to_monday_zero_offset());
                let monday = midnight.checked_sub(days.days()).ok()?;
                let end = recurring(days * DAY + minute, from, to, WEEK)?;
                monday.checked_add(end.minutes()).ok()
            }
        }
    }
}

/// The end of a recurring window (from the start of its period), if `at` is in it.
fn recurring(at: i64, from: i64, to: i64, period: i64) -> Option<i64> {
    if from < to {
        (from <= at && at < to).then_some(to)
    } else if at >= from {
        Some(to + period)
    } else {
        (at < to).then_some(to)
    }
}

/// One end of a window.
enum Edge {
    Time(i64),
    Week(i64),
    Date(DateTime),
}

impl Edge {
    fn parse(text: &str, last: bool) -> Option<Self> {
        let parts: Vec<&str> = text.split_whitespace().collect();
        match parts.as_slice() {
            [time] if time.contains(':') => Some(Self::Time(minutes(time)?)),
            [date] => {
                // A day that is named as the end is frozen itself.
                let date: Date = date.parse().ok()?;
                let date = if last { date.tomorrow().ok()? } else { date };
                Some(Self::Date(date.to_datetime(Time::midnight())))
            }
            [day, time] => {
                let minutes = minutes(time)?;
                if let Some(day) = weekday(day) {
                    let days = i64::from(day.to_monday_zero_offset());
                    return Some(Self::Week(days * DAY + minutes));
                }
                let date: Date = day.parse().ok()?;
                let midnight = date.to_datetime(Time::midnight());
                Some(Self::Date(midnight.checked_add(minutes.minutes()).ok()?))
            }
            _ => None,
        }
    }
}

/// `16:00` in minutes; `24:00` is the end of a day.
fn minutes(text: &str) -> Option<i64> {
    let (hour, minute) = text.split_once(':')?;
    let digits = |part: &str| part.len() <= 2 && part.bytes().all(|b| b.is_ascii_digit());
    if !digits(hour) || minute.len() != 2 || !digits(minute) {
        return None;
    }
    let (hour, minute): (i64, i64) = (hour.parse().ok()?, minute.parse().ok()?);
    (minute < 60 && (hour < 24 || hour == 24 && minute == 0)).then_some(hour * 60 + minute)
}

fn weekday(text: &str) -> Option<Weekday> {
    let text = text.to_lowercase();
    [
        ("monday", Weekday::Monday),
        ("tuesday", Weekday::Tuesday),
        ("wednesday", Weekday::Wednesday),
        ("thursday", Weekday::Thursday),
        ("friday", Weekday::Friday),
        ("saturday", Weekday::Saturday),
        ("sunday", Weekday::Sunday),
    ]
    .into_iter()
    .find(|(name, _)| *name == text || text.len() >= 3 && name.starts_with(&text))
    .map(|(_, day)| day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opens(windows: &[&str], now: &str) -> Option<String> {
        let windows: Vec<String> = windows.iter().map(|text| (*text).to_owned()).collect();
        let freeze = Freeze::parse(&windows, TimeZone::UTC).unwrap();
        let now: DateTime = now.parse().unwrap();
        let now = now.to_zoned(TimeZone::UTC).unwrap().timestamp();
        freeze
            .until(now)
            .map(|at| at.strftime("%Y-%m-%d %H:%M").to_string())
    }

    #[test]
    fn a_weekend_is_frozen_from_its_first_minute_to_its_last() {
        // 2026-11-20 is a Friday.
        let window = ["Fri 16:00 - Mon 08:00"];
        for (now, opened) in [
            ("2026-11-20 15:59:59", None),
            ("2026-11-20 16:00", Some("2026-11-23 08:00")),
            ("2026-11-22 12:00", Some("2026-11-23 08:00")),
            ("2026-11-23 07:59:59", Some("2026-11-23 08:00")),
            ("2026-11-23 08:00", None),
            ("2026-11-25 12:00", None),
        ] {
            assert_eq!(opens(&window, now).as_deref(), opened, "{now}");
        }
    }

    #[test]
    fn nights_single_days_and_holidays() {
        for (window, now, opened) in [
            (
                "22:00 - 06:00",
                "2026-11-20 23:00",
                Some("2026-11-21 06:00"),
            ),
            (
                "22:00 - 06:00",
                "2026-11-20 05:59",
                Some("2026-11-20 06:00"),
            ),
            ("22:00 - 06:00", "2026-11-20 12:00", None),
            (
                "18:00 – 24:00",
                "2026-11-20 19:00",
                Some("2026-11-21 00:00"),
            ),
            (
                "wednesday 9:00 - Wednesday 17:30",
                "2026-11-18 17:29",
                Some("2026-11-18 17:30"),
            ),
            (
                "2026-12-24 - 2026-12-26",
                "2026-12-26 23:59",
                Some("2026-12-27 00:00"),
            ),
            ("2026-12-24 12:00 - 2026-12-26", "2026-12-24 11:59", None),
            (
                "2026-12-24 12:00 - 2027-01-02 08:00",
                "2027-01-01 00:00",
                Some("2027-01-02 08:00"),
            ),
        ] {
            assert_eq!(
                opens(&[window], now).as_deref(),
                opened,
                "{window} at {now}"
            );
        }
    }

    #[test]
    fn windows_that_touch_are_one() {
        let windows = ["Fri 16:00 - Mon 08:00", "Mon 08:00 - Mon 10:00"];
        assert_eq!(
            opens(&windows, "2026-11-21 00:00").as_deref(),
            Some("2026-11-23 10:00")
        );
        // Always frozen: an answer all the same.
        assert!(opens(&["00:00 - 12:00", "12:00 - 24:00"], "2026-11-21 00:00").is_some());
        assert_eq!(opens(&[], "2026-11-21 00:00"), None);
    }

    #[test]
    fn the_hour_that_a_clock_change_skips_does_not_matter() {
        let Ok(berlin) = TimeZone::get("Europe/Berlin") else {
            return; // no zones on this machine
        };
        let freeze = Freeze::parse(&["Sat 22:00 - Sun 02:30".to_owned()], berlin).unwrap();
        // 2026-03-29 01:30 local time; at 02:00 the clock goes to 03:00.
        let now: Timestamp = "2026-03-29T00:30:00Z".parse().unwrap();
        let opened = freeze.until(now).unwrap();
        assert_eq!(opened.timestamp().to_string(), "2026-03-29T01:30:00Z");
        assert_eq!(freeze.until(opened.timestamp()), None);
        assert!(
            told(&opened).contains("Sun 29 Mar 03:30 (Europe/Berlin)"),
            "{}",
            told(&opened)
        );
    }

    #[test]
    fn what_is_no_window_is_told_with_the_right_form() {
        for bad in [
            "",
            "weekend",
            "Fri - Mon",
            "Fri 16:00",
            "Fri 16:00 - 08:00",
            "Fri 25:00 - Mon 08:00",
            "Fri 16:60 - Mon 08:00",
            "Fr 16:00 - Mon 08:00",
            "2026-13-01 - 2026-12-26",
        ] {
            let message = Window::parse(bad).unwrap_err();
            assert!(message.contains("Fri 16:00 - Mon 08:00"), "{message}");
        }
        assert!(
            Window::parse("12:00 - 12:00")
                .unwrap_err()
                .contains("ends when it begins")
        );
        assert!(
            Window::parse("2027-01-01 - 2026-01-01")
                .unwrap_err()
                .contains("ends before")
        );
        assert!(zone("Nowhere/Land").is_err());
        assert_eq!(zone("utc").unwrap(), TimeZone::UTC);
    }
}
