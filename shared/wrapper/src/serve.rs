//! A function on Lambda.

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

/// How long a start waits for the first connection to the table.
const PATIENCE: Duration = Duration::from_millis(500);

/// Serves events from the Lambda runtime API until the process ends. Logs are JSON, one object a
/// line; their level is set by `RUST_LOG` (`info` by default), a level or a list such as
/// `warn,store=debug`.
///
/// # Errors
/// If the environment lacks what [`Config::from_env`](crate::Config::from_env) needs, or the
/// runtime API goes away.
pub async fn serve(function: Function, site: Site) -> Result<(), Error> {
    log_as_json();
    let app = match App::from_env(site) {
        Ok(app) => app,
        Err(error) => {
            report(&error).await;
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
        let response = server.answer(event.payload.get().as_bytes()).await;
        response.map_err(Error::from)
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

/// Makes the connections that the first request needs, while Lambda gives a start more of a
/// processor than a request. What takes longer goes on beside the first request; what fails is
/// tried again when it is needed.
async fn warm(app: Arc<App>, purges: bool) {
    if purges {
        let app = Arc::clone(&app);
        tokio::spawn(async move { app.invalidations.warm().await });
    }
    let table = tokio::spawn(async move { app.store.warm().await });
    let _late_or_not = tokio::time::timeout(PATIENCE, table).await;
}

/// Tells Lambda why the function cannot start, which then tells whoever looks at it.
/// Source: [Initialization error](https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html#runtimes-api-initerror).
async fn report(error: &ConfigError) {
    if std::env::var_os("AWS_LAMBDA_RUNTIME_API").is_none() {
        return;
    }
    let told = json!({ "errorType": "Runtime.Config", "errorMessage": error.to_string() });
    let request = build_request()
        .method("POST")
        .uri("/2018-06-01/runtime/init/error")
        .header("content-type", "application/json")
        .header("lambda-runtime-function-error-type", "Runtime.Config")
        .body(Body::from(told.to_string()));
    if let Ok(request) = request {
        let _it_is_logged_too = PooledClient::builder().build().call(request).await;
    }
}
