"""Decoders: Llama's neighbours with what tells them apart, Bloom's ALiBi, kinds of GPT; ropes.py has the scalings, decoder_heads.py the heads."""

from pack import Generation, Pack

LLAMA = dict(
    vocab_size=71,
    hidden_size=32,
    intermediate_size=43,
    num_hidden_layers=2,
    num_attention_heads=2,
    num_key_value_heads=1,
    max_position_embeddings=64,
    pad_token_id=0,
    bos_token_id=1,
    eos_token_id=2,
    rms_norm_eps=1e-5,
    rope_theta=10000.0,
    tie_word_embeddings=False,
)

# Strong sublayers beside the embeddings: the models are not to say one word over and over.
LIVELY = {r"(v_proj|o_proj|down_proj|c_proj)\.weight": 0.4, r"(gate_proj|up_proj|gate_up_proj|c_fc)\.weight": 0.3}

GREEDY = Generation("greedy", [9], dict(max_new_tokens=20, num_beams=1))
BATCH = Generation("greedy_batch_left_padded", [5, 10], dict(max_new_tokens=16, num_beams=1))
BEAM = Generation("beam4_batch_left_padded", [6, 9], dict(max_new_tokens=16, num_beams=4))
# No hypothesis ends, since releases of transformers divide by different lengths.
ENDLESS_BEAM = Generation("beam4_endless", [6, 9], dict(max_new_tokens=16, num_beams=4, min_new_tokens=16))
PENALTIES = Generation(
    "greedy_penalties",
    [8],
    lambda free: dict(
        max_new_tokens=20, num_beams=1, repetition_penalty=1.4, no_repeat_ngram_size=2, min_new_tokens=8, eos_token_id=free[4]
    ),
    ["repetition_penalty", "no_repeat_ngram_size", "min_new_tokens"],
)
BAD_WORDS = Generation(
    "greedy_bad_words", [7], lambda free: dict(max_new_tokens=18, num_beams=1, bad_words_ids=[[free[2]], free[4:6]]), ["bad_words_ids"]
)
PROMPT_NGRAMS = Generation(
    "greedy_prompt_ngrams",
    [8, 13],
    dict(max_new_tokens=18, num_beams=1, encoder_no_repeat_ngram_size=1),
    ["encoder_no_repeat_ngram_size"],
)
TWO_ENDS = Generation(
    "greedy_two_ends", [7, 9], lambda free: dict(max_new_tokens=18, num_beams=1, eos_token_id=[2, free[6]]), ["eos_token_id"]
)


GEMMA = dict(
    vocab_size=83,
    hidden_size=28,
    intermediate_size=35,
    num_hidden_layers=3,
    num_attention_heads=4,
    num_key_value_heads=2,
    head_dim=8,
    max_position_embeddings=64,
    pad_token_id=0,
    eos_token_id=1,
    bos_token_id=2,
    rms_norm_eps=1e-6,
    rope_theta=10000.0,
)
GEMMA_GAINS = LIVELY | {"embed_tokens": 0.3, r"^model\.norm": 2.5}


def decoder(name: str, note: str, generation: list[Generation], *, model: str, base: dict, gains: dict, changes: dict) -> Pack:
    """A model of Llama's shape: `changes` replace fields of the pack or keys of its config (None: to remove)."""
    fields = {key: changes.pop(key) for key in ("dtype", "seed", "lengths", "stored", "release") if key in changes}
    config = {key: value for key, value in (base | changes).items() if value is not None}
    return Pack(name, "dec", model if "For" in model else f"{model}ForCausalLM", config, generation=generation, gains=gains, note=note, **fields)


def llama(name: str, note: str, generation: list[Generation], *, model: str = "Llama", **changes) -> Pack:
    return decoder(name, note, generation, model=model, base=LLAMA, gains=LIVELY, changes=changes)


def gemma(name: str, note: str, generation: list[Generation], *, model: str, **changes) -> Pack:
    return decoder(name, note, generation, model=model, base=GEMMA, gains=GEMMA_GAINS, changes={"dtype": "BF16"} | changes)


def neox(name: str, note: str, generation: list[Generation], *, model: str = "GPTNeoX", **changes) -> Pack:
    base = dict(vocab_size=77, num_hidden_layers=2, max_position_embeddings=64, pad_token_id=0, bos_token_id=1, eos_token_id=2)
    return decoder(name, note, generation, model=model, base=base, gains={}, changes=changes)


