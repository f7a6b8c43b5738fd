//! A function on Lambda.

use crate::event::Event;
use crate::{App, Function, ProblemPage};
use lambda_http::lambda_runtime::{self, LambdaEvent};
use lambda_http::{Error, service_fn};
use serde_json::Value;
use std::sync::Arc;

/// Serves events from the Lambda runtime API until the process ends. Logs are JSON, one object a
/// line; their level is set by `RUST_LOG` (`info` by default).
///
/// # Errors
/// Where the environment lacks what [`Config::from_env`](crate::Config::from_env) needs, or the
/// runtime API goes away.
pub async fn serve(
    build: impl FnOnce(Arc<App>) -> Function,
    problem: ProblemPage,
) -> Result<(), Error> {
    let filter =
        tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "info".into());
    tracing_subscriber::fmt()
        .json()
        .with_env_filter(filter)
        .with_current_span(false)
        .init();
    let function = &build(App::from_env(problem)?);
    if function.takes_no_requests() {
        let work = |event: LambdaEvent<Value>| async move {
            Ok::<_, Error>(function.work(&event.payload).await?)
        };
        return lambda_runtime::run(service_fn(work)).await;
    }
    lambda_runtime::run(service_fn(|event: LambdaEvent<Event>| async move {
        Ok::<_, Error>(function.handle(event.payload).await)
    }))
    .await
}
