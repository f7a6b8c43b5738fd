//! `verify-audit`: reports audit records that have been changed or removed.

use clap::Parser;
use edge_crm_local::{Report, VerifyOptions, verify_audit};
use std::io::{self, Write};
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    let options = VerifyOptions::parse();
    match verify_audit(&options).await {
        Ok(report) => {
            let _unwritable = print(&report);
            ExitCode::from(u8::from(!report.flaws.is_empty()))
        }
        Err(error) => {
            let _unwritable = writeln!(io::stderr(), "verify-audit: {error}");
            ExitCode::from(2)
        }
    }
}

fn print(report: &Report) -> io::Result<()> {
    let mut out = io::stdout().lock();
    for (subject, flaw) in &report.flaws {
        writeln!(out, "{subject}: {flaw}")?;
    }
    let Report {
        records,
        chained,
        chains,
        flaws,
    } = report;
    let found = match flaws.len() {
        0 => "every chain is intact".to_owned(),
        1 => "1 flaw".to_owned(),
        more => format!("{more} flaws"),
    };
    writeln!(
        out,
        "Checked {records} audit records, of which {chained} form the chains of {chains} things: {found}"
    )
}
