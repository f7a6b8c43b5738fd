//! What a line of the registry is made of: a function, and what is generated from it.
//!
//! A [`Description`] is made by a function of its own, so that only the tools and the tests that
//! ask for it are built with it, and no Lambda binary is.

use action::{Access, Form, Role, Sample, View};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use std::marker::PhantomData;
use wrapper::{Function, ViewRoute};

/// One line of the registry.
#[derive(Clone, Copy)]
pub struct Entry {
    /// The function.
    pub function: Function,
    /// What is generated from it.
    pub describe: fn() -> Description,
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Entry").field(&self.function.name).finish()
    }
}

/// What a function is and does, for the template, the samples and the documents.
#[derive(Debug, Clone)]
pub enum Description {
    /// It runs an action.
    Action(ActionDescription),
    /// It serves views.
    Views(Vec<ViewDescription>),
    /// It works in the background, started by what is inserted under this key of the table.
    Stream(&'static str),
    /// It works in the background, started by a schedule.
    Schedule,
}

/// An action.
#[derive(Debug, Clone)]
pub struct ActionDescription {
    /// Its name.
    pub name: &'static str,
    /// The least role; `None` if nobody needs to be signed in.
    pub least: Option<Role>,
    /// What is asked of the caller besides.
    pub rule: &'static str,
    /// Input fields that are never shown again.
    pub secrets: &'static [&'static str],
    /// Whether it computes password hashes.
    pub hashes_password: bool,
    /// A request that it accepts.
    pub sample: Sample,
    /// The schema of its input.
    pub input: MakeSchema,
    /// The schema of the `data` of its answer.
    pub output: MakeSchema,
}

/// A view.
#[derive(Debug, Clone, Copy)]
pub struct ViewDescription {
    /// Its path.
    pub path: &'static str,
    /// The function that says it serves the view.
    pub function: &'static str,
    /// The least role; `None` if nobody needs to be signed in.
    pub least: Option<Role>,
    /// What is asked of the caller besides.
    pub rule: &'static str,
    /// How the path of a file ends; empty if it is a page.
    pub file_ending: &'static str,
    /// A query that it is asked for with.
    pub sample: &'static str,
    /// The schema of its parameters.
    pub parameters: MakeSchema,
    /// The schema of the `data` of its answer.
    pub output: MakeSchema,
}

/// The line of an action.
#[must_use]
pub const fn action<A: Form>() -> Entry {
    Entry {
        function: Function::action::<A>(),
        describe: || {
            Description::Action(ActionDescription {
                name: A::NAME,
                least: A::Permission::LEAST,
                rule: A::RULE,
                secrets: action::secret_fields::<A>(),
                hashes_password: A::HASHES_PASSWORD,
                sample: A::sample(),
                input: schema::<A::Input>,
                output: A::answer_schema,
            })
        },
    }
}

/// Makes the schema of a type with a generator, which keeps the definitions that it refers to.
pub type MakeSchema = fn(&mut SchemaGenerator) -> Schema;

fn schema<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    T::json_schema(generator)
}

/// The line of a view that has a function to itself.
#[must_use]
pub const fn view<V: View>() -> Entry {
    Entry {
        function: function_of::<V>(),
        describe: || Description::Views(vec![description_of::<V>()]),
    }
}

/// The line of several views that share a function.
#[must_use]
pub const fn group<G: Group>() -> Entry {
    Entry {
        function: G::FUNCTION,
        describe: || Description::Views(G::views()),
    }
}

/// The line of a function that works in the background.
#[must_use]
pub const fn background(function: Function, describe: fn() -> Description) -> Entry {
    Entry { function, describe }
}

/// Several views that share a function; made by [`views!`](crate::views).
pub trait Group {
    /// The function.
    const FUNCTION: Function;

    /// The views.
    fn views() -> Vec<ViewDescription>;
}

/// Makes a [`Group`] of views, and of the files that are served with them.
macro_rules! views {
    ($(#[$doc:meta])* $group:ident = $name:literal [$($view:ty),+ $(,)?] $(with $assets:path)?) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $group;

        impl $crate::registry::Group for $group {
            const FUNCTION: wrapper::Function = wrapper::Function::views_and_assets(
                $name,
                &[$(wrapper::view::<$view>()),+],
                views!(@assets $($assets)?),
            );

            fn views() -> Vec<$crate::registry::ViewDescription> {
                vec![$($crate::registry::description_of::<$view>()),+]
            }
        }
    };
    (@assets) => { || &[] };
    (@assets $assets:path) => { $assets };
}
pub(crate) use views;

/// The function of a view that has one to itself.
#[must_use]
pub const fn function_of<V: View>() -> Function {
    Function::views(V::FUNCTION, SingleRoute::<V>::ROUTES)
}

/// The only route of a function.
struct SingleRoute<V>(PhantomData<V>);

impl<V: View> SingleRoute<V> {
    const ROUTES: &'static [ViewRoute] = &[wrapper::view::<V>()];
}

pub(crate) fn description_of<V: View>() -> ViewDescription {
    ViewDescription {
        path: V::PATH,
        function: V::FUNCTION,
        least: V::Permission::LEAST,
        rule: V::RULE,
        file_ending: V::FILE_ENDING,
        sample: V::sample(),
        parameters: schema::<V::Params>,
        output: |generator| generator.subschema_for::<V::Output>(),
    }
}
