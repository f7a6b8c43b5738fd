//! Blocks of a file that are generated, each between `# generated: NAME` and `# end of generated`.

use crate::Failure;
use std::fmt::Write;

const BEGIN: &str = "# generated: ";
const END: &str = "# end of generated";

/// The text of the file `path` with what `block` returns for each marker, indented as the marker is.
pub(crate) fn fill(
    path: &str,
    text: &str,
    block: impl Fn(&str) -> Option<String>,
) -> Result<String, Failure> {
    let shape = |problem: String| Failure::Shape(path.to_owned(), problem);
    let mut filled = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        filled.push_str(line);
        filled.push('\n');
        let Some((indent, name)) = line.split_once(BEGIN) else {
            continue;
        };
        let made = block(name).ok_or_else(|| shape(format!("nothing is generated as {name}")))?;
        for line in made.lines() {
            let indent = if line.is_empty() { "" } else { indent };
            let _infallible = writeln!(filled, "{indent}{line}");
        }
        let end = lines.find(|line| line.trim() == END);
        let end = end.ok_or_else(|| shape(format!("no end of {name}")))?;
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
    fn a_marker_without_a_meaning_or_an_end_is_refused() {
        assert!(fill("a file", "# generated: y\n# end of generated\n", |_| None).is_err());
        assert!(fill("a file", "# generated: y\n", |_| Some(String::new())).is_err());
    }
}
