//! Shows the settings of the signed-in user, with the forms that change them.

use action::{ActionError, Actor, Context, Empty, FormPage, Found, Reads, View, ViewPage, Viewers};
use crm::AccountSettings;
use pages::SettingsForm;

/// The settings page after one of its forms was refused.
pub(crate) fn form(page: &FormPage<'_>, sent: SettingsForm) -> String {
    let settings = page
        .context
        .map(|context| AccountSettings::from_found(context, page.found));
    let settings = settings.and_then(Result::ok);
    pages::settings(
        page.layout,
        settings.as_ref(),
        &page.key,
        Some((sent, page.state)),
    )
}

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
