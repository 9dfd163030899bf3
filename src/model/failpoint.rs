//! Failpoints: places where a test can kill the process, one at every stage boundary.

/// Aborts the process when the environment variable `SAYSO_FAILPOINT` names this place.
/// Compiled to nothing without the feature `failpoints`.
#[inline]
pub fn reach(_place: &str) {
    #[cfg(feature = "failpoints")]
    if std::env::var_os("SAYSO_FAILPOINT").is_some_and(|wanted| wanted == _place) {
        // Like `kill -9`: no destructor runs and nothing is flushed.
        std::process::abort();
    }
}
