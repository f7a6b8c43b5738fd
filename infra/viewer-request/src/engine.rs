//! One JavaScript context with the function loaded.

use crate::event::Given;
use crate::outcome::Returned;
use crate::{Event, FunctionError, Outcome, crypto};
use rquickjs::context::EvalOptions;
use rquickjs::promise::MaybePromise;
use rquickjs::{CatchResultExt, Context, Ctx, Function, Runtime, Value};
use std::cell::Cell;
use std::rc::Rc;

/// What the runtime gives a function, in bytes.
///
/// Source: <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html>
const MEMORY: usize = 2 << 20;

/// How often the engine may look up from the function: it does so each 10,000 steps, so this is
/// some 50 ms. Steps are counted and not time, or a busy machine would stop functions that did
/// nothing but wait for their turn.
const MOST_LOOKS: u32 = 100;

const RUNTIME: &str = include_str!("runtime.js");

/// The function in its context. Belongs to one thread.
pub(crate) struct Engine {
    context: Context,
    /// How often the engine has looked up since the function was called.
    looks: Rc<Cell<u32>>,
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
        let looks = Rc::new(Cell::new(0));
        let counted = Rc::clone(&looks);
        runtime.set_interrupt_handler(Some(Box::new(move || {
            counted.set(counted.get() + 1);
            counted.get() > MOST_LOOKS
        })));
        let context = Context::full(&runtime).map_err(failed)?;
        context.with(|ctx| define(&ctx, source))?;
        Ok(Self { context, looks })
    }

    /// What the function decides on the event.
    ///
    /// # Errors
    /// [`FunctionError::Thrown`], [`FunctionError::TimedOut`] or [`FunctionError::Returned`].
    pub(crate) fn call(&self, event: &Event<'_>) -> Result<Outcome, FunctionError> {
        self.looks.set(0);
        let given = event.given();
        let returned = self.context.with(|ctx| {
            let returned = invoke(&ctx, event, &given).catch(&ctx);
            let returned = returned.map_err(|error| FunctionError::Thrown(error.to_string()))?;
            let read = Returned::read(&returned).catch(&ctx);
            read.map_err(|error| FunctionError::Returned(error.to_string()))
        });
        if self.looks.get() > MOST_LOOKS {
            return Err(FunctionError::TimedOut);
        }
        returned?.outcome(event, &given)
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
fn invoke<'js>(
    ctx: &Ctx<'js>,
    event: &Event<'_>,
    given: &Given<'_>,
) -> rquickjs::Result<Value<'js>> {
    let handler: Function<'_> = ctx.globals().get("handler")?;
    let returned: MaybePromise<'_> = handler.call((event.write(ctx, given)?,))?;
    returned.finish()
}
