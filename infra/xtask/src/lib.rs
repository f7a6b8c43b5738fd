//! The tasks of `cargo xtask`: scaffolds an action, generates everything that follows from the
//! registry of the functions, and checks that nothing generated is stale.
//!
//! It generates the blocks of `template.yaml` between markers, the list of binaries in
//! `functions/Cargo.toml`, `events/`, `docs/permissions.md`, `docs/openapi.json` and
//! `tests/functions.json`. The calls that each function may make are in `infra/xtask/calls.json`,
//! which the test of the privileges writes from what it observes.

pub mod calls;
mod events;
mod json;
mod lists;
mod markers;
pub mod new_action;

mod openapi;
mod permissions;
mod template;

use std::path::{Path, PathBuf};

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be read or written: correct its path or its permissions.
    #[error("{0}: {1}")]
    File(String, std::io::Error),
    /// A file does not have the expected shape: correct it.
    #[error("{0}: {1}")]
    Shape(String, String),
    /// The command cannot be run as given: change its arguments.
    #[error("{0}")]
    Usage(String),
}

/// A file that is generated, as a whole or between markers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Its path from the root of the repository.
    pub path: String,
    /// The text that it should have; `None` if the file should not exist.
    pub text: Option<String>,
}

/// Turns `create-contact` into `CreateContact`.
pub(crate) fn pascal_case(name: &str) -> String {
    let mut pascal = String::new();
    for word in name.split('-') {
        let (first, rest) = word.split_at(word.len().min(1));
        pascal.push_str(&first.to_ascii_uppercase());
        pascal.push_str(rest);
    }
    pascal
}

/// The root of the repository in which this program was built.
#[must_use]
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_owned()
}

pub(crate) fn read(root: &Path, path: &str) -> Result<String, Error> {
    std::fs::read_to_string(root.join(path)).map_err(|e| Error::File(path.to_owned(), e))
}

pub(crate) fn write(root: &Path, path: &str, text: &str) -> Result<(), Error> {
    std::fs::write(root.join(path), text).map_err(|e| Error::File(path.to_owned(), e))
}

/// Every generated file with the text that it should have.
///
/// # Errors
/// [`Error`] if a file cannot be read or does not have the expected shape.
pub fn outputs(root: &Path) -> Result<Vec<Output>, Error> {
    let mut outputs = events::outputs(root)?;
    let whole = |path: &str, text| Output {
        path: path.to_owned(),
        text: Some(text),
    };
    outputs.push(whole(template::PATH, template::generate(root)?));
    outputs.push(whole("docs/permissions.md", permissions::table()));

    outputs.push(whole("docs/openapi.json", openapi::document()));
    outputs.push(whole(lists::BINARIES, lists::binaries(root)?));
    outputs.push(whole("tests/functions.json", lists::functions()));
    Ok(outputs)
}

/// The generated files that differ from what they should be.
///
/// # Errors
/// The same as [`outputs`].
pub fn stale(root: &Path) -> Result<Vec<Output>, Error> {
    let mut outputs = outputs(root)?;
    outputs.retain(|output| std::fs::read_to_string(root.join(&output.path)).ok() != output.text);
    Ok(outputs)
}

/// Writes every generated file that is stale, and returns their paths.
///
/// # Errors
/// The same as [`outputs`], and [`Error::File`] if a file cannot be written.
pub fn generate(root: &Path) -> Result<Vec<String>, Error> {
    let stale = stale(root)?;
    for output in &stale {
        match &output.text {
            Some(text) => write(root, &output.path, text)?,
            None => std::fs::remove_file(root.join(&output.path))
                .map_err(|e| Error::File(output.path.clone(), e))?,
        }
    }
    Ok(stale.into_iter().map(|output| output.path).collect())
}
