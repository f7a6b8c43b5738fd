//! Serves `update-contact` on Lambda.

fn main() -> Result<(), wrapper::Error> {
    functions::serve_action::<functions::contacts::update::UpdateContact>()
}
