//! Text search in the entities of one collection, with an index in the same table.
//!
//! The entities of a collection, in the order of their ids, are divided into *blocks* of some
//! dozens. The *directory* lists where each block begins. For each *gram* (see [`grams`]) a *posting
//! list* names the blocks that have a text with that gram. A search reads the lists of its text's
//! grams, and then only the blocks that are in all of them. So its cost grows with the number of
//! hits, and hardly with the number of entities. Because a search reads the entities themselves, it
//! returns no false hits and no old values.
//!
//! [`Store::index`] updates the lists some time after a commit. Until then the entity is
//! *unindexed*: the transaction that writes the entity also writes a record with its texts, and
//! searches read these records too. `docs/search.md` shows that the order of the reads misses
//! nothing.

mod find;
mod grams;
mod head;
mod index;
mod postings;
mod rebuild;
mod turns;
mod waiting;

use crate::StoreError;

pub use rebuild::Rebuilt;
pub use turns::Indexed;

/// The kind of all items of an index.
const PARTITION: &str = "search";

/// A text that sorts after every id.
const END: &str = "\u{10ffff}";

/// How large the parts of an index are.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// How many entities a new block has. Larger blocks make searches read more entities; smaller
    /// blocks make longer posting lists.
    pub block: usize,
    /// How many blocks a page of the directory has, and a page of a posting list at most. A page is
    /// one item, and adding a block rewrites the open page, so pages must stay small.
    pub page: usize,
    /// How many of the newest entities a search reads before it uses the index. Small collections
    /// and frequent texts need no more.
    pub newest: i32,
}

impl Shape {
    /// A block has about 20 kB, a page of the directory at most 10 kB, and a page of a posting list
    /// at most 1 kB.
    pub(crate) const DEFAULT: Self = Self {
        block: 64,
        page: 256,
        newest: 100,
    };
}

/// An index was not built or updated.
#[derive(Debug, Clone, thiserror::Error)]
pub enum IndexError {
    /// Another run has changed the index or is building it: retry.
    #[error("another run is changing this index")]
    Overtaken,
    /// Storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
