//! Inserts a module and a line into the registry.

/// Returns the registry with a module for the resource, sorted by name, and with the line after the
/// first lines of the resource. The samples are sent in this order: after these lines the resource
/// has records, and none has been deleted yet. `None` if the resource has no module or no line.
pub(super) fn into_registry(
    text: &str,
    resource: &str,
    module: &str,
    line: &str,
) -> Option<String> {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let (at, before) = position_of_line(&lines, resource)?;
    lines.insert(at, format!("{before}{line}"));
    let start = lines
        .iter()
        .position(|l| *l == format!("pub mod {resource} {{"))?;
    let declared = format!("    pub mod {module};");
    let after = lines.iter().skip(start + 1);
    let smaller = after.take_while(|l| l.starts_with("    pub mod ") && **l < declared);
    lines.insert(start + 1 + smaller.count(), declared);
    Some(lines.join("\n") + "\n")
}

/// The position of the new line, and its indentation.
fn position_of_line(lines: &[String], resource: &str) -> Option<(usize, String)> {
    let is_of = |line: &String| {
        ["action", "view"].iter().any(|kind| {
            line.trim_start()
                .starts_with(&format!("{kind}::<{resource}::"))
        })
    };
    let first = lines.iter().position(is_of)?;
    let run = lines[first..].iter().take_while(|line| is_of(line)).count();
    let indent = lines[first].len() - lines[first].trim_start().len();
    Some((first + run, " ".repeat(indent)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
pub mod contacts {
    pub mod create;
    pub mod delete;
}
static REGISTRY: &[Entry] = &[
    action::<contacts::create::CreateContact>(),
    view::<contacts::list::ListContacts>(),
    group::<Pages>(),
    action::<contacts::delete::DeleteContact>(),
];
";

    #[test]
    fn a_line_comes_before_the_delete_action_and_modules_stay_sorted() {
        let line = "action::<contacts::clear_notes::ClearNotes>(),";
        let text = into_registry(TEXT, "contacts", "clear_notes", line).unwrap_or_default();
        let expected = TEXT
            .replace(
                "    pub mod create;",
                "    pub mod clear_notes;\n    pub mod create;",
            )
            .replace("    group", &format!("    {line}\n    group"));
        assert_eq!(text, expected);
    }

    #[test]
    fn an_unknown_resource_gives_none() {
        assert_eq!(
            into_registry(TEXT, "deals", "win", "action::<deals::win::Win>(),"),
            None
        );
    }
}
