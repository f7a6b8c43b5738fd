//! The lines of the registry: a function each, and the description from which files are generated.
//!
//! Each [`Description`] is made by a function of its own. Only the tools and the tests call it, so
//! no Lambda binary contains it.

use action::input::InputError;
use action::{Access, Form, Role, Sample, View};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use std::collections::BTreeMap;
use std::marker::PhantomData;
use wrapper::{Function, ViewRoute};

/// One line of the registry.
#[derive(Clone, Copy)]
pub struct Entry {
    /// The function.
    pub function: Function,
    /// Makes the description from which files are generated.
    pub describe: fn() -> Description,
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Entry").field(&self.function.name).finish()
    }
}

/// What a function does, for the template, the samples and the documents.
#[derive(Debug, Clone)]
pub enum Description {
    /// It serves an action.
    Action(ActionDescription),
    /// It serves views.
    Views(Vec<ViewDescription>),
    /// It works in the background, started by records that are inserted under this key.
    Stream(&'static str),
    /// It works in the background, started by a schedule.
    Schedule,
}

/// An action.
#[derive(Debug, Clone)]
pub struct ActionDescription {
    /// Its name.
    pub name: &'static str,
    /// The lowest role that is allowed; `None` if the user need not be signed in.
    pub least: Option<Role>,
    /// A further condition for the caller; empty if there is none.
    pub rule: &'static str,
    /// The secret fields of the input, which a form never shows again.
    pub secrets: &'static [&'static str],
    /// Whether it hashes passwords.
    pub hashes_password: bool,
    /// A valid request.
    pub sample: Sample,
    /// Reads an input from the fields of a request, for tests.
    pub read: fn(&BTreeMap<String, String>) -> Result<(), InputError>,
    /// The schema of its input.
    pub input: MakeSchema,
    /// The schema of the `data` in its response.
    pub output: MakeSchema,
}

/// A view.
#[derive(Debug, Clone, Copy)]
pub struct ViewDescription {
    /// Its path.
    pub path: &'static str,
    /// The name of the function that serves the view.
    pub function: &'static str,
    /// The lowest role that is allowed; `None` if the user need not be signed in.
    pub least: Option<Role>,
    /// A further condition for the caller; empty if there is none.
    pub rule: &'static str,
    /// The ending of the path if the view is a file, such as `.csv`; empty if it is a page.
    pub file_ending: &'static str,
    /// A sample query string.
    pub sample: &'static str,
    /// The schema of its parameters.
    pub parameters: MakeSchema,
    /// The schema of the `data` in its response.
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
                read: |fields| action::input::read::<A::Input>(fields).map(drop),
                input: schema::<A::Input>,
                output: A::answer_schema,
            })
        },
    }
}

/// Makes the schema of a type. The generator collects the definitions that the schema refers to.
pub type MakeSchema = fn(&mut SchemaGenerator) -> Schema;

fn schema<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    T::json_schema(generator)
}

/// The line of a view with a function of its own.
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

/// Several views that share a function; implemented by [`views!`](crate::views).
pub trait Group {
    /// The function.
    const FUNCTION: Function;

    /// The views.
    fn views() -> Vec<ViewDescription>;
}

/// Implements [`Group`] for these views and, with `with`, for the assets.
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

/// The function of a view that shares it with no other.
#[must_use]
pub const fn function_of<V: View>() -> Function {
    Function::views(V::FUNCTION, SingleRoute::<V>::ROUTES)
}

/// The route of a function that serves only this view.
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
