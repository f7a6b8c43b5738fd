//! One JavaScript context with the function loaded.

use crate::event::FunctionInput;
use crate::outcome::Returned;
use crate::{Event, FunctionError, Outcome, crypto};
use rquickjs::context::EvalOptions;
use rquickjs::promise::MaybePromise;
use rquickjs::{CatchResultExt, Context, Ctx, Function, Runtime, Value};
use std::cell::Cell;
use std::rc::Rc;

/// The memory limit of a function, in bytes.
///
/// Source: <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html>
const MEMORY: usize = 2 << 20;

/// The most interrupts per run. The engine interrupts every 10,000 steps, so this is about 50 ms. It
/// counts steps instead of time, so that a busy machine does not stop a function that only waited.
const MAX_INTERRUPTS: u32 = 100;

const RUNTIME: &str = include_str!("runtime.js");

/// The function in its JavaScript context, which belongs to one thread.
pub(crate) struct Engine {
    context: Context,
    /// The number of interrupts since the function was called.
    interrupts: Rc<Cell<u32>>,
}

impl Engine {
    /// Evaluates `source`, which must define the function `handler`.
    ///
    /// # Errors
    /// [`FunctionError::Load`] if the source cannot be evaluated, [`FunctionError::NoHandler`] if it
    /// defines no handler.
    pub(crate) fn load(source: &str) -> Result<Self, FunctionError> {
        let failed = |error: rquickjs::Error| FunctionError::Load(error.to_string());
        let runtime = Runtime::new().map_err(failed)?;
        runtime.set_memory_limit(MEMORY);
        let interrupts = Rc::new(Cell::new(0));
        let counted = Rc::clone(&interrupts);
        runtime.set_interrupt_handler(Some(Box::new(move || {
            counted.set(counted.get() + 1);
            counted.get() > MAX_INTERRUPTS
        })));
        let context = Context::full(&runtime).map_err(failed)?;
        context.with(|ctx| define(&ctx, source))?;
        Ok(Self {
            context,
            interrupts,
        })
    }

    /// Calls the function with the event.
    ///
    /// # Errors
    /// [`FunctionError::Thrown`], [`FunctionError::TimedOut`] or [`FunctionError::Returned`].
    pub(crate) fn call(&self, event: &Event<'_>) -> Result<Outcome, FunctionError> {
        self.interrupts.set(0);
        let input = event.function_input();
        let returned = self.context.with(|ctx| {
            let returned = invoke(&ctx, event, &input).catch(&ctx);
            let returned = returned.map_err(|error| FunctionError::Thrown(error.to_string()))?;
            let read = Returned::read(&returned).catch(&ctx);
            read.map_err(|error| FunctionError::Returned(error.to_string()))
        });
        if self.interrupts.get() > MAX_INTERRUPTS {
            return Err(FunctionError::TimedOut);
        }
        returned?.outcome(event, &input)
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
        // A script, not a module: its functions become global. It is in strict mode, as on CloudFront.
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

/// Calls the handler and, if it is asynchronous, waits for its result.
fn invoke<'js>(
    ctx: &Ctx<'js>,
    event: &Event<'_>,
    input: &FunctionInput<'_>,
) -> rquickjs::Result<Value<'js>> {
    let handler: Function<'_> = ctx.globals().get("handler")?;
    let returned: MaybePromise<'_> = handler.call((event.write(ctx, input)?,))?;
    returned.finish()
}
