//! What holds for every input of the parsers that read what strangers send. Each function panics
//! for an input for which it does not hold; the fuzzers look for one, and a test runs the corpus.

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

/// A target: its name, which is its corpus' too, and what holds.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: [Target; 5] = [
    ("body", body),
    ("cursor", cursor),
    ("invalidations", invalidations),
    ("session", session),
    ("viewer_request", viewer_request),
];

const KEY: &str = "a-signing-key-for-the-fuzzers-only";
const PREVIOUS: &str = "the-signing-key-that-was-there-before";

/// Both slots are filled.
fn keys() -> Keys {
    Keys::new(KEY.as_bytes(), Some(PREVIOUS.as_bytes())).expect("long keys")
}

/// The key before, as if it still were the only one.
fn previous_keys() -> Keys {
    Keys::new(PREVIOUS.as_bytes(), None).expect("a long key")
}

/// Keys of somebody else.
fn other_keys() -> Keys {
    Keys::new(&[7; 32], None).expect("a long key")
}

/// Runs what is asynchronous on this thread.
fn block_on<T>(work: impl Future<Output = T>) -> T {
    thread_local! {
        static RUNTIME: tokio::runtime::Runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
    }
    RUNTIME.with(|runtime| runtime.block_on(work))
}
