//! The functions that run in this process: the same ones that `template.yaml` deploys.

use action::{App, Function};
use std::sync::Arc;

/// Every function, each serving its action or view with `app`. A test compares their names with
/// the template's.
#[must_use]
pub fn functions(app: &Arc<App>) -> Vec<Function> {
    vec![
        archive_project::function(Arc::clone(app)),
        create_project::function(Arc::clone(app)),
        list_projects::function(Arc::clone(app)),
        rename_project::function(Arc::clone(app)),
        restore_contact::function(Arc::clone(app)),
        restore_project::function(Arc::clone(app)),
        audit::function(Arc::clone(app)),
        change_password::function(Arc::clone(app)),
        create_contact::function(Arc::clone(app)),
        delete_contact::function(Arc::clone(app)),
        end_session::function(Arc::clone(app)),
        accept_invite::function(Arc::clone(app)),
        change_role::function(Arc::clone(app)),
        deliver_mail::function(Arc::clone(app)),
        get_contact::function(Arc::clone(app)),
        index_search::function(Arc::clone(app)),
        invite_member::function(Arc::clone(app)),
        list_members::function(Arc::clone(app)),
        list_contacts::function(Arc::clone(app)),
        request_password_reset::function(Arc::clone(app)),
        reset_password::function(Arc::clone(app)),
        remove_member::function(Arc::clone(app)),
        revalidate::function(Arc::clone(app)),
        settings::function(Arc::clone(app)),
        sign_in::function(Arc::clone(app)),
        sign_out::function(Arc::clone(app)),
        sign_out_everywhere::function(Arc::clone(app)),
        sign_up::function(Arc::clone(app)),
        site::function(Arc::clone(app)),
        switch_organization::function(Arc::clone(app)),
        update_contact::function(Arc::clone(app)),
        update_profile::function(Arc::clone(app)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{TEMPLATE, Template, stack};
    use edge::{CloudFront, Invalidations, Keys};
    use std::collections::BTreeSet;
    use store::{Settings, Store};

    #[tokio::test]
    async fn what_runs_here_is_what_is_deployed() {
        let store = Store::connect(Settings::local("http://127.0.0.1:1", "edge-crm"));
        let keys = Keys::new(&[7; 32], None).unwrap();
        let app = App::new(
            store,
            Invalidations::connect(CloudFront::local("http://127.0.0.1:1")),
            stack::config(3000, keys, stack::Limits::NONE),
            pages::problem,
        );
        let local: BTreeSet<_> = functions(&app)
            .iter()
            .map(|function| function.name.to_owned())
            .collect();
        let deployed: BTreeSet<_> = Template::parse(TEMPLATE)
            .unwrap()
            .functions
            .into_iter()
            .collect();
        assert_eq!(local, deployed);
        assert_eq!(functions(&app).len(), local.len(), "a name is there twice");
    }
}
