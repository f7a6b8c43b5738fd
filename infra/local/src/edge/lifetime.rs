//! How long a response is cached.
//!
//! CloudFront does not follow RFC 9111 here: a policy clamps the origin's `max-age`, errors have
//! their own minimum, and an expired entry may be served while the origin fails. A library for
//! RFC 9111 would decide each of these differently, so only the parsing of dates uses a library.
//!
//! Sources: <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/Expiration.html>,
//! <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/HTTPStatusCodes.html>

use super::policy::Ttl;
use hyper::StatusCode;
use hyper::header::{CACHE_CONTROL, EXPIRES, HeaderMap};
use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

/// How long an error is cached if the distribution does not configure it.
const ERROR_DEFAULT: Duration = Duration::from_secs(10);

/// How long an expired entry may replace a failing origin's response if the origin set no limit. On
/// CloudFront, that is until the entry is evicted.
const UNLIMITED: Duration = Duration::from_secs(10 * 365 * 86_400);

/// How long a response may be served.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Lifetime {
    /// Without asking the origin.
    pub(crate) fresh: Duration,
    /// After that, as long as the origin fails.
    pub(crate) stale: Duration,
}

/// The directives of a response's `Cache-Control`.
#[derive(Debug, Default, PartialEq)]
struct CacheControl {
    /// `no-store`, `no-cache` or `private`.
    forbidden: bool,
    max_age: Option<Duration>,
    s_maxage: Option<Duration>,
    stale_if_error: Option<Duration>,
}

impl CacheControl {
    fn of(headers: &HeaderMap) -> Self {
        let mut control = Self::default();
        let lines = headers.get_all(CACHE_CONTROL).into_iter();
        let directives = lines.filter_map(|line| line.to_str().ok());
        for directive in directives.flat_map(|line| line.split(',')) {
            let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
            let name = name.trim().to_ascii_lowercase();
            match name.as_str() {
                "no-store" | "no-cache" | "private" => control.forbidden = true,
                "max-age" => control.max_age = control.max_age.or(seconds(value)),
                "s-maxage" => control.s_maxage = control.s_maxage.or(seconds(value)),
                "stale-if-error" => {
                    control.stale_if_error = control.stale_if_error.or(seconds(value));
                }
                _ => {}
            }
        }
        control
    }

    fn age(&self) -> Option<Duration> {
        self.s_maxage.or(self.max_age)
    }
}

/// The seconds of a directive, quoted or not; `None` if it is not a number.
fn seconds(value: &str) -> Option<Duration> {
    let digits = value.trim().trim_matches('"');
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    // RFC 9111, section 1.2.2: a number that is too large counts as 2^31.
    Some(Duration::from_secs(digits.parse().unwrap_or(1 << 31)))
}

/// How long a response to GET is cached; `None` if it is not.
pub(crate) fn of(
    status: StatusCode,
    headers: &HeaderMap,
    ttl: &Ttl,
    errors: &BTreeMap<u16, Duration>,
) -> Option<Lifetime> {
    let control = CacheControl::of(headers);
    let lifetime = if status.is_client_error() || status.is_server_error() {
        let fresh = error(status, &control, ttl, errors)?;
        Lifetime {
            fresh,
            stale: Duration::ZERO,
        }
    } else {
        Lifetime {
            fresh: success(&control, headers, ttl)?,
            stale: control.stale_if_error.unwrap_or(UNLIMITED),
        }
    };
    (lifetime.fresh + lifetime.stale > Duration::ZERO).then_some(lifetime)
}

fn success(control: &CacheControl, headers: &HeaderMap, ttl: &Ttl) -> Option<Duration> {
    if ttl.is_zero() || (control.forbidden && ttl.min.is_zero()) {
        return None;
    }
    if control.forbidden {
        return Some(ttl.min);
    }
    Some(match control.age().or_else(|| expires(headers)) {
        Some(age) => age.min(ttl.max).max(ttl.min),
        None => ttl.default.max(ttl.min),
    })
}

/// The time until `Expires`. An invalid date is in the past (RFC 9111, section 5.3).
fn expires(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(EXPIRES)?.to_str().unwrap_or_default();
    let at = httpdate::parse_http_date(text).unwrap_or(SystemTime::UNIX_EPOCH);
    Some(at.duration_since(SystemTime::now()).unwrap_or_default())
}

/// How long an error is cached: the longer of the configured minimum and the origin's own time.
/// `None` for a status that is never cached. `no-store` does not change the minimum.
fn error(
    status: StatusCode,
    control: &CacheControl,
    ttl: &Ttl,
    errors: &BTreeMap<u16, Duration>,
) -> Option<Duration> {
    let age = control.age().filter(|_| !control.forbidden);
    match status.as_u16() {
        404 | 405 | 414 | 500..=504 => {}
        400 | 403 | 412 | 415 if age.is_some() => {}
        _ => return None,
    }
    let age = age.map(|age| age.min(ttl.max)).unwrap_or_default();
    Some(age.max(minimum(status, errors)))
}

/// The minimum time that an error of this status is cached.
pub(crate) fn minimum(status: StatusCode, errors: &BTreeMap<u16, Duration>) -> Duration {
    let configured = errors.get(&status.as_u16());
    configured.copied().unwrap_or(ERROR_DEFAULT)
}

