"""Writes test/packs/angles.json: cosines and sines of far positions as Hugging Face transformers (4.57) has them, of rotary positions
with every kind of scaling and of M2M-100's sinusoids. A few features of each: what matters is how every step to the angle is rounded.

    python scripts/packs/angles.py
"""

import json
from pathlib import Path

import torch
from transformers import LlamaConfig, Phi3Config
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding
from transformers.models.m2m_100.modeling_m2m_100 import M2M100SinusoidalPositionalEmbedding
from transformers.models.phi3.modeling_phi3 import Phi3RotaryEmbedding

TRAINED = 4096
POSITIONS = [0, 1, 17, 1000, 4001, 8191]
LONG = {"long_factor": [1 + i / 7 for i in range(32)], "short_factor": [1 + i / 70 for i in range(32)]}
CASES = [
    (64, 10000.0, None),
    (80, 500000.0, None),
    (256, 1000000.0, None),
    (64, 10000.0, {"rope_type": "linear", "factor": 3.0}),
    (64, 10000.0, {"rope_type": "dynamic", "factor": 2.0}),
    (128, 500000.0, {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 2048}),
    (128, 1000000.0, {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 1024}),
    (64, 10000.0, {"rope_type": "longrope", "original_max_position_embeddings": 2048, **LONG}),
]


def angles(size, theta, scaling):
    longrope = scaling is not None and scaling["rope_type"] == "longrope"
    options = dict(hidden_size=2 * size, num_attention_heads=2, max_position_embeddings=TRAINED, rope_theta=theta, rope_scaling=scaling)
    if longrope:
        config = Phi3Config(**{**options, "rope_scaling": {"type": "longrope", **LONG}}, original_max_position_embeddings=2048, pad_token_id=0)
        rotary = Phi3RotaryEmbedding(config)
    else:
        rotary = LlamaRotaryEmbedding(LlamaConfig(**options, head_dim=size))
    cos, sin = rotary(torch.zeros(1), torch.tensor([POSITIONS]))
    features = list(range(0, size // 2, size // 16))
    pick = lambda table: table[0][:, features].tolist()
    return {"size": size, "theta": theta, "scaling": scaling, "factor": rotary.attention_scaling, "features": features, "cos": pick(cos), "sin": pick(sin)}


def sinusoids(size=128, rows=1030):
    table = M2M100SinusoidalPositionalEmbedding.get_embedding(rows, size, None)
    positions = [0, 1, 100, 500, rows - 1]
    return {"size": size, "rows": rows, "positions": positions, "values": table[positions, ::8].tolist(), "every": 8}


if __name__ == "__main__":
    path = Path(__file__).resolve().parents[2] / "test" / "packs" / "angles.json"
    made = {"trained": TRAINED, "positions": POSITIONS, "cases": [angles(*case) for case in CASES], "sinusoids": sinusoids()}
    path.write_text(json.dumps(made) + "\n")
