//! `cargo xtask new-action`: writes what adding an action, or a view, takes.

mod insert;

use crate::{Failure, read, write};
use std::path::Path;

const REGISTRY: &str = "functions/src/lib.rs";
const USAGE: &str = "usage: cargo xtask new-action NAME --resource RESOURCE [--view]";

/// What a skeleton needs to know of a resource.
struct Resource {
    name: &'static str,
    /// One of its records: the type, and the name of a value.
    record: &'static str,
    value: &'static str,
    /// How a view shows one, given `layout` and the value.
    page: &'static str,
}

/// The resources whose records are named by an input type of their own.
const RESOURCES: [Resource; 2] = [
    Resource {
        name: "contacts",
        record: "Contact",
        value: "contact",
        page: "pages::contact_detail(layout, contact, &[])",
    },
    Resource {
        name: "projects",
        record: "Project",
        value: "project",
        page: "pages::project_list(
                    layout,
                    &pages::ProjectList {
                        projects: std::slice::from_ref(project),
                        next: None,
                        archived: true,
                        first_page: true,
                    },
                )",
    },
];

/// What is to be written.
struct Order<'a> {
    name: &'a str,
    resource: &'static Resource,
    is_view: bool,
}

/// Writes the action, and returns what to tell.
///
/// # Errors
/// [`Failure::Usage`] if the name or the resource is of no use, [`Failure`] otherwise.
pub fn run(root: &Path, arguments: &[&str]) -> Result<String, Failure> {
    let order = parse(arguments)?;
    let module_path = format!(
        "functions/src/{}/{}.rs",
        order.resource.name,
        order.module()
    );
    let binary_path = format!("functions/src/bin/{}.rs", order.name);
    for path in [&module_path, &binary_path] {
        if root.join(path).exists() {
            return Err(Failure::Usage(format!(
                "{path} exists: choose another name"
            )));
        }
    }
    let registry = insert::into_registry(
        &read(root, REGISTRY)?,
        order.resource.name,
        &order.module(),
        &order.line(),
    )
    .ok_or_else(|| {
        let problem = format!("no module and lines of {}", order.resource.name);
        Failure::Shape(REGISTRY.to_owned(), problem)
    })?;
    write(root, &module_path, &order.skeleton())?;
    write(root, &binary_path, &order.binary())?;
    write(root, REGISTRY, &registry)?;
    let (kind, body) = if order.is_view {
        ("view", "show")
    } else {
        ("action", "run")
    };
    Ok(format!(
        "The {kind} {name}:
  {module_path}: the {kind}. Write its `{body}`, and say who may use it
  {binary_path}: its binary
  {REGISTRY}: its module, and its line in the registry

Then:
  cargo xtask generate    writes its blocks of the template, its sample event, its documentation
  {observe}
                          observes its calls; generate once more writes its permissions",
        name = order.name,
        observe = crate::calls::OBSERVE,
    ))
}

fn parse<'a>(arguments: &[&'a str]) -> Result<Order<'a>, Failure> {
    let (mut name, mut resource, mut is_view) = (None, None, false);
    let mut left = arguments.iter();
    while let Some(&argument) = left.next() {
        match argument {
            "--resource" => resource = left.next().copied(),
            "--view" => is_view = true,
            _ if argument.starts_with('-') || name.is_some() => {
                return Err(Failure::Usage(format!(
                    "{argument:?} is not known. {USAGE}"
                )));
            }
            _ => name = Some(argument),
        }
    }
    let (Some(name), Some(resource)) = (name, resource) else {
        return Err(Failure::Usage(USAGE.to_owned()));
    };
    check_name(name)?;
    Ok(Order {
        name,
        resource: named(resource)?,
        is_view,
    })
}

fn check_name(name: &str) -> Result<(), Failure> {
    let is_word = |word: &str| {
        word.starts_with(|c: char| c.is_ascii_lowercase())
            && word
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
    };
    if !name.contains('-') || !name.split('-').all(is_word) || name.len() > 40 {
        return Err(Failure::Usage(format!(
            "{name:?} is not a name: two or more words in lower case with hyphens between, 40 \
             characters at most, such as clear-notes"
        )));
    }
    if functions::named(name).is_some() {
        return Err(Failure::Usage(format!(
            "{name} exists: choose another name"
        )));
    }
    Ok(())
}

