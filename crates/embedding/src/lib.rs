//! Makes vectors of texts, and finds those that are near, in this process.
//!
//! The model is a table with a vector for each word, as [Model2Vec](https://github.com/MinishLab/model2vec) has it: what
//! a text means is the mean of what its words do, which takes microseconds. A table comes with the program; an
//! operator may name another one.
//!
//! It knows nothing of markets and posts but their ids.

mod index;
mod model;

pub use index::MemoryIndex;
pub use model::{ModelError, StaticEmbedder};
