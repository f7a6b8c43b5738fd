//! Serves `audit` on Lambda.

fn main() -> Result<(), wrapper::Error> {
    functions::serve_group::<functions::AuditViews>()
}
