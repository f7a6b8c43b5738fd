//! Serves `sign-out-everywhere` on Lambda.

fn main() -> Result<(), wrapper::Error> {
    functions::serve_action::<functions::accounts::sign_out_everywhere::SignOutEverywhere>()
}
