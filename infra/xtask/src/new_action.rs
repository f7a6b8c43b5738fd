//! `cargo xtask new-action`: writes the files of a new action or view.

mod insert;

use crate::{Error, read, write};
use std::path::Path;

const REGISTRY: &str = "functions/src/lib.rs";
const USAGE: &str = "usage: cargo xtask new-action NAME --resource RESOURCE [--view]";

/// The resource that a new action or view belongs to.
struct Resource {
    name: &'static str,
    /// The type of its records, and the name of a variable that holds one.
    record: &'static str,
    value: &'static str,
    /// The expression with which a view shows one record, given `layout` and the variable.
    page: &'static str,
}

/// The resources for which there are templates: an input type names one of their records.
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

/// The action or view to write.
struct NewFunction<'a> {
    name: &'a str,
    resource: &'static Resource,
    is_view: bool,
}

/// Writes the files, and returns the message for the developer.
///
/// # Errors
/// [`Error::Usage`] if the name or the resource cannot be used, and [`Error`] if a file cannot be
/// read or written.
pub fn run(root: &Path, arguments: &[&str]) -> Result<String, Error> {
    let new = parse(arguments)?;
    let module_path = format!("functions/src/{}/{}.rs", new.resource.name, new.module());
    let binary_path = format!("functions/src/bin/{}.rs", new.name);
    for path in [&module_path, &binary_path] {
        if root.join(path).exists() {
            return Err(Error::Usage(format!("{path} exists: choose another name")));
        }
    }
    let registry = insert::into_registry(
        &read(root, REGISTRY)?,
        new.resource.name,
        &new.module(),
        &new.registry_line(),
    )
    .ok_or_else(|| {
        let problem = format!("no module and lines of {}", new.resource.name);
        Error::Shape(REGISTRY.to_owned(), problem)
    })?;
    write(root, &module_path, &new.skeleton())?;
    write(root, &binary_path, &new.binary())?;
    write(root, REGISTRY, &registry)?;
    let (kind, body) = if new.is_view {
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
        name = new.name,
        observe = crate::calls::OBSERVE,
    ))
}

fn parse<'a>(arguments: &[&'a str]) -> Result<NewFunction<'a>, Error> {
    let (mut name, mut resource, mut is_view) = (None, None, false);
    let mut rest = arguments.iter();
    while let Some(&argument) = rest.next() {
        match argument {
            "--resource" => resource = rest.next().copied(),
            "--view" => is_view = true,
            _ if argument.starts_with('-') || name.is_some() => {
                return Err(Error::Usage(format!("{argument:?} is not known. {USAGE}")));
            }
            _ => name = Some(argument),
        }
    }
    let (Some(name), Some(resource)) = (name, resource) else {
        return Err(Error::Usage(USAGE.to_owned()));
    };
    check_name(name)?;
    Ok(NewFunction {
        name,
        resource: find_resource(resource)?,
        is_view,
    })
}

fn check_name(name: &str) -> Result<(), Error> {
    let is_word = |word: &str| {
        word.starts_with(|c: char| c.is_ascii_lowercase())
            && word
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
    };
    if !name.contains('-') || !name.split('-').all(is_word) || name.len() > 40 {
        return Err(Error::Usage(format!(
            "{name:?} is not a name: two or more words in lower case with hyphens between, 40 \
             characters at most, such as clear-notes"
        )));
    }
    if functions::named(name).is_some() {
        return Err(Error::Usage(format!("{name} exists: choose another name")));
    }
    Ok(())
}

fn find_resource(resource: &str) -> Result<&'static Resource, Error> {
    let found = RESOURCES.iter().find(|known| known.name == resource);
    found.ok_or_else(|| {
        let names = RESOURCES.map(|known| known.name).join(", ");
        Error::Usage(format!(
            "{resource:?} is not a resource with a skeleton: one of {names}. For another, copy the \
             action that is most like it"
        ))
    })
}

/// Verbs that are keywords of Rust, and so cannot name a module.
const KEYWORDS: [&str; 8] = [
    "break", "continue", "loop", "match", "move", "return", "use", "yield",
];

impl NewFunction<'_> {
    /// The name of the module: the verb, as in `create` for create-contact, or else the whole name.
    fn module(&self) -> String {
        let singular = self.resource.name.trim_end_matches('s');
        let verb = [self.resource.name, singular]
            .iter()
            .find_map(|noun| self.name.strip_suffix(noun)?.strip_suffix('-'))
            .filter(|verb| !KEYWORDS.contains(verb));
        verb.unwrap_or(self.name).replace('-', "_")
    }

    /// The name of the type, such as `ClearNotes`.
    fn type_name(&self) -> String {
        crate::pascal_case(self.name)
    }

    fn type_path(&self) -> String {
        format!(
            "{}::{}::{}",
            self.resource.name,
            self.module(),
            self.type_name()
        )
    }

    fn registry_line(&self) -> String {
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
            .replace("@Kind@", &self.type_name())
            .replace("@resource@", self.resource.name)
            .replace("@Record@", self.resource.record)
            .replace("@record@", self.resource.value)
            .replace("@page@", self.resource.page)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(arguments: &[&str]) -> Result<(String, String), String> {
        let new = parse(arguments).map_err(|failure| failure.to_string())?;
        Ok((new.module(), new.registry_line()))
    }

    #[test]
    fn the_module_is_the_verb_unless_that_is_a_keyword() {
        for (name, module) in [
            ("merge-contacts", "merge"),
            ("merge-contact", "merge"),
            ("clear-notes", "clear_notes"),
            ("move-contact", "move_contact"),
        ] {
            let new = parsed(&[name, "--resource", "contacts"]).map(|(module, _)| module);
            assert_eq!(new.as_deref(), Ok(module));
        }
    }

    #[test]
    fn a_view_gets_a_line_for_a_view() {
        let new = parsed(&["print-contact", "--view", "--resource", "contacts"]);
        let line = new.map(|(_, line)| line);
        let expected = "view::<contacts::print::PrintContact>(),";
        assert_eq!(line.as_deref(), Ok(expected));
    }

    #[test]
    fn unusable_arguments_are_refused_with_the_reason() {
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
            let refused = parsed(&[name, contacts[0], contacts[1]]).err();
            assert!(refused.is_some_and(|said| said.contains(reason)), "{name}");
        }
        let unknown = parsed(&["clear-notes", "--resource", "deals"]).err();
        assert!(unknown.is_some_and(|said| said.contains("contacts, projects")));
        assert!(parsed(&["clear-notes"]).is_err());
        assert!(parsed(&["clear-notes", "--force", "--resource", "contacts"]).is_err());
    }
}
