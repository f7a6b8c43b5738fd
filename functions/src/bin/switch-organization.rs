//! Serves `switch-organization` on Lambda.

fn main() -> Result<(), wrapper::Error> {
    functions::serve_action::<functions::accounts::switch_organization::SwitchOrganization>()
}
