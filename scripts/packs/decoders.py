"""Decoders: Llama's neighbours with what tells them apart, each kind of RoPE scaling, Bloom's ALiBi, classification by the last token."""

from pack import Generation, Pack

LLAMA = dict(
    vocab_size=89, hidden_size=32, intermediate_size=43, num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=1,
    max_position_embeddings=64, pad_token_id=0, bos_token_id=1, eos_token_id=2, rms_norm_eps=1e-5, rope_theta=10000.0, tie_word_embeddings=False,
)  # fmt: skip

GREEDY = Generation("greedy", [9], dict(max_new_tokens=20, num_beams=1))
BATCH = Generation("greedy_batch_left_padded", [5, 10], dict(max_new_tokens=16, num_beams=1))
BEAM = Generation("beam4_batch_left_padded", [6, 9], dict(max_new_tokens=16, num_beams=4))
PENALTIES = Generation(
    "greedy_penalties", [8],
    lambda free: dict(max_new_tokens=20, num_beams=1, repetition_penalty=1.4, no_repeat_ngram_size=2, min_new_tokens=8, eos_token_id=free[4]),
    ["repetition_penalty", "no_repeat_ngram_size", "min_new_tokens"],
)  # fmt: skip
BAD_WORDS = Generation(
    "greedy_bad_words", [7], lambda free: dict(max_new_tokens=18, num_beams=1, bad_words_ids=[[free[2]], free[4:6]]), ["bad_words_ids"]
)
TWO_ENDS = Generation(
    "greedy_two_ends", [7, 9], lambda free: dict(max_new_tokens=18, num_beams=1, eos_token_id=[2, free[6]]), ["eos_token_id"]
)
LONG = Generation("greedy_past_original_length", [11], dict(max_new_tokens=24, num_beams=1))


def scaled(name: str, note: str, *, generation: list[Generation] | None = None, **config) -> Pack:
    """A Llama with scaled RoPE; its scores are to feel the rotation, so queries and keys are wide."""
    return Pack(f"llama_{name}", "dec", "LlamaForCausalLM", LLAMA | config, generation=generation or [GREEDY], note=note)


GEMMA = dict(
    vocab_size=91, hidden_size=26, intermediate_size=35, num_hidden_layers=3, num_attention_heads=4, num_key_value_heads=2, head_dim=8,
    max_position_embeddings=64, pad_token_id=0, eos_token_id=1, bos_token_id=2, rms_norm_eps=1e-6, rope_theta=10000.0,
)  # fmt: skip
GEMMA_GAINS = {"embed_tokens": 0.4, r"^model\.norm": 2.5}

