//! The days that a date in a common spelling can mean.

use iris_plain::is_date;

/// First year that a living person can be born in, generously.
const YEAR_MIN: u16 = 1850;

/// The days that a text can mean as `YYYY-MM-DD`, the likeliest first; none for what is no date.
///
/// - `1987-04-12`, `1987/4/12`, `1987.4.12` and `19870412` are one day.
/// - `4/12/1987` and `4-12-1987` are read the American way, month first, and then the other way round; so is `04121987`.
/// - `12.04.1987` is read day first, and then the other way round.
/// - With two digits of the year both centuries are tried that are not in the future: `4/12/15` is 2015 and 1915.
///
/// A reading that is no day of the calendar or lies after `today` (`YYYY-MM-DD`) falls away.
pub(super) fn readings(text: &str, today: &str) -> Vec<String> {
    let separator = text.chars().find(|sign| !sign.is_ascii_digit());
    let parts: Vec<&str> = match separator {
        None => return run_of_digits(text, today),
        Some(sign @ ('-' | '/' | '.')) => text.split(sign).collect(),
        Some(_) => return Vec::new(),
    };
    let &[first, second, third] = parts.as_slice() else { return Vec::new() };
    if parts.iter().any(|part| part.is_empty() || part.len() > 4 || !part.bytes().all(|byte| byte.is_ascii_digit())) {
        return Vec::new();
    }
    if first.len() == 4 {
        return days(&[(first, second, third)], today);
    }
    let years: Vec<String> = match third.len() {
        4 => vec![third.to_owned()],
        2 => vec![format!("20{third}"), format!("19{third}")],
        _ => return Vec::new(),
    };
    let (month, day) = if separator == Some('.') { (second, first) } else { (first, second) };
    let likely = years.iter().map(|year| (year.as_str(), month, day));
    let turned = years.iter().map(|year| (year.as_str(), day, month));
    days(&likely.chain(turned).collect::<Vec<_>>(), today)
}

/// Eight digits: year first, or year last the American way and the other way round.
fn run_of_digits(text: &str, today: &str) -> Vec<String> {
    if text.len() != 8 {
        return Vec::new();
    }
    let year_first = (&text[..4], &text[4..6], &text[6..]);
    let year_last = (&text[4..], &text[..2], &text[2..4]);
    days(&[year_first, year_last, (year_last.0, year_last.2, year_last.1)], today)
}

/// A year that somebody can be born in.
pub(super) fn is_year(text: &str, today: &str) -> bool {
    let this_year = today.get(..4).unwrap_or_default();
    text.len() == 4 && text.parse::<u16>().is_ok_and(|year| year >= YEAR_MIN) && text <= this_year
}

/// The readings (year, month, day) that are days, each once.
fn days(readings: &[(&str, &str, &str)], today: &str) -> Vec<String> {
    let mut days: Vec<String> = Vec::new();
    for (year, month, day) in readings.iter().filter(|(year, ..)| is_year(year, today)) {
        let date = format!("{year}-{month:0>2}-{day:0>2}");
        if is_date(&date) && *date <= *today && !days.contains(&date) {
            days.push(date);
        }
    }
    days
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_spellings_are_read_and_doubtful_ones_both_ways() {
        for (text, expected) in [
            ("1987-04-12", &["1987-04-12"][..]),
            ("1987-4-2", &["1987-04-02"]),
            ("1987/04/12", &["1987-04-12"]),
            ("19870412", &["1987-04-12"]),
            ("04/12/1987", &["1987-04-12", "1987-12-04"]),
            ("4/12/1987", &["1987-04-12", "1987-12-04"]),
            ("25/12/1987", &["1987-12-25"]),
            ("12/25/1987", &["1987-12-25"]),
            ("5/5/1987", &["1987-05-05"]),
            ("12.04.1987", &["1987-04-12", "1987-12-04"]),
            ("4/12/87", &["1987-04-12", "1987-12-04"]),
            ("4/12/15", &["2015-04-12", "1915-04-12", "2015-12-04", "1915-12-04"]),
            ("04121987", &["1987-04-12", "1987-12-04"]),
            ("20121110", &["2012-11-10"]),
        ] {
            assert_eq!(readings(text, "2026-11-22"), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_past_day_is_no_date() {
        for text in [
            "1987-02-30",
            "31/31/1987",
            "2026-11-23",
            "1849-01-01",
            "555-0123",
            "1-2-3-4",
            "a/b/c",
            "1987",
            "4/12",
            "4/12/198",
            "//",
        ] {
            assert_eq!(readings(text, "2026-11-22"), Vec::<String>::new(), "{text}");
        }
        assert!(!readings("2026-11-22", "2026-11-22").is_empty());
    }

    #[test]
    fn years_people_are_born_in() {
        assert!(is_year("1987", "2026-11-22") && is_year("2026", "2026-11-22") && is_year("1850", "2026-11-22"));
        assert!(!is_year("2027", "2026-11-22") && !is_year("1849", "2026-11-22") && !is_year("87", "2026-11-22"));
    }
}
