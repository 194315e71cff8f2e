"""Distils a table of word vectors from a sentence model: see make-embeddings.

Each token of the vocabulary goes through the model once, alone. What comes out is reduced to fewer dimensions by its
principal components, weighted by how rare the token is (smooth inverse frequency; the vocabulary is sorted by
frequency, of which Zipf's law tells the rest), and stored as one byte a number with a factor for each token.
The method is that of Model2Vec (https://github.com/MinishLab/model2vec).
"""

import json
import shutil
import sys
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

DIMENSIONS = 256
SMOOTHING = 1e-4
BATCH = 1024


def main(source: Path, target: Path) -> None:
    config = json.loads((source / "config.json").read_text())
    tokenizer = json.loads((source / "tokenizer.json").read_text())
    vocabulary = tokenizer["model"]["vocab"]
    tokens = sorted(vocabulary, key=vocabulary.get)
    weights = {name: value.astype(np.float32) for name, value in load_file(source / "model.safetensors").items()}
    begin, end = vocabulary["[CLS]"], vocabulary["[SEP]"]
    ids = np.array([[begin, token, end] for token in range(len(tokens))])
    batches = (ids[at : at + BATCH] for at in range(0, len(ids), BATCH))
    vectors = np.concatenate([encode(batch, weights, config) for batch in batches])

    kept = [token for token in range(len(tokens)) if not is_special(tokens[token])]
    mean = vectors[kept].mean(axis=0)
    _, _, components = np.linalg.svd(vectors[kept] - mean, full_matrices=False)
    vectors = (vectors - mean) @ components[:DIMENSIONS].T
    rank = np.zeros(len(tokens))
    rank[kept] = np.arange(2, len(kept) + 2)
    share = np.where(rank > 0, 1 / np.maximum(rank, 1), 0)
    share /= share.sum()
    vectors *= np.where(rank > 0, SMOOTHING / (SMOOTHING + share), 0)[:, None]

    factor = np.abs(vectors).max(axis=1) / 127
    rounded = np.rint(vectors / np.where(factor > 0, factor, 1)[:, None]).astype(np.int8)
    target.mkdir(parents=True, exist_ok=True)
    save_file({"embeddings": rounded, "weights": factor.astype(np.float32)}, target / "model.safetensors")
    (target / "tokenizer.json").write_text(json.dumps(tokenizer, ensure_ascii=False, separators=(",", ":")) + "\n")
    (target / "config.json").write_text(json.dumps({"normalize": True}) + "\n")


def is_special(token: str) -> bool:
    """Tokens of the model's own, which no text has."""
    return token.startswith("[") and token.endswith("]") and len(token) > 2


def encode(ids: np.ndarray, weights: dict[str, np.ndarray], config: dict) -> np.ndarray:
    """What BERT makes of the token between the two that begin and end a text."""

    def linear(x: np.ndarray, name: str) -> np.ndarray:
        return x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]

    def normal(x: np.ndarray, name: str) -> np.ndarray:
        x = x - x.mean(axis=-1, keepdims=True)
        x /= np.sqrt((x**2).mean(axis=-1, keepdims=True) + config["layer_norm_eps"])
        return x * weights[f"{name}.weight"] + weights[f"{name}.bias"]

    heads = config["num_attention_heads"]
    x = weights["embeddings.word_embeddings.weight"][ids]
    x = x + weights["embeddings.position_embeddings.weight"][: ids.shape[1]]
    x = normal(x + weights["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
    for layer in range(config["num_hidden_layers"]):
        at = f"encoder.layer.{layer}"
        parts = (linear(x, f"{at}.attention.self.{part}") for part in ("query", "key", "value"))
        query, key, value = (part.reshape(*part.shape[:2], heads, -1).transpose(0, 2, 1, 3) for part in parts)
        scores = query @ key.transpose(0, 1, 3, 2) / np.sqrt(query.shape[-1])
        scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
        seen = (scores / scores.sum(axis=-1, keepdims=True)) @ value
        seen = linear(seen.transpose(0, 2, 1, 3).reshape(x.shape), f"{at}.attention.output.dense")
        x = normal(x + seen, f"{at}.attention.output.LayerNorm")
        inner = gelu(linear(x, f"{at}.intermediate.dense"))
        x = normal(x + linear(inner, f"{at}.output.dense"), f"{at}.output.LayerNorm")
    return x[:, 1]


def gelu(x: np.ndarray) -> np.ndarray:
    return x * 0.5 * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