def opt(name: str, note: str, generation: list[Generation], *, model: str = "OPTForCausalLM", **changes) -> Pack:
    base = dict(vocab_size=73, num_hidden_layers=2, max_position_embeddings=64, pad_token_id=1, bos_token_id=2, eos_token_id=2)
    return decoder(name, note, generation, model=model, base=base, gains={}, changes=changes)


NEIGHBOURS = [
    llama(
        "mistral",
        "A token sees itself and the sliding_window - 1 before it; head_dim is not hidden / heads.",
        [GREEDY, BATCH, PENALTIES],
        seed=8,
        model="Mistral",
        dtype="BF16",
        hidden_size=36,
        num_attention_heads=6,
        num_key_value_heads=2,
        head_dim=8,
        sliding_window=5,
    ),
    llama(
        "qwen2",
        "sliding_window is in the config but not in use; biases of queries, keys and values; tied.",
        [GREEDY, BEAM, TWO_ENDS],
        model="Qwen2",
        dtype="BF16",
        hidden_size=40,
        num_attention_heads=5,
        rope_theta=1e6,
        rms_norm_eps=1e-6,
        tie_word_embeddings=True,
        use_sliding_window=False,
        sliding_window=4,
        max_window_layers=1,
    ),
    llama(
        "qwen2_sliding",
        "Layers from max_window_layers on are sliding.",
        [BATCH],
        model="Qwen2",
        dtype="F16",
        hidden_size=24,
        num_attention_heads=3,
        num_hidden_layers=3,
        rope_theta=1e6,
        use_sliding_window=True,
        sliding_window=4,
        max_window_layers=1,
    ),
    llama(
        "qwen3",
        "Norms of each head's queries and keys; head_dim is not hidden / heads.",
        [GREEDY, BATCH, BAD_WORDS],
        seed=1,
        model="Qwen3",
        dtype="BF16",
        hidden_size=30,
        num_attention_heads=6,
        num_key_value_heads=2,
        head_dim=8,
        rope_theta=1e6,
        rms_norm_eps=1e-6,
    ),
    llama(
        "phi3",
        "qkv_proj and gate_up_proj fused; sliding.",
        [GREEDY, BATCH],
        seed=1,
        model="Phi3",
        dtype="F16",
        num_attention_heads=4,
        num_key_value_heads=2,
        sliding_window=6,
        original_max_position_embeddings=64,
    ),
    llama(
        "olmo2",
        "Norms behind the sublayers, and of all queries and all keys of a token together.",
        [GREEDY, BATCH, ENDLESS_BEAM],
        seed=1,
        model="Olmo2",
        dtype="BF16",
        hidden_size=30,
        num_attention_heads=3,
        num_key_value_heads=1,
    ),
    llama(
        "granite",
        "Embeddings, scores, what sublayers add, and logits are multiplied.",
        [GREEDY, BATCH, PENALTIES],
        model="Granite",
        dtype="BF16",
        num_attention_heads=4,
        num_key_value_heads=2,
        embedding_multiplier=2.5,
        attention_multiplier=0.2,
        residual_multiplier=0.7,
        logits_scaling=1.7,
        attention_bias=True,
        tie_word_embeddings=True,
    ),
    llama(
        "smollm3",
        "Every second layer knows no positions; tied.",
        [GREEDY, BATCH, BEAM],
        model="SmolLM3",
        dtype="BF16",
        num_hidden_layers=4,
        hidden_size=24,
        num_attention_heads=3,
        no_rope_layer_interval=2,
        rope_theta=5e4,
        tie_word_embeddings=True,
    ),
    llama(
        "smollm3_sliding",
        "no_rope_layers says which layers turn; those that do not are sliding.",
        [GREEDY],
        model="SmolLM3",
        dtype="F16",
        num_hidden_layers=3,
        hidden_size=24,
        num_attention_heads=3,
        no_rope_layers=[1, 0, 1],
        use_sliding_window=True,
        sliding_window=5,
    ),
    llama(
        "starcoder2",
        "Layer norms, biases and a feed-forward network without a gate; sliding; tied.",
        [GREEDY, BATCH, ENDLESS_BEAM],
        model="Starcoder2",
        dtype="F16",
        hidden_size=28,
        num_key_value_heads=1,
        rms_norm_eps=None,
        norm_epsilon=1e-4,
        sliding_window=6,
        tie_word_embeddings=True,
    ),
    llama(
        "stablelm",
        "Layer norms; a quarter of each head is turned; biases of queries, keys and values.",
        [GREEDY, BATCH],
        model="StableLm",
        dtype="F16",
        hidden_size=32,
        num_attention_heads=2,
        num_key_value_heads=2,
        rms_norm_eps=None,
        layer_norm_eps=1e-4,
        use_qkv_bias=True,
    ),
    llama(
        "stablelm_parallel",
        "Attention and feed-forward network side by side behind one norm; half of each head is turned.",
        [GREEDY, TWO_ENDS],
        model="StableLm",
        hidden_size=36,
        num_attention_heads=3,
        num_key_value_heads=3,
        rms_norm_eps=None,
        partial_rotary_factor=0.5,
        use_parallel_residual=True,
    ),
    llama(
        "cohere",
        "Rotary positions turn neighbours; one layer norm without bias for attention and feed-forward network side by side; logits scaled; tied.",
        [GREEDY, BATCH, ENDLESS_BEAM],
        model="Cohere",
        dtype="BF16",
        hidden_size=36,
        num_attention_heads=6,
        num_key_value_heads=2,
        rms_norm_eps=None,
        layer_norm_eps=1e-4,
        attention_bias=True,
        logit_scale=0.4,
        tie_word_embeddings=None,
    ),
    llama(
        "cohere2",
        "Every second layer sees a window and turns, the others know no positions; two heads of keys of ten features.",
        [GREEDY, BATCH],
        model="Cohere2",
        dtype="F16",
        hidden_size=40,
        num_attention_heads=4,
        num_key_value_heads=2,
        num_hidden_layers=3,
        rms_norm_eps=None,
        sliding_window=5,
        logit_scale=0.5,
        layer_types=["full_attention", "sliding_attention", "full_attention"],
        tie_word_embeddings=None,
    ),
    llama(
        "llama_bias",
        "Biases in every projection; head_dim is not hidden / heads; tied.",
        [GREEDY, TWO_ENDS],
        seed=9,
        hidden_size=28,
        dtype="F16",
        num_key_value_heads=2,
        head_dim=12,
        attention_bias=True,
        mlp_bias=True,
        tie_word_embeddings=True,
        rms_norm_eps=1e-6,
    ),
    gemma(
        "gemma",
        "Norms multiply by 1 + weight, embeddings by sqrt(hidden_size).",
        [GREEDY, BEAM],
        seed=1,
        model="Gemma",
        hidden_size=24,
        num_attention_heads=3,
        num_key_value_heads=1,
        head_dim=10,
        num_hidden_layers=2,
        hidden_act="gelu_pytorch_tanh",
    ),
    gemma(
        "gemma2",
        "Even layers slide; both soft caps; four norms a layer; scores times query_pre_attn_scalar ** -0.5.",
        [GREEDY, BATCH, BAD_WORDS],
        seed=6,
        model="Gemma2",
        query_pre_attn_scalar=6,
        attn_logit_softcapping=3.0,
        final_logit_softcapping=9.0,
        sliding_window=4,
    ),
    gemma(
        "gemma3_text",
        "Norms of queries and keys; sliding layers turn by rope_local_base_freq unscaled, full ones by rope_theta scaled.",
        [GREEDY, BATCH, BAD_WORDS],
        seed=6,
        model="Gemma3",
        query_pre_attn_scalar=12,
        sliding_window=5,
        rope_theta=1e6,
        rope_local_base_freq=1e4,
        rope_scaling={"rope_type": "linear", "factor": 8.0},
        layer_types=["sliding_attention", "full_attention", "sliding_attention"],
    ),
    gemma(
        "gemma3_text_pattern",
        "The config as google's checkpoints have it: sliding_window_pattern (every second layer is full), no layer_types.",
        [GREEDY],
        seed=2,
        model="Gemma3",
        query_pre_attn_scalar=8,
        sliding_window=4,
        rope_theta=1e6,
        rope_local_base_freq=1e4,
        sliding_window_pattern=2,
        stored=dict(layer_types=None, sliding_window_pattern=2, _sliding_window_pattern=None),
        lengths=[[10], [5, 9]],
    ),
]


