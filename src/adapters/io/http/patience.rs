//! Patience: how often and after which pauses a request is repeated.
//!
//! Pauses grow threefold, and each is shortened by chance by up to a half, so that many clients of one server that had
//! trouble do not come back at the same moment (Brooker 2015, *Exponential Backoff And Jitter*, "equal jitter").

use std::hash::{BuildHasher, Hasher, RandomState};
use std::slice::Iter;
use std::thread::sleep;
use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822;

use super::HttpError;

/// Longest pause that a server is granted; where it asks for more, a person is told instead.
const MAX_PAUSE: Duration = Duration::from_mins(2);

/// Each pause is so many times the one before.
const GROWTH: u32 = 3;

/// Longest pause that comes of growth alone.
const MAX_OWN_PAUSE: Duration = Duration::from_secs(30);

/// The pauses between so many attempts.
pub(super) fn pauses(attempts: u32, first: Duration) -> Vec<Duration> {
    let pause = |number| first.saturating_mul(GROWTH.saturating_pow(number)).min(MAX_OWN_PAUSE.max(first));
    (0..attempts.saturating_sub(1)).map(pause).collect()
}

/// The pauses that are left.
#[derive(Debug)]
pub struct Patience<'a> {
    pauses: &'a [Duration],
    left: Iter<'a, Duration>,
}

impl<'a> Patience<'a> {
    pub(super) fn new(pauses: &'a [Duration]) -> Self {
        Self { pauses, left: pauses.iter() }
    }

    /// Waits, where the trouble may pass and has not been waited for too often; `false` where it is time to give up.
    pub fn wait(&mut self, error: &HttpError) -> bool {
        if !error.passes() {
            return false;
        }
        let asked = error.asks_for();
        if asked.is_some_and(|asked| asked > MAX_PAUSE) {
            return false;
        }
        let Some(own) = self.left.next() else { return false };
        let pause = asked.unwrap_or_else(|| shortened(*own));
        tracing::info!(%error, pause_ms = pause.as_millis() as u64, "trying again after a pause");
        sleep(pause);
        true
    }

    /// Begins anew, because something was gained.
    pub fn renew(&mut self) {
        self.left = self.pauses.iter();
    }
}

/// A pause between a half and the whole of this one.
fn shortened(pause: Duration) -> Duration {
    // A hasher with random keys is all the randomness that the standard library has.
    let random = RandomState::new().build_hasher().finish() as u32;
    pause / 2 + (pause / 2).mul_f64(f64::from(random) / f64::from(u32::MAX))
}

/// The pause that a server asks for: seconds, or a date, which is measured from the server's own where it states one.
pub(super) fn retry_after(asked: &str, date: Option<&str>) -> Option<Duration> {
    if let Ok(seconds) = asked.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = http_date(asked)?;
    let now = date.and_then(http_date).unwrap_or_else(Timestamp::now);
    Some(Duration::try_from(until.duration_since(now)).unwrap_or(Duration::ZERO))
}

/// A date as HTTP writes it, e.g. `Sun, 06 Nov 1994 08:49:37 GMT`; the two old forms of RFC 9110 are not read.
#[must_use]
pub fn http_date(text: &str) -> Option<Timestamp> {
    rfc2822::parse(text.trim()).ok().map(|date| date.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_a_limit() {
        let seconds = |attempts, first| {
            pauses(attempts, Duration::from_secs(first)).iter().map(Duration::as_secs).collect::<Vec<_>>()
        };
        assert_eq!(seconds(6, 1), [1, 3, 9, 27, 30]);
        assert_eq!(seconds(3, 60), [60, 60]);
        assert_eq!(seconds(1, 1), [0; 0]);
        assert_eq!(seconds(0, 1), [0; 0]);
    }

    #[test]
    fn chance_takes_a_half_at_most() {
        let pause = Duration::from_secs(8);
        let shortened: Vec<Duration> = (0..50).map(|_| shortened(pause)).collect();
        assert!(shortened.iter().all(|short| *short >= pause / 2 && *short <= pause), "{shortened:?}");
        assert!(shortened.iter().any(|short| *short != shortened[0]));
    }

    #[test]
    fn a_server_asks_for_a_pause_in_seconds_or_by_a_date() {
        let now = Some("Sun, 06 Nov 1994 08:49:37 GMT");
        let cases = [
            ("7", Some(7)),
            (" 0 ", Some(0)),
            ("Sun, 06 Nov 1994 08:50:37 GMT", Some(60)),
            ("Sun, 06 Nov 1994 08:48:37 GMT", Some(0)),
            ("soon", None),
            ("-5", None),
        ];
        for (asked, seconds) in cases {
            assert_eq!(retry_after(asked, now), seconds.map(Duration::from_secs), "{asked}");
        }
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:48:37 GMT", None), Some(Duration::ZERO));
    }
}
