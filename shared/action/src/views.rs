//! What a developer writes to show something: a view.

use crate::{
    Access, ActionError, Caller, Context, FormState, Found, Input, Layout, Reads, TenantId, UserId,
};
use schemars::JsonSchema;
use serde::Serialize;

/// Something that a user looks at.
pub trait View: Send + Sync + 'static {
    /// The path, with names in braces for what varies: `/t/{tenant}/contacts/{id}`. A `{tenant}`
    /// must be the caller's.
    const PATH: &'static str;

    /// The function that serves it: one of its own, or one that it shares with other views.
    const FUNCTION: &'static str = "pages";

    /// The ending of the path, such as `.csv`, if the view is a file. Without it, the path is that of the page
    /// with the link to the file.
    const FILE_ENDING: &'static str = "";

    /// Who may see it.
    type Permission: Access;

    /// What [`View::show`] asks of the caller besides the role, in words for the documentation.
    const RULE: &'static str = "";

    /// Whether it finds texts ([`Query::holding`]) with the search index. If not, it reads all entities and
    /// finds the same.
    ///
    /// [`Query::holding`]: crate::Query::holding
    const SEARCHES: bool = false;

    /// The parameters in the path and the query.
    type Params: Input;

    /// What is shown; in JSON it is the `data` of the response.
    type Output: Serialize + JsonSchema + Send + Sync + 'static;

    /// A query that it is asked for with, such as `q=ada`; placeholders as in
    /// [`Sample::fields`](crate::Sample::fields).
    fn sample() -> &'static str {
        ""
    }

    /// What it needs to read.
    ///
    /// # Errors
    /// An [`ActionError`] if the parameters name nothing that can exist.
    fn reads(
        _context: &Context<Caller<Self::Permission>>,
        _params: &Self::Params,
    ) -> Result<Reads, ActionError> {
        Ok(Reads::none())
    }

    /// What to read besides, depending on what was read so far. It is called again after each of these
    /// round trips, until it returns nothing new. If the page may be cached, only records are read, because
    /// its tags must be known before its first read.
    fn more_reads(
        _context: &Context<Caller<Self::Permission>>,
        _params: &Self::Params,
        _found: &Found,
    ) -> Reads {
        Reads::none()
    }

    /// Makes the output from what was read.
    ///
    /// # Errors
    /// An [`ActionError`] if there is nothing to show.
    fn show(
        context: &Context<Caller<Self::Permission>>,
        params: &Self::Params,
        found: &Found,
    ) -> Result<Self::Output, ActionError>;

    /// The path to redirect to instead of showing a page.
    fn redirect(_output: &Self::Output) -> Option<String> {
        None
    }

    /// The file to respond with, instead of a page or JSON.
    fn download(_output: &Self::Output) -> Option<Download> {
        None
    }

    /// The page: a whole HTML document.
    fn page(page: &ViewPage<'_>, output: &Self::Output) -> String;

    /// What [`View::wrong_page`] needs to read.
    fn wrong_page_reads(_context: &Context<Caller<Self::Permission>>) -> Reads {
        Reads::none()
    }

    /// The page if parameters in the query are wrong, for a view whose parameters a user types: the form
    /// with what was typed, and the messages beside it. `None` for the error page of the product.
    fn wrong_page(
        _context: &Context<Caller<Self::Permission>>,
        _page: &ViewPage<'_>,
        _sent: &FormState,
        _found: &Found,
    ) -> Option<String> {
        None
    }
}

/// A file to download.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Download {
    /// Its name: visible ASCII without quotes.
    pub name: String,
    /// Its type, such as [`Download::CSV`].
    pub content_type: &'static str,
    /// Its content. The response of a function has at most 6 MB. A CSV file gets a byte order mark in front.
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
    /// The layout, if the caller is signed in.
    pub layout: Option<&'a Layout>,
    /// A fresh idempotency key for a form on a page that is not cached.
    pub key: String,
    /// The origin of the product, such as `https://crm.example.com`, for a link to copy. `None` if the page
    /// may be cached.
    pub origin: Option<&'a str>,
}

impl Download {
    /// The type of a CSV file.
    pub const CSV: &'static str = "text/csv; charset=utf-8";
}

/// Another organisation of a signed-in user, to which a page belongs that the user has asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherOrganization {
    /// The user.
    pub user: UserId,
    /// The organisation's slug.
    pub tenant: TenantId,
    /// The organisation's name.
    pub name: String,
    /// The path of the page, with its query.
    pub path: String,
    /// A fresh idempotency key for the form that switches to the organisation.
    pub key: String,
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
