//! Table of a `Model2Vec` model: a vector for each token.

use half::f16;
use safetensors::{Dtype, SafeTensors};

/// Names under which libraries store the vectors.
const VECTORS: [&str; 3] = ["embeddings", "0", "embedding.weight"];

/// Vectors of all tokens, and the weight of each token.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) dimensions: usize,
    vectors: Vectors,
    /// Weight of each token; 1 if there are none.
    weights: Vec<f32>,
    /// Row of each token; without them, the id is the row.
    rows: Vec<usize>,
}

#[derive(Debug)]
enum Vectors {
    F32(Vec<f32>),
    I8(Vec<i8>),
}

impl Table {
    /// Parses `model.safetensors`. The error is the problem.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, String> {
        let tensors = SafeTensors::deserialize(bytes)
            .map_err(|error| format!("model.safetensors cannot be read: {error}"))?;
        let vectors = VECTORS.iter().find_map(|name| tensors.tensor(name).ok());
        let vectors = vectors.ok_or("model.safetensors has no tensor named embeddings")?;
        let &[_, dimensions] = vectors.shape() else {
            return Err("the tensor embeddings is not a table".to_owned());
        };
        let vectors = match vectors.dtype() {
            Dtype::I8 => {
                Vectors::I8(vectors.data().iter().map(|byte| byte.cast_signed()).collect())
            }
            dtype => Vectors::F32(floats(dtype, vectors.data())?),
        };
        let weights = tensors.tensor("weights").ok();
        let weights = weights.map(|weights| floats(weights.dtype(), weights.data())).transpose()?;
        let rows = tensors.tensor("mapping").ok();
        let rows = rows.map(|rows| indices(rows.dtype(), rows.data())).transpose()?;
        Ok(Self {
            dimensions,
            vectors,
            weights: weights.unwrap_or_default(),
            rows: rows.unwrap_or_default(),
        })
    }

    /// Adds the weighted vector of a token, if it has one.
    pub(crate) fn add_row(&self, token: u32, sum: &mut [f32]) {
        let Ok(token) = usize::try_from(token) else { return };
        let weight = self.weights.get(token).copied().unwrap_or(1.0);
        let row = self.rows.get(token).copied().unwrap_or(token);
        let start = row.saturating_mul(self.dimensions);
        let range = start..start.saturating_add(self.dimensions);
        match &self.vectors {
            Vectors::F32(values) => add(sum, values.get(range), weight),
            Vectors::I8(values) => add(sum, values.get(range), weight),
        }
    }
}

fn add<T: Copy + Into<f32>>(sum: &mut [f32], row: Option<&[T]>, weight: f32) {
    for (sum, value) in sum.iter_mut().zip(row.into_iter().flatten()) {
        *sum += (*value).into() * weight;
    }
}

#[expect(clippy::cast_possible_truncation, reason = "weights of 64 bits are used with 32")]
fn floats(dtype: Dtype, bytes: &[u8]) -> Result<Vec<f32>, String> {
    Ok(match dtype {
        Dtype::F64 => bytes.as_chunks().0.iter().map(|b| f64::from_le_bytes(*b) as f32).collect(),
        Dtype::F32 => bytes.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect(),
        Dtype::F16 => bytes.as_chunks().0.iter().map(|b| f16::from_le_bytes(*b).to_f32()).collect(),
        other => return Err(format!("numbers of the type {other:?} are not supported")),
    })
}

fn indices(dtype: Dtype, bytes: &[u8]) -> Result<Vec<usize>, String> {
    let indices: Result<_, _> = match dtype {
        Dtype::I64 => {
            bytes.as_chunks().0.iter().map(|b| i64::from_le_bytes(*b).try_into()).collect()
        }
        Dtype::I32 => {
            bytes.as_chunks().0.iter().map(|b| i32::from_le_bytes(*b).try_into()).collect()
        }
        other => return Err(format!("rows of the type {other:?} are not supported")),
    };
    indices.map_err(|_| "the tensor mapping has negative rows".to_owned())
}
