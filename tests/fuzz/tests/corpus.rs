//! Runs the kept corpus: the inputs from which the fuzzers start, and every input that once failed.

use edge_crm_fuzz::TARGETS;
use std::path::PathBuf;

#[test]
fn every_property_holds_for_the_corpus() {
    let corpus = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let mut names: Vec<_> = std::fs::read_dir(&corpus)
        .expect("a corpus")
        .map(|entry| {
            entry
                .expect("a folder")
                .file_name()
                .into_string()
                .expect("a name")
        })
        .collect();
    names.sort();
    let targets = TARGETS.map(|(name, _)| name.to_owned());
    assert_eq!(names, targets);
    let mut all = 0;
    for (name, check) in TARGETS {
        check(b"");
        let files = std::fs::read_dir(corpus.join(name)).expect("a folder");
        let mut count = 0;
        for file in files {
            let path = file.expect("a file").path();
            println!("{}", path.display());
            check(&std::fs::read(&path).expect("a file"));
            count += 1;
        }
        assert!(count > 3, "the corpus of {name} is nearly empty");
        all += count;
    }
    assert!(all <= 300, "{all} files: run tests/fuzz.sh merge");
}
