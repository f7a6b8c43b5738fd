//! Times as a page says them, in UTC, so that the page is the same for everybody.

use jiff::Timestamp;

/// A day.
pub(crate) fn day(time: Timestamp) -> String {
    time.strftime("%b %-d, %Y").to_string()
}

/// A day and the time.
pub(crate) fn moment(time: Timestamp) -> String {
    time.strftime("%b %-d, %Y, %H:%M UTC").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_said_in_full() {
        let time: Timestamp = "2026-01-05T23:59:59Z".parse().unwrap();
        assert_eq!(day(time), "Jan 5, 2026");
        assert_eq!(moment(time), "Jan 5, 2026, 23:59 UTC");
    }
}