# As transformers 5 writes them: rope_parameters holds the base and the scaling, and one of each for every type of layer in Gemma 3.
RELEASE_5 = [
    llama(
        "qwen3_release_5",
        "rope_parameters instead of rope_theta and rope_scaling.",
        [GREEDY],
        model="Qwen3",
        dtype="BF16",
        release=5,
        hidden_size=30,
        num_attention_heads=6,
        num_key_value_heads=2,
        head_dim=8,
        rope_theta=None,
        max_position_embeddings=512,
        rope_parameters={
            "rope_type": "llama3",
            "rope_theta": 5e5,
            "factor": 8.0,
            "low_freq_factor": 1.0,
            "high_freq_factor": 4.0,
            "original_max_position_embeddings": 64,
        },
    ),
    gemma(
        "gemma3_text_release_5",
        "rope_parameters by type of layer instead of rope_theta, rope_local_base_freq and rope_scaling.",
        [GREEDY],
        seed=6,
        model="Gemma3",
        release=5,
        query_pre_attn_scalar=12,
        sliding_window=5,
        rope_theta=None,
        rope_parameters={
            "sliding_attention": {"rope_type": "default", "rope_theta": 1e4},
            "full_attention": {"rope_type": "linear", "rope_theta": 1e6, "factor": 8.0},
        },
        layer_types=["sliding_attention", "full_attention", "sliding_attention"],
    ),
]

