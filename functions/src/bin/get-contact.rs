//! Serves `get-contact` on Lambda.

fn main() -> Result<(), wrapper::Error> {
    functions::serve_view::<functions::contacts::get::GetContact>()
}
