//! Computes embeddings of texts, and finds similar ones, in this process.
//!
//! The model is a table with a vector for each word, as in
//! [Model2Vec](https://github.com/MinishLab/model2vec): the embedding of a text is the mean of the
//! vectors of its words, which takes microseconds. The program contains a model; an operator may
//! configure another one.
//!
//! Depends on markets and posts only by their ids.

mod index;
mod model;
mod table;
mod wordpiece;

pub use index::MemoryIndex;
pub use model::{ModelError, StaticEmbedder};
