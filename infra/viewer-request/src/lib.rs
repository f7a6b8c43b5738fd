//! Runs the CloudFront function of `infra/edge` as CloudFront runs it at the event viewer-request. So
//! the caching edge of the local stack executes the file that is deployed.
//!
//! [`ViewerRequest`] is the function with its [`Settings`] filled in. [`ViewerRequest::run`] passes an
//! [`Event`] to it and returns its [`Outcome`].

mod crypto;
mod engine;
mod event;
mod fields;
mod outcome;
mod reserved;
mod settings;

pub use event::Event;
pub use outcome::{Outcome, Request, Response};
pub use settings::Settings;

use engine::Engine;
use std::cell::RefCell;
use std::fmt;
use std::sync::{Arc, Weak};

/// The text of this repository's function.
pub const SOURCE: &str = include_str!("../../edge/viewer-request.js");

/// Why the function cannot be loaded or failed. If it fails, CloudFront responds with a 503; for
/// [`FunctionError::Header`], with a 502.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FunctionError {
    /// The text cannot be a session key in the function.
    #[error(
        "expected one or two secrets of 96 or more letters and digits, with a dot between them, and the one in use"
    )]
    Secrets,
    /// The text cannot be the name of a cookie.
    #[error("the session cookie's name is not a token")]
    CookieName,
    /// The function is longer than CloudFront allows; its length in bytes.
    #[error("the function has {0} bytes, but CloudFront allows 10,240")]
    TooLarge(usize),
    /// The file cannot be evaluated; the engine's message.
    #[error("the function cannot be loaded: {0}")]
    Load(String),
    /// The file defines no function `handler`.
    #[error("the file defines no function `handler`")]
    NoHandler,
    /// The function threw or exceeded the memory limit; the engine's message.
    #[error("the function threw: {0}")]
    Thrown(String),
    /// The function ran for too long.
    #[error("the function ran for too long")]
    TimedOut,
    /// The function returned neither a valid request nor a valid response.
    #[error("the function returned neither a request nor a response: {0}")]
    Returned(String),
    /// The function set a header that CloudFront reserves.
    #[error("the function must not set the header {0:?}")]
    Header(String),
    /// The engine cannot be used on this thread: the thread is ending, or is already in the function.
    #[error("the function cannot run on this thread now")]
    Unavailable,
}

/// The function, ready to run on any thread. Its debug text shows no key.
///
/// An engine belongs to one thread, so each thread creates one at its first run. Global variables may
/// or may not survive until the next run.
#[derive(Clone)]
pub struct ViewerRequest {
    source: Arc<str>,
}

impl fmt::Debug for ViewerRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ViewerRequest")
    }
}

thread_local! {
    static ENGINES: RefCell<Vec<(Weak<str>, Engine)>> = const { RefCell::new(Vec::new()) };
}

impl ViewerRequest {
    /// The function of `source` with `settings` filled in, as a deployment does it.
    ///
    /// # Errors
    /// [`FunctionError`] if the settings are invalid, or if CloudFront would refuse the file: it is too
    /// large, not JavaScript, or has no handler.
    pub fn new(source: &str, settings: &Settings) -> Result<Self, FunctionError> {
        let source = settings.fill(source)?;
        Engine::load(&source)?;
        Ok(Self {
            source: source.into(),
        })
    }

    /// Runs the function on this thread until it ends.
    ///
    /// # Errors
    /// [`FunctionError`] if the function throws, exceeds the limit of time or memory, or returns neither
    /// a valid request nor a valid response.
    pub fn run(&self, event: &Event<'_>) -> Result<Outcome, FunctionError> {
        let run = |engines: &RefCell<Vec<(Weak<str>, Engine)>>| {
            let mut engines = engines
                .try_borrow_mut()
                .map_err(|_| FunctionError::Unavailable)?;
            let is_this = |(source, _): &(Weak<str>, Engine)| {
                std::ptr::addr_eq(source.as_ptr(), Arc::as_ptr(&self.source))
            };
            let at = match engines.iter().position(is_this) {
                Some(at) => at,
                None => {
                    engines.retain(|(source, _)| source.strong_count() > 0);
                    engines.push((Arc::downgrade(&self.source), Engine::load(&self.source)?));
                    engines.len() - 1
                }
            };
            let outcome = engines[at].1.call(event);
            if outcome.is_err() {
                // Drop the engine, so that the next request does not see the state that the failure left.
                engines.swap_remove(at);
            }
            outcome
        };
        ENGINES
            .try_with(run)
            .unwrap_or(Err(FunctionError::Unavailable))
    }
}
