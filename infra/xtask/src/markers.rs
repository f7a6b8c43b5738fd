//! Generated blocks of a file, each between `# generated: NAME` and `# end of generated`.

use crate::Error;
use std::fmt::Write;

const BEGIN: &str = "# generated: ";
const END: &str = "# end of generated";

/// The text of the file `path` with the content of every block replaced by what `block` returns for
/// its name, indented like the marker.
pub(crate) fn fill(
    path: &str,
    text: &str,
    block: impl Fn(&str) -> Option<String>,
) -> Result<String, Error> {
    let invalid = |problem: String| Error::Shape(path.to_owned(), problem);
    let mut filled = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        filled.push_str(line);
        filled.push('\n');
        let Some((indent, name)) = line.split_once(BEGIN) else {
            continue;
        };
        let content = block(name)
            .ok_or_else(|| invalid(format!("there is no generated block called {name}")))?;
        for line in content.lines() {
            let indent = if line.is_empty() { "" } else { indent };
            let _infallible = writeln!(filled, "{indent}{line}");
        }
        let end = lines.find(|line| line.trim() == END);
        let end = end.ok_or_else(|| invalid(format!("the block {name} has no end")))?;
        filled.push_str(end);
        filled.push('\n');
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_replaced_and_the_rest_stays() {
        let text = "a:\n  # generated: x\n  old\n  # end of generated\nb: 1\n";
        let filled = fill("a file", text, |name| {
            (name == "x").then(|| "new: 1\n\nmore: 2\n".to_owned())
        });
        let expected = "a:\n  # generated: x\n  new: 1\n\n  more: 2\n  # end of generated\nb: 1\n";
        assert_eq!(filled.ok().as_deref(), Some(expected));
    }

    #[test]
    fn a_block_that_is_unknown_or_has_no_end_is_refused() {
        assert!(fill("a file", "# generated: y\n# end of generated\n", |_| None).is_err());
        assert!(fill("a file", "# generated: y\n", |_| Some(String::new())).is_err());
    }
}
