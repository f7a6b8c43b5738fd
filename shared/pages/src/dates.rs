//! Times as pages show them: in UTC, and they say so, because a cached page is the same for every reader. They
//! stand in `<time datetime="…">`, where the script replaces them by the reader's own time: its pattern
//! `UTC_TIME` matches what is written here.

use jiff::Timestamp;

/// The date: `Jan 5, 2026 UTC`.
pub(crate) fn day(time: Timestamp) -> String {
    time.strftime("%b %-d, %Y UTC").to_string()
}

/// The date and the time: `Jan 5, 2026, 23:59 UTC`.
pub(crate) fn moment(time: Timestamp) -> String {
    time.strftime("%b %-d, %Y, %H:%M UTC").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_shown_in_utc_with_the_year() {
        let time: Timestamp = "2026-01-05T23:59:59Z".parse().unwrap();
        assert_eq!(day(time), "Jan 5, 2026 UTC");
        assert_eq!(moment(time), "Jan 5, 2026, 23:59 UTC");
    }
}