PACKS = [
    Pack("mistral", "dec", "MistralForCausalLM",
         LLAMA | dict(hidden_size=36, num_attention_heads=6, num_key_value_heads=2, head_dim=8, sliding_window=5), dtype="BF16",
         generation=[GREEDY, BATCH, PENALTIES], note="A token sees itself and the sliding_window - 1 before it; head_dim is not hidden / heads."),
    Pack("qwen2", "dec", "Qwen2ForCausalLM",
         LLAMA | dict(hidden_size=40, num_attention_heads=5, rope_theta=1e6, rms_norm_eps=1e-6, tie_word_embeddings=True, use_sliding_window=False,
                      sliding_window=4, max_window_layers=1),
         dtype="BF16", generation=[GREEDY, BEAM, TWO_ENDS], note="sliding_window is in the config but not in use."),
    Pack("qwen2_sliding", "dec", "Qwen2ForCausalLM",
         LLAMA | dict(hidden_size=24, num_attention_heads=3, num_hidden_layers=3, rope_theta=1e6, use_sliding_window=True, sliding_window=4,
                      max_window_layers=1),
         generation=[BATCH], note="Layers from max_window_layers on are sliding."),
    Pack("qwen2_yarn", "dec", "Qwen2ForCausalLM",
         LLAMA | dict(rope_scaling={"type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32, "beta_fast": 3.0, "beta_slow": 0.4},
                      rope_theta=50.0, max_position_embeddings=128),
         generation=[GREEDY], note="rope_scaling with the older key `type`, and both betas of its own."),
    Pack("qwen3", "dec", "Qwen3ForCausalLM",
         LLAMA | dict(hidden_size=30, num_attention_heads=4, num_key_value_heads=2, head_dim=10, rope_theta=1e6, rms_norm_eps=1e-6),
         dtype="BF16", generation=[GREEDY, BATCH, BAD_WORDS], note="Norms of each head's queries and keys; head_dim is not hidden / heads."),
    Pack("gemma", "dec", "GemmaForCausalLM",
         GEMMA | dict(hidden_size=24, num_attention_heads=3, num_key_value_heads=1, head_dim=10, num_hidden_layers=2, hidden_act="gelu_pytorch_tanh"),
         gains=GEMMA_GAINS, dtype="BF16", generation=[GREEDY, BEAM], note="Norms multiply by 1 + weight, embeddings by sqrt(hidden_size)."),
    Pack("gemma2", "dec", "Gemma2ForCausalLM",
         GEMMA | dict(query_pre_attn_scalar=6, attn_logit_softcapping=3.0, final_logit_softcapping=9.0, sliding_window=4),
         gains=GEMMA_GAINS, dtype="BF16", generation=[GREEDY, BATCH, PENALTIES],
         note="Even layers slide; both soft caps; four norms a layer; scores times query_pre_attn_scalar ** -0.5."),
    Pack("gemma3_text", "dec", "Gemma3ForCausalLM",
         GEMMA | dict(query_pre_attn_scalar=12, sliding_window=5, rope_theta=1e6, rope_local_base_freq=1e4,
                      rope_scaling={"rope_type": "linear", "factor": 8.0},
                      layer_types=["sliding_attention", "full_attention", "sliding_attention"]),
         gains=GEMMA_GAINS, dtype="BF16", generation=[GREEDY, BATCH, BAD_WORDS],
         note="Norms of queries and keys; sliding layers turn by rope_local_base_freq unscaled, full ones by rope_theta scaled."),
    Pack("gemma3_text_pattern", "dec", "Gemma3ForCausalLM",
         GEMMA | dict(query_pre_attn_scalar=8, sliding_window=4, rope_theta=1e6, rope_local_base_freq=1e4, sliding_window_pattern=2),
         stored=dict(layer_types=None, sliding_window_pattern=2, _sliding_window_pattern=None), gains=GEMMA_GAINS, dtype="BF16",
         lengths=[[11], [7, 12, 5]], generation=[GREEDY],
         note="The config as google's checkpoints have it: sliding_window_pattern (every second layer is full) instead of layer_types."),
    Pack("phi3", "dec", "Phi3ForCausalLM",
         LLAMA | dict(num_attention_heads=4, num_key_value_heads=2, sliding_window=6, original_max_position_embeddings=64),
         generation=[GREEDY, BATCH], note="qkv_proj and gate_up_proj fused."),
    Pack("phi3_longrope", "dec", "Phi3ForCausalLM",
         LLAMA | dict(num_attention_heads=4, num_key_value_heads=2, partial_rotary_factor=0.75, original_max_position_embeddings=16,
                      rope_scaling={"type": "longrope", "short_factor": [1.0, 1.3, 1.9], "long_factor": [1.5, 3.0, 9.0]}),
         lengths=[[11], [7, 12, 5], [33]], generation=[Generation("greedy_short", [6], dict(max_new_tokens=9, num_beams=1)),
                                                       Generation("greedy_long_prompt", [19], dict(max_new_tokens=14, num_beams=1))],
         note="Sequences above original_max_position_embeddings turn by long_factor, others by short_factor; cos and sin are scaled in both. "
         "Six of eight features of a head turn. No generation crosses the limit."),
    scaled("linear", "Positions divided by the factor.", rope_scaling={"type": "linear", "factor": 2.5}),
    scaled("dynamic", "Sequences above max_position_embeddings change the base. In generation a key keeps the angle of the length at which it was "
           "written: HF turns no cached key again.", rope_scaling={"rope_type": "dynamic", "factor": 2.0}, max_position_embeddings=16,
           generation=[Generation("greedy_short", [6], dict(max_new_tokens=9, num_beams=1)), LONG]),
    scaled("llama3", "Wavelengths below 16, between and above 64 are all there.",
           rope_scaling={"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 64},
           max_position_embeddings=512, generation=[GREEDY, BEAM]),
    scaled("yarn", "The default betas; cos and sin times 0.1 ln(factor) + 1.", max_position_embeddings=2048,
           rope_scaling={"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 512}),
    Pack("llama_bias", "dec", "LlamaForCausalLM",
         LLAMA | dict(hidden_size=28, num_attention_heads=2, num_key_value_heads=2, head_dim=12, attention_bias=True, mlp_bias=True,
                      tie_word_embeddings=True, rms_norm_eps=1e-6),
         generation=[GREEDY, TWO_ENDS], note="Biases in every projection; head_dim is not hidden / heads; tied."),
    Pack("bloom", "dec", "BloomForCausalLM",
         dict(vocab_size=93, hidden_size=30, n_layer=2, n_head=6, pad_token_id=3, bos_token_id=1, eos_token_id=2, layer_norm_epsilon=1e-5),
         first_id=4, generation=[GREEDY, BATCH], note="ALiBi with a number of heads that is no power of two; queries, keys and values interleaved by head."),
    Pack("gpt2_sequence_classification", "dec", "GPT2ForSequenceClassification",
         dict(vocab_size=87, n_embd=24, n_layer=2, n_head=3, n_positions=40, pad_token_id=86, bos_token_id=86, eos_token_id=86, num_labels=3),
         note="logits (B, 3) of the last token that is not pad_token_id."),
    Pack("llama_sequence_classification", "dec", "LlamaForSequenceClassification", LLAMA | dict(num_labels=3),
         note="logits (B, 3) of the last token that is not pad_token_id."),
]  # fmt: skip