OTHERS = [
    Pack(
        "bloom",
        "dec",
        "BloomForCausalLM",
        dict(vocab_size=79, hidden_size=30, n_layer=2, n_head=6, pad_token_id=3, bos_token_id=1, eos_token_id=2, layer_norm_epsilon=1e-5),
        first_id=4,
        generation=[GREEDY, BATCH, BEAM],
        dtype="BF16",
        seed=8,
        note="ALiBi with a number of heads that is no power of two; queries, keys and values interleaved by head.",
    ),
    neox(
        "gpt_neox",
        "Attention and feed-forward network side by side; a quarter of each head is turned; queries, keys and values interleaved by head.",
        [GREEDY, BATCH, BEAM],
        seed=1,
        dtype="F16",
        hidden_size=48,
        num_attention_heads=3,
        intermediate_size=50,
        rotary_pct=0.25,
        rotary_emb_base=1e4,
    ),
    neox(
        "gpt_neox_in_turn",
        "use_parallel_residual is false; no biases in the attention; eight of twelve features of a head turn, by scaled angles.",
        [GREEDY, PENALTIES],
        dtype="BF16",
        hidden_size=36,
        num_attention_heads=3,
        intermediate_size=45,
        rotary_pct=0.7,
        rotary_emb_base=5e3,
        rope_scaling={"rope_type": "linear", "factor": 2.5},
        hidden_act="gelu_fast",
        use_parallel_residual=False,
        attention_bias=False,
        layer_norm_eps=1e-3,
        tie_word_embeddings=True,
    ),
    neox(
        "gpt_neox_release_5",
        "rope_parameters instead of rotary_pct, rotary_emb_base and rope_scaling.",
        [GREEDY],
        release=5,
        dtype="BF16",
        hidden_size=24,
        num_attention_heads=2,
        intermediate_size=30,
        rope_parameters={"rope_type": "linear", "rope_theta": 5e3, "partial_rotary_factor": 0.5, "factor": 2.0},
    ),
    opt(
        "opt",
        "Norms before the sublayers; learned positions behind two rows.",
        [GREEDY, BATCH, BEAM, TWO_ENDS, PROMPT_NGRAMS],
        dtype="F16",
        hidden_size=33,
        num_attention_heads=3,
        ffn_dim=37,
    ),
    opt(
        "opt_350m",
        "Norms after the sublayers and none at the end; embeddings are narrower than the layers; no biases.",
        [GREEDY, BAD_WORDS],
        hidden_size=30,
        num_attention_heads=5,
        ffn_dim=41,
        word_embed_proj_dim=22,
        do_layer_norm_before=False,
        enable_bias=False,
        activation_function="gelu",
    ),
]

PACKS = [*NEIGHBOURS, *RELEASE_5, *OTHERS]
