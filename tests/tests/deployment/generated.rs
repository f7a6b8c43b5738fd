//! What is generated is what the registry says.

#[test]
fn nothing_generated_is_stale() {
    let stale = xtask::stale(&xtask::root()).expect("what is generated");
    let paths: Vec<_> = stale.iter().map(|output| &output.path).collect();
    assert!(
        paths.is_empty(),
        "`cargo xtask generate` writes these anew: {paths:?}"
    );
}
