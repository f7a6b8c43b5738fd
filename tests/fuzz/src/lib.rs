//! Properties of the parsers that read untrusted input. Each function checks one input and panics if a
//! property fails. The fuzzers search for such an input, and a test runs the corpus.

mod body;
mod cursor;
mod invalidations;
mod session;
mod viewer_request;

pub use body::body;
pub use cursor::cursor;
pub use invalidations::invalidations;
pub use session::session;
pub use viewer_request::viewer_request;

use auth::Keys;

/// A fuzz target: the name of the target and of its corpus, and the function that checks an input.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub const TARGETS: [Target; 5] = [
    ("body", body),
    ("cursor", cursor),
    ("invalidations", invalidations),
    ("session", session),
    ("viewer_request", viewer_request),
];

const KEY: &str = "a-signing-key-for-the-fuzzers-only";
const PREVIOUS: &str = "the-signing-key-that-was-there-before";

/// Keys with a current and a previous key.
fn keys() -> Keys {
    Keys::new(KEY.as_bytes(), Some(PREVIOUS.as_bytes())).expect("long keys")
}

/// Keys in which the previous key is the current one, as before the rotation.
fn previous_keys() -> Keys {
    Keys::new(PREVIOUS.as_bytes(), None).expect("a long key")
}

/// Unrelated keys.
fn other_keys() -> Keys {
    Keys::new(&[7; 32], None).expect("a long key")
}

/// Runs asynchronous work on this thread.
fn block_on<T>(work: impl Future<Output = T>) -> T {
    thread_local! {
        static RUNTIME: tokio::runtime::Runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
    }
    RUNTIME.with(|runtime| runtime.block_on(work))
}
