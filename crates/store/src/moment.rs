//! Moments as text: one form in every column, so that text order is time order.

use puma_core::Timestamp;

/// `2026-11-20 07:15:06.123000`, in UTC: the form upstream PUMA writes, so that its rows and ours sort together.
pub(crate) fn column_text(at: Timestamp) -> String {
    let text = at.rfc3339();
    text.replacen('T', " ", 1).replace('Z', "000")
}

/// Reads a date or a moment: `2026-05-31`, `2026-05-31 09:14:17.225150`, `2026-05-31T09:14Z`, `…+02:00`. Without an
/// offset it is UTC. Digits below the millisecond are dropped. `None` if it is none of these.
pub fn parse_moment(text: &str) -> Option<Timestamp> {
    let (date, time) = match text.find(['T', ' ']) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    let mut parts = date.splitn(3, '-');
    let year = digits(parts.next()?, 4)?;
    let month = digits(parts.next()?, 2)?;
    let day = digits(parts.next()?, 2)?;
    if !(1..=12).contains(&month) || day < 1 || day > days_in_month(year, month) {
        return None;
    }
    let of_day_ms = time.map_or(Some(0), parse_time_of_day)?;
    Some(Timestamp(days_since_1970(year, month, day) * 86_400_000 + of_day_ms))
}

/// Milliseconds since midnight UTC; outside one day where an offset moves it there.
fn parse_time_of_day(text: &str) -> Option<i64> {
    let (clock, offset_minutes) = split_offset(text)?;
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, ""));
    let mut parts = clock.split(':');
    let hour = digits(parts.next()?, 2)?;
    let minute = digits(parts.next()?, 2)?;
    let second = parts.next().map_or(Some(0), |second| digits(second, 2))?;
    if parts.next().is_some() || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    if !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let millis: i64 = format!("{fraction:0<3}")[..3].parse().ok()?;
    Some(((hour * 60 + minute - offset_minutes) * 60 + second) * 1000 + millis)
}

fn split_offset(text: &str) -> Option<(&str, i64)> {
    if let Some(clock) = text.strip_suffix('Z') {
        return Some((clock, 0));
    }
    let Some(at) = text.find(['+', '-']) else { return Some((text, 0)) };
    let (hours, minutes) = text[at + 1..].split_once(':')?;
    let minutes = digits(hours, 2)? * 60 + digits(minutes, 2)?;
    Some((&text[..at], if text.as_bytes()[at] == b'-' { -minutes } else { minutes }))
}

fn digits(text: &str, count: usize) -> Option<i64> {
    (text.len() == count && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
}

fn days_in_month(year: i64, month: i64) -> i64 {
    let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Date to days after Howard Hinnant, "chrono-compatible low-level date algorithms" (days_from_civil).
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The last millisecond of the year 9999: later years have five digits.
    const LAST_MS: i64 = 253_402_300_799_999;

    proptest! {
        #[test]
        fn what_is_written_is_read_back(ms in -62_000_000_000_000..=LAST_MS) {
            prop_assert_eq!(parse_moment(&column_text(Timestamp(ms))), Some(Timestamp(ms)));
            prop_assert_eq!(parse_moment(&Timestamp(ms).rfc3339()), Some(Timestamp(ms)));
        }

        #[test]
        fn text_order_is_time_order(a in 0..=LAST_MS, b in 0..=LAST_MS) {
            prop_assert_eq!(a.cmp(&b), column_text(Timestamp(a)).cmp(&column_text(Timestamp(b))));
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,30}") {
            let _ = parse_moment(&text);
        }
    }

    #[test]
    fn offsets_and_short_forms_are_read() {
        let nine = Timestamp(1_780_218_840_000);
        assert_eq!(nine.rfc3339(), "2026-05-31T09:14:00.000Z");
        for text in ["2026-05-31T09:14", "2026-05-31 09:14:00", "2026-05-31T11:14+02:00", "2026-05-31T04:44:00-04:30"] {
            assert_eq!(parse_moment(text), Some(nine), "{text}");
        }
        assert_eq!(parse_moment("2026-05-31").map(Timestamp::rfc3339).as_deref(), Some("2026-05-31T00:00:00.000Z"));
        for text in ["", "yesterday", "2026-13-01", "2026-02-29", "2026-05-31T24:00", "2026-5-31", "2026-05-31T09"] {
            assert_eq!(parse_moment(text), None, "{text}");
        }
    }
}
