//! Times as text, as some responses return them.

use conclave_core::model::Millis;
use jiff::Timestamp;
use jiff::tz::Offset;

/// The value for "never": the vendor documents none for what has no end.
pub(crate) const FAR_FUTURE: &str = "9999-12-31 23:59:59";

/// `YYYY-MM-DD HH:MM:SS`, `offset_minutes` ahead of UTC.
pub(crate) fn text(at: Millis, offset_minutes: i32) -> String {
    let at = i64::try_from(at.0).ok().and_then(|millis| Timestamp::from_millisecond(millis).ok());
    let offset = Offset::from_seconds(offset_minutes.saturating_mul(60)).unwrap_or(Offset::UTC);
    // the latest time of the library leaves room for every offset
    offset.to_datetime(at.unwrap_or(Timestamp::MAX)).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_in_the_data_centres_time_zone() {
        assert_eq!(text(Millis(1_408_710_653_000), 480), "2014-08-22 20:30:53");
        assert_eq!(text(Millis(1_408_710_653_000), 0), "2014-08-22 12:30:53");
        assert_eq!(text(Millis(u64::MAX), -840).len(), 19);
    }
}
