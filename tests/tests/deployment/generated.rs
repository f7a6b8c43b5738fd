//! The generated files match the registry.

#[test]
fn no_generated_file_is_stale() {
    let stale = xtask::stale(&xtask::root()).expect("the generated files");
    let paths: Vec<_> = stale.iter().map(|output| &output.path).collect();
    assert!(
        paths.is_empty(),
        "`cargo xtask generate` writes these anew: {paths:?}"
    );
}
