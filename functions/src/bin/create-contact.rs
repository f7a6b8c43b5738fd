//! Serves `create-contact` on Lambda.

fn main() -> Result<(), wrapper::Error> {
    functions::serve_action::<functions::contacts::create::CreateContact>()
}
