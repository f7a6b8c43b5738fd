//! What a developer writes to show something: a view.

use crate::{Access, ActionError, Caller, Context, Found, Input, Layout, Reads};
use schemars::JsonSchema;
use serde::Serialize;

/// Something that a user looks at.
pub trait View: Send + Sync + 'static {
    /// The path, with names in braces for what varies: `/t/{tenant}/contacts/{id}`. A `{tenant}`
    /// must be the caller's.
    const PATH: &'static str;

    /// The function that serves it: one of its own, or one that it shares with other views.
    const FUNCTION: &'static str = "pages";

    /// How the path of a file ends; what comes before is the path of the page that it belongs to.
    const FILE_ENDING: &'static str = "";

    /// Who may look.
    type Permission: Access;

    /// What [`View::show`] asks of the caller besides the role, in words for the documentation.
    const RULE: &'static str = "";

    /// Whether it uses the search index where it reads for a text ([`Query::holding`]). Without, it
    /// reads everything, and finds the same.
    ///
    /// [`Query::holding`]: crate::Query::holding
    const SEARCHES: bool = false;

    /// The names in the path and the query, parsed.
    type Params: Input;

    /// What is shown: the answer's `data` in JSON.
    type Output: Serialize + JsonSchema + Send + Sync + 'static;

    /// A query that it is asked for with, such as `q=ada`; placeholders as in
    /// [`Sample::fields`](crate::Sample::fields).
    fn sample() -> &'static str {
        ""
    }

    /// What it needs to read.
    ///
    /// # Errors
    /// An [`ActionError`] where the parameters ask for nothing that exists.
    fn reads(
        _context: &Context<Caller<Self::Permission>>,
        _params: &Self::Params,
    ) -> Result<Reads, ActionError> {
        Ok(Reads::none())
    }

    /// What it needs to read that only earlier reads can name; each time a further round trip,
    /// until it names nothing new. For a page that the edge keeps only records are read, which
    /// carry no tag: its tags are known before its first read.
    fn more_reads(
        _context: &Context<Caller<Self::Permission>>,
        _params: &Self::Params,
        _found: &Found,
    ) -> Reads {
        Reads::none()
    }

    /// Makes what is shown of what was read.
    ///
    /// # Errors
    /// An [`ActionError`] where there is nothing to show.
    fn show(
        context: &Context<Caller<Self::Permission>>,
        params: &Self::Params,
        found: &Found,
    ) -> Result<Self::Output, ActionError>;

    /// Where to look instead, if not here: a path.
    fn redirect(_output: &Self::Output) -> Option<String> {
        None
    }

    /// A file that is answered in place of a page and of JSON.
    fn download(_output: &Self::Output) -> Option<Download> {
        None
    }

    /// The page: a whole HTML document.
    fn page(page: &ViewPage<'_>, output: &Self::Output) -> String;
}

/// A file to keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Download {
    /// Its name: visible ASCII without quotes.
    pub name: String,
    /// Its type, such as `text/csv; charset=utf-8`.
    pub content_type: &'static str,
    /// Its content. An answer of a function holds at most 6 MB.
    pub text: String,
    /// How many records are in it, for the header `X-Record-Count`.
    pub records: usize,
    /// The path of the file that continues it, for the header `Link`
    /// ([RFC 8288](https://www.rfc-editor.org/rfc/rfc8288)).
    pub next: Option<String>,
}

/// What a page is shown with.
#[derive(Debug)]
pub struct ViewPage<'a> {
    /// Where the caller is signed in.
    pub layout: Option<&'a Layout>,
    /// A fresh idempotency key for a form on a page that is not cached.
    pub key: String,
    /// Where the product is, such as `https://crm.example.com`, for a link to copy; not known on
    /// a page that the edge keeps.
    pub origin: Option<&'a str>,
}

/// A file served under a path that names its content.
#[derive(Debug, Clone, Copy)]
pub struct Asset {
    /// The path, with a hash of the content in it.
    pub path: &'static str,
    /// The content type.
    pub content_type: &'static str,
    /// The content.
    pub bytes: &'static [u8],
}
