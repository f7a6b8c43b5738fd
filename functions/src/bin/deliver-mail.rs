//! Serves `deliver-mail` on Lambda.

fn main() -> Result<(), wrapper::Error> {
    functions::serve(functions::background::DELIVER_MAIL)
}
