//! The CloudFront function of `infra/edge`, run as CloudFront runs it at the event
//! viewer-request, so that the caching edge of the local stack executes the very file that is
//! deployed.
//!
//! [`ViewerRequest`] holds the function with its [`Settings`] filled in; [`ViewerRequest::run`]
//! passes it an [`Event`] and gives its [`Outcome`].

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

/// The function of this repository.
pub const SOURCE: &str = include_str!("../../edge/viewer-request.js");

/// Why there is no function, or no outcome. CloudFront answers a request whose function fails
/// with a 503, and with a 502 where it is [`FunctionError::Header`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FunctionError {
    /// A session key that the function cannot hold.
    #[error("a session key is 32 or more visible ASCII characters without quotes and backslashes")]
    Key,
    /// A cookie's name that no cookie can have.
    #[error("the session cookie's name is no token")]
    CookieName,
    /// The function is longer than CloudFront takes, in bytes.
    #[error("the function has {0} bytes, and CloudFront takes 10,240")]
    TooLarge(usize),
    /// The file cannot be evaluated; what the engine says.
    #[error("the function cannot be loaded: {0}")]
    Load(String),
    /// The file defines no function `handler`.
    #[error("the file defines no function `handler`")]
    NoHandler,
    /// The function threw, or used more memory than it may; what the engine says.
    #[error("the function threw: {0}")]
    Thrown(String),
    /// The function ran for too long.
    #[error("the function ran for too long")]
    TimedOut,
    /// What the function returned is neither a request nor a response.
    #[error("the function returned neither a request nor a response: {0}")]
    Returned(String),
    /// The function set a header that CloudFront keeps to itself.
    #[error("the function must not set the header {0:?}")]
    Header(String),
    /// The engine cannot be used on this thread, because it is ending or already in the function.
    #[error("the function cannot run on this thread now")]
    Unavailable,
}

/// The function, ready to run on any thread. Prints no key.
///
/// The engine belongs to one thread, so each thread that runs the function gets its own at its
/// first run. What a function leaves in global variables may or may not be there at its next run.
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
    /// The function of `source` with `settings` filled in, as deployment does it.
    ///
    /// # Errors
    /// [`FunctionError`] for settings that cannot stand in the file, and for a file that
    /// CloudFront would not take: too large, not JavaScript, without a handler.
    pub fn new(source: &str, settings: &Settings) -> Result<Self, FunctionError> {
        let source = settings.fill(source)?;
        Engine::load(&source)?;
        Ok(Self {
            source: source.into(),
        })
    }

    /// Runs the function, on this thread and to its end.
    ///
    /// # Errors
    /// [`FunctionError`] where the function throws, takes more time or memory than it may, or
    /// returns what is no request and no response.
    pub fn run(&self, event: &Event<'_>) -> Result<Outcome, FunctionError> {
        let within = |engines: &RefCell<Vec<(Weak<str>, Engine)>>| {
            let mut engines = engines
                .try_borrow_mut()
                .map_err(|_| FunctionError::Unavailable)?;
            let mine = |(source, _): &(Weak<str>, Engine)| {
                std::ptr::addr_eq(source.as_ptr(), Arc::as_ptr(&self.source))
            };
            let at = match engines.iter().position(mine) {
                Some(at) => at,
                None => {
                    engines.retain(|(source, _)| source.strong_count() > 0);
                    engines.push((Arc::downgrade(&self.source), Engine::load(&self.source)?));
                    engines.len() - 1
                }
            };
            let outcome = engines[at].1.call(event);
            if outcome.is_err() {
                // Whatever state the failure left behind is not the next request's.
                engines.swap_remove(at);
            }
            outcome
        };
        ENGINES
            .try_with(within)
            .unwrap_or(Err(FunctionError::Unavailable))
    }
}
