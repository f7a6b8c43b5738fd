//! Shows the settings of the signed-in user, with the forms that change them.

use action::{ActionError, Actor, Context, Empty, Found, Reads, View, ViewPage, Viewers};
use crm::AccountSettings;

/// The view.
#[derive(Debug)]
pub struct ShowSettings;

impl View for ShowSettings {
    const PATH: &'static str = "/t/{tenant}/settings";
    const FUNCTION: &'static str = "settings";
    type Permission = Viewers;
    type Params = Empty;
    type Output = AccountSettings;

    fn reads(context: &Context<Actor>, _: &Empty) -> Result<Reads, ActionError> {
        Ok(AccountSettings::reads(context, &Found::default()))
    }

    fn more_reads(context: &Context<Actor>, _: &Empty, found: &Found) -> Reads {
        AccountSettings::reads(context, found)
    }

    fn show(
        context: &Context<Actor>,
        _: &Empty,
        found: &Found,
    ) -> Result<AccountSettings, ActionError> {
        AccountSettings::from_found(context, found)
    }

    fn page(page: &ViewPage<'_>, settings: &AccountSettings) -> String {
        pages::settings(page.layout, Some(settings), &page.key, None)
    }
}