/// Whether some error is cached although no policy asks for it.
pub(crate) fn keeps_errors(errors: &BTreeMap<u16, Duration>) -> bool {
    let cached = [404, 405, 414, 500, 501, 502, 503, 504].map(StatusCode::from_u16);
    let mut cached = cached.into_iter().flatten();
    cached.any(|status| !minimum(status, errors).is_zero())
}

#[cfg(test)]
mod tests {
    use super::*;

    const VIEWS: Ttl = Ttl {
        min: Duration::ZERO,
        default: Duration::ZERO,
        max: Duration::from_secs(300),
    };
    const ASSETS: Ttl = Ttl {
        min: Duration::from_secs(1),
        default: Duration::from_secs(86_400),
        max: Duration::from_secs(31_536_000),
    };
    const DISABLED: Ttl = Ttl {
        min: Duration::ZERO,
        default: Duration::ZERO,
        max: Duration::ZERO,
    };

    fn cached(status: u16, cache_control: &str, ttl: &Ttl) -> Option<(u64, bool)> {
        let mut headers = HeaderMap::new();
        if !cache_control.is_empty() {
            headers.insert(CACHE_CONTROL, cache_control.parse().unwrap());
        }
        let status = StatusCode::from_u16(status).unwrap();
        let lifetime = of(status, &headers, ttl, &BTreeMap::new())?;
        Some((lifetime.fresh.as_secs(), !lifetime.stale.is_zero()))
    }

    #[test]
    fn s_maxage_wins_over_max_age_and_the_policy_clamps_it() {
        let product = "max-age=0, must-revalidate, s-maxage=300, stale-if-error=0";
        for (control, fresh) in [
            (product, (300, false)),
            ("max-age=10", (10, true)),
            ("s-maxage=20, max-age=10", (20, true)),
            ("S-MaxAge=\"20\"", (20, true)),
            ("max-age=9999", (300, true)),
            ("max-age=99999999999999999999", (300, true)),
            ("max-age=0", (0, true)),
            ("", (0, true)),
            ("max-age=junk", (0, true)),
            ("public, stale-if-error=5", (0, true)),
        ] {
            assert_eq!(cached(200, control, &VIEWS), Some(fresh), "{control}");
        }
        assert_eq!(cached(200, "max-age=0, stale-if-error=0", &VIEWS), None);
        assert_eq!(cached(200, "max-age=0", &ASSETS), Some((1, true)));
        assert_eq!(cached(200, "", &ASSETS), Some((86_400, true)));
    }

    #[test]
    fn no_store_is_obeyed_unless_the_policy_has_a_minimum() {
        for control in [
            "no-store",
            "private, no-store",
            "no-cache",
            "Private, s-maxage=300",
            "private=\"set-cookie\"",
        ] {
            assert_eq!(cached(200, control, &VIEWS), None, "{control}");
            assert_eq!(cached(200, control, &ASSETS), Some((1, true)), "{control}");
        }
        assert_eq!(cached(200, "max-age=300", &DISABLED), None);
        assert_eq!(cached(200, "", &DISABLED), None);
    }

    #[test]
    fn expires_counts_if_there_is_no_max_age() {
        let fresh = |expires: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(EXPIRES, expires.parse().unwrap());
            of(StatusCode::OK, &headers, &VIEWS, &BTreeMap::new()).map(|l| l.fresh.as_secs())
        };
        assert_eq!(fresh("0"), Some(0));
        assert_eq!(fresh("Thu, 01 Jan 1970 00:00:00 GMT"), Some(0));
        let later = SystemTime::now() + Duration::from_secs(100);
        let later = fresh(&httpdate::fmt_http_date(later)).unwrap();
        assert!((97..=100).contains(&later), "{later}");
        assert_eq!(fresh("Fri, 01 Jan 2100 00:00:00 GMT"), Some(300));
    }

    #[test]
    fn errors_are_cached_for_ten_seconds_despite_no_store() {
        for status in [404, 405, 414, 500, 501, 502, 503, 504] {
            for ttl in [&VIEWS, &DISABLED] {
                assert_eq!(cached(status, "private, no-store", ttl), Some((10, false)));
                assert_eq!(cached(status, "", ttl), Some((10, false)));
            }
            assert_eq!(cached(status, "max-age=60", &VIEWS), Some((60, false)));
            assert_eq!(cached(status, "max-age=5", &VIEWS), Some((10, false)));
        }
        for status in [400, 403, 412, 415] {
            assert_eq!(cached(status, "no-store", &VIEWS), None, "{status}");
            assert_eq!(cached(status, "", &VIEWS), None, "{status}");
            assert_eq!(cached(status, "max-age=60", &VIEWS), Some((60, false)));
        }
        for status in [401, 402, 409, 410, 422, 429, 505] {
            assert_eq!(cached(status, "max-age=60", &VIEWS), None, "{status}");
        }
    }

    #[test]
    fn an_error_with_a_minimum_of_zero_is_not_cached() {
        let errors = BTreeMap::from([(404, Duration::ZERO)]);
        let cached = |headers: &HeaderMap| of(StatusCode::NOT_FOUND, headers, &VIEWS, &errors);
        assert_eq!(cached(&HeaderMap::new()), None);
        let headers = HeaderMap::from_iter([(CACHE_CONTROL, "max-age=5".parse().unwrap())]);
        assert_eq!(cached(&headers).unwrap().fresh.as_secs(), 5);
    }
}
