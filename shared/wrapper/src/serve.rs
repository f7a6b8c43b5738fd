//! Runs a function on Lambda.

use crate::app::ConfigError;
use crate::{App, Function, Runner, Site};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use lambda_runtime_api_client::body::Body;
use lambda_runtime_api_client::{PooledClient, build_request};
use serde_json::json;
use serde_json::value::RawValue;
use std::sync::Arc;
use std::time::Duration;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// How long a cold start waits for the first connection to the table.
const WARM_TIMEOUT: Duration = Duration::from_millis(500);

/// Serves events from the Lambda runtime API until the process ends. Logs are JSON, one object per
/// line. `RUST_LOG` sets their level: a level (`info` by default) or a list such as
/// `warn,store=debug`.
///
/// # Errors
/// If an environment variable that [`Config::from_env`](crate::Config::from_env) needs is missing, or
/// if the runtime API fails.
pub async fn serve(function: Function, site: Site) -> Result<(), Error> {
    log_as_json();
    let app = match App::from_env(site) {
        Ok(app) => app,
        Err(error) => {
            report_init_error(&error).await;
            return Err(error.into());
        }
    };
    warm(Arc::clone(&app), function.purges()).await;
    let server = &Runner::new(app, function);
    if function.is_background() {
        let work = |event: LambdaEvent<Box<RawValue>>| async move {
            let event = serde_json::from_str(event.payload.get())?;
            server.work(&event).await
        };
        return lambda_runtime::run(service_fn(work)).await;
    }
    lambda_runtime::run(service_fn(|event: LambdaEvent<Box<RawValue>>| async move {
        // Boxed, because the compiler limits how deep futures may be nested.
        let response = Box::pin(server.respond(event.payload.get().as_bytes()));
        response.await.map_err(Error::from)
    }))
    .await
}

fn log_as_json() {
    let levels = std::env::var("RUST_LOG").ok();
    let levels = levels.and_then(|levels| levels.parse::<Targets>().ok());
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .with_current_span(false);
    tracing_subscriber::registry()
        .with(lines)
        .with(levels.unwrap_or_else(|| Targets::new().with_default(LevelFilter::INFO)))
        .init();
}

/// Opens the connections that the first request needs, because Lambda gives a cold start more CPU than
/// a request. If that takes too long, it continues during the first request. If it fails, the request
/// opens the connection itself.
async fn warm(app: Arc<App>, purges: bool) {
    if purges {
        let app = Arc::clone(&app);
        tokio::spawn(async move { app.invalidations.warm().await });
    }
    let table = tokio::spawn(async move { app.store.warm().await });
    let _may_continue = tokio::time::timeout(WARM_TIMEOUT, table).await;
}

/// Tells Lambda why the function cannot start, so that Lambda shows the reason.
/// Source: [Initialization error](https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html#runtimes-api-initerror).
async fn report_init_error(error: &ConfigError) {
    if std::env::var_os("AWS_LAMBDA_RUNTIME_API").is_none() {
        return;
    }
    let body = json!({ "errorType": "Runtime.Config", "errorMessage": error.to_string() });
    let request = build_request()
        .method("POST")
        .uri("/2018-06-01/runtime/init/error")
        .header("content-type", "application/json")
        .header("lambda-runtime-function-error-type", "Runtime.Config")
        .body(Body::from(body.to_string()));
    if let Ok(request) = request {
        let _also_logged = PooledClient::builder().build().call(request).await;
    }
}
