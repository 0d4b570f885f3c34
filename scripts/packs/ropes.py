"""Each kind of RoPE scaling, on Llama and its kin."""

from decoders import BEAM, GREEDY, llama
from pack import Generation

PACKS = [
    llama("llama_linear", "Positions divided by the factor.", [GREEDY], dtype="BF16", rope_scaling={"type": "linear", "factor": 2.5}),
    llama(
        "llama_dynamic",
        "Sequences above max_position_embeddings change the base. In generation a key keeps the angle of the length at which it "
        "was written: HF turns no cached key again.",
        [
            Generation("greedy_short", [6], dict(max_new_tokens=9, num_beams=1)),
            Generation("greedy_past_the_limit", [11], dict(max_new_tokens=24, num_beams=1)),
        ],
        dtype="BF16",
        rope_scaling={"rope_type": "dynamic", "factor": 2.0},
        max_position_embeddings=16,
    ),
    llama(
        "llama_llama3",
        "Wavelengths below 16, between, and above 64 are all there.",
        [GREEDY, BEAM],
        max_position_embeddings=512,
        dtype="BF16",
        rope_scaling={
            "rope_type": "llama3",
            "factor": 8.0,
            "low_freq_factor": 1.0,
            "high_freq_factor": 4.0,
            "original_max_position_embeddings": 64,
        },
    ),
    llama(
        "llama_yarn",
        "The default betas; cos and sin times 0.1 ln(factor) + 1.",
        [GREEDY],
        max_position_embeddings=2048,
        dtype="BF16",
        rope_scaling={"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 512},
    ),
    llama(
        "qwen2_yarn",
        "rope_scaling with the older key `type`, and both betas of its own.",
        [GREEDY],
        model="Qwen2",
        rope_theta=50.0,
        max_position_embeddings=128,
        dtype="BF16",
        rope_scaling={"type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32, "beta_fast": 3.0, "beta_slow": 0.4},
    ),
    llama(
        "phi3_longrope",
        "Sequences above original_max_position_embeddings turn by long_factor, others by short_factor; cos and sin are scaled in "
        "both. Six of eight features of a head turn. No generation crosses the limit.",
        [
            Generation("greedy_short", [6], dict(max_new_tokens=9, num_beams=1)),
            Generation("greedy_long_prompt", [19], dict(max_new_tokens=14, num_beams=1)),
        ],
        model="Phi3",
        dtype="F16",
        num_attention_heads=4,
        num_key_value_heads=2,
        partial_rotary_factor=0.75,
        original_max_position_embeddings=16,
        rope_scaling={"type": "longrope", "short_factor": [1.0, 1.3, 1.9], "long_factor": [1.5, 3.0, 9.0]},
    ),
]
