//! One JavaScript context with the function loaded.

use crate::{FunctionError, crypto};
use rquickjs::context::EvalOptions;
use rquickjs::promise::MaybePromise;
use rquickjs::{CatchResultExt, Context, Ctx, Function, Runtime};
use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// What the runtime gives a function, in bytes.
///
/// Source: <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html>
const MEMORY: usize = 2 << 20;

/// How long the function may run. CloudFront allows less than a millisecond of computing, which
/// a busy machine cannot measure.
const PATIENCE: Duration = Duration::from_millis(50);

const RUNTIME: &str = include_str!("runtime.js");

/// The function in its context. Belongs to one thread.
pub(crate) struct Engine {
    context: Context,
    deadline: Rc<Cell<Instant>>,
}

impl Engine {
    /// The function that `source` defines.
    ///
    /// # Errors
    /// [`FunctionError::Load`] for a source that cannot be evaluated, [`FunctionError::NoHandler`]
    /// for one without a handler.
    pub(crate) fn load(source: &str) -> Result<Self, FunctionError> {
        let failed = |error: rquickjs::Error| FunctionError::Load(error.to_string());
        let runtime = Runtime::new().map_err(failed)?;
        runtime.set_memory_limit(MEMORY);
        let deadline = Rc::new(Cell::new(Instant::now() + PATIENCE));
        let until = Rc::clone(&deadline);
        runtime.set_interrupt_handler(Some(Box::new(move || Instant::now() > until.get())));
        let context = Context::full(&runtime).map_err(failed)?;
        context.with(|ctx| define(&ctx, source))?;
        Ok(Self { context, deadline })
    }

    /// What the function returns for the event; JSON in, JSON out.
    ///
    /// # Errors
    /// [`FunctionError::Thrown`] or [`FunctionError::TimedOut`].
    pub(crate) fn call(&self, event: &str) -> Result<String, FunctionError> {
        self.deadline.set(Instant::now() + PATIENCE);
        let returned = self.context.with(|ctx| {
            invoke(&ctx, event)
                .catch(&ctx)
                .map_err(|error| error.to_string())
        });
        returned.map_err(|error| {
            if Instant::now() > self.deadline.get() {
                FunctionError::TimedOut
            } else {
                FunctionError::Thrown(error)
            }
        })
    }
}

fn define(ctx: &Ctx<'_>, source: &str) -> Result<(), FunctionError> {
    let evaluate = || {
        let runtime: Function<'_> = ctx.eval(RUNTIME)?;
        let log = |text: String| tracing::debug!(target: "viewer_request", "{text}");
        runtime.call::<_, ()>((
            Function::new(ctx.clone(), crypto::digest)?,
            Function::new(ctx.clone(), log)?,
        ))?;
        // A script, not a module: its functions become global, and it is strict as on CloudFront.
        ctx.eval_with_options::<(), _>(source, EvalOptions::default())
    };
    evaluate()
        .catch(ctx)
        .map_err(|error| FunctionError::Load(error.to_string()))?;
    match ctx.globals().get::<_, Option<Function<'_>>>("handler") {
        Ok(Some(_)) => Ok(()),
        _ => Err(FunctionError::NoHandler),
    }
}

/// Calls the handler, which may be asynchronous.
fn invoke(ctx: &Ctx<'_>, event: &str) -> rquickjs::Result<String> {
    let handler: Function<'_> = ctx.globals().get("handler")?;
    let returned: MaybePromise<'_> = handler.call((ctx.json_parse(event)?,))?;
    let returned: rquickjs::Value<'_> = returned.finish()?;
    match ctx.json_stringify(returned)? {
        Some(json) => json.to_string(),
        None => Ok("null".to_owned()),
    }
}