fn named(resource: &str) -> Result<&'static Resource, Failure> {
    let found = RESOURCES.iter().find(|known| known.name == resource);
    found.ok_or_else(|| {
        let names = RESOURCES.map(|known| known.name).join(", ");
        Failure::Usage(format!(
            "{resource:?} is not a resource with a skeleton: one of {names}. For another, copy the \
             action that is most like it"
        ))
    })
}

/// Words that are no name of a module, though a verb.
const KEYWORDS: [&str; 8] = [
    "break", "continue", "loop", "match", "move", "return", "use", "yield",
];

impl Order<'_> {
    /// The verb alone, as in `create` for create-contact; or all of the name.
    fn module(&self) -> String {
        let singular = self.resource.name.trim_end_matches('s');
        let verb = [self.resource.name, singular]
            .iter()
            .find_map(|noun| self.name.strip_suffix(noun)?.strip_suffix('-'))
            .filter(|verb| !KEYWORDS.contains(verb));
        verb.unwrap_or(self.name).replace('-', "_")
    }

    /// Its type, as `ClearNotes`.
    fn kind(&self) -> String {
        crate::pascal_case(self.name)
    }

    fn type_path(&self) -> String {
        format!("{}::{}::{}", self.resource.name, self.module(), self.kind())
    }

    fn line(&self) -> String {
        let kind = if self.is_view { "view" } else { "action" };
        format!("{kind}::<{}>(),", self.type_path())
    }

    fn binary(&self) -> String {
        format!(
            "//! Serves `{name}` on Lambda.\n\nfn main() -> Result<(), wrapper::Error> {{\n    \
             functions::serve_{kind}::<functions::{path}>()\n}}\n",
            name = self.name,
            kind = if self.is_view { "view" } else { "action" },
            path = self.type_path(),
        )
    }

    fn skeleton(&self) -> String {
        let template = if self.is_view {
            include_str!("new_action/view.txt")
        } else {
            include_str!("new_action/action.txt")
        };
        template
            .replace("@NAME@", self.name)
            .replace("@Kind@", &self.kind())
            .replace("@resource@", self.resource.name)
            .replace("@Record@", self.resource.record)
            .replace("@record@", self.resource.value)
            .replace("@page@", self.resource.page)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(arguments: &[&str]) -> Result<(String, String), String> {
        let order = parse(arguments).map_err(|failure| failure.to_string())?;
        Ok((order.module(), order.line()))
    }

    #[test]
    fn the_module_is_the_verb_unless_that_is_no_name() {
        for (name, module) in [
            ("merge-contacts", "merge"),
            ("merge-contact", "merge"),
            ("clear-notes", "clear_notes"),
            ("move-contact", "move_contact"),
        ] {
            let made = order(&[name, "--resource", "contacts"]).map(|(module, _)| module);
            assert_eq!(made.as_deref(), Ok(module));
        }
    }

    #[test]
    fn a_view_has_a_line_of_its_own_kind() {
        let made = order(&["print-contact", "--view", "--resource", "contacts"]);
        let line = made.map(|(_, line)| line);
        let expected = "view::<contacts::print::PrintContact>(),";
        assert_eq!(line.as_deref(), Ok(expected));
    }

    #[test]
    fn what_is_of_no_use_is_refused_with_the_reason() {
        let contacts = ["--resource", "contacts"];
        for (name, reason) in [
            ("Clear-Notes", "lower case"),
            ("clear", "two or more words"),
            ("clear--notes", "two or more words"),
            ("../clear-notes", "two or more words"),
            ("create-contact", "exists"),
            ("revalidate", "two or more words"),
            ("deliver-mail", "exists"),
        ] {
            let refused = order(&[name, contacts[0], contacts[1]]).err();
            assert!(refused.is_some_and(|said| said.contains(reason)), "{name}");
        }
        let unknown = order(&["clear-notes", "--resource", "deals"]).err();
        assert!(unknown.is_some_and(|said| said.contains("contacts, projects")));
        assert!(order(&["clear-notes"]).is_err());
        assert!(order(&["clear-notes", "--force", "--resource", "contacts"]).is_err());
    }
}
