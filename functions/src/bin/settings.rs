//! Serves `settings` on Lambda.

fn main() -> Result<(), wrapper::Error> {
    functions::serve_view::<functions::accounts::settings::ShowSettings>()
}
