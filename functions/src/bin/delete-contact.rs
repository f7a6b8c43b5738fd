//! Serves `delete-contact` on Lambda.

fn main() -> Result<(), wrapper::Error> {
    functions::serve_action::<functions::contacts::delete::DeleteContact>()
}
