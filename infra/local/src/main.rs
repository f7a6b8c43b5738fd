//! `cargo run`: starts the local stack and stops it at SIGTERM or Ctrl-C.

use clap::Parser;
use edge_crm_local::{DEMO_EMAIL, DEMO_PASSWORD, Options, Stack};
use std::io::{self, Write};
use std::pin::pin;
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;

/// glibc's allocator keeps the 19 MiB of a password hash in each thread's arena. It also mixes
/// allocations that live for minutes with short ones, so after half an hour of traffic most of its
/// memory was empty.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    let options = Options::parse();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .init();
    match run(&options).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _unwritable = writeln!(io::stderr(), "edge-crm: {error}");
            tracing::debug!(?error, "not started");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: &Options) -> Result<(), Box<dyn std::error::Error>> {
    let mut stop = pin!(stop_signal()?);
    let stack = tokio::select! {
        started = Stack::start(options) => started?,
        () = &mut stop => return Ok(()),
    };
    let _unwritable = announce(&stack, options.demo);
    stop.await;
    stack.stop().await;
    Ok(())
}

fn announce(stack: &Stack, demo: bool) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "Edge CRM is ready on {}", stack.url())?;
    if demo {
        writeln!(
            out,
            "Sign in as {DEMO_EMAIL} with the password {DEMO_PASSWORD}"
        )?;
    }
    out.flush()
}

/// Completes at the first SIGTERM or SIGINT.
#[cfg(unix)]
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Completes at the first Ctrl-C.
#[cfg(not(unix))]
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}
