//! Serves `list-contacts` on Lambda.

fn main() -> Result<(), wrapper::Error> {
    functions::serve_view::<functions::contacts::list::ListContacts>()
}
