"""Encoders with decoders: the mBART, M2M-100, Pegasus, mT5 and BART configurations that the Hub's checkpoints have."""

from pack import Generation, Pack

BART = dict(
    vocab_size=99,
    d_model=24,
    encoder_layers=2,
    decoder_layers=2,
    encoder_attention_heads=4,
    decoder_attention_heads=3,
    encoder_ffn_dim=33,
    decoder_ffn_dim=38,
    max_position_embeddings=40,
    pad_token_id=1,
    bos_token_id=0,
    eos_token_id=2,
    decoder_start_token_id=2,
)
BLENDERBOT = BART | dict(vocab_size=90, d_model=24, pad_token_id=0, bos_token_id=1, decoder_start_token_id=1)
T5 = dict(
    vocab_size=101,
    d_model=22,
    d_kv=5,
    num_heads=3,
    d_ff=35,
    num_layers=3,
    num_decoder_layers=2,
    relative_attention_num_buckets=8,
    relative_attention_max_distance=20,
    pad_token_id=0,
    eos_token_id=1,
    decoder_start_token_id=0,
)

# Strong sublayers and positions beside the embeddings, and cross-attention, which changes least from word to word, held back: the models
# are not to say one word over and over.
LIVELY = {
    r"encoder_attn\.out_proj\.weight": 0.12,
    r"(v_proj|out_proj|fc1|fc2)\.weight": 0.35,
    "shared": 0.45,
    "embed_positions": 0.8,
    "final_logits_bias": 0.5,
    r"decoder\.layers\.\d\.final_layer_norm\.weight": 1.0,
}

GREEDY = Generation("greedy", [9], dict(max_new_tokens=20, num_beams=1))
BEAM = Generation("beam4_batch2_padded", [8, 12], dict(max_new_tokens=20, num_beams=4))


def early(name: str, eos_at: int, matter: list[str], lengths: tuple[int, ...] = (8, 11), **kwargs) -> Generation:
    """Beam search in which sentences may end early, at a word that the model wants to write at `eos_at`."""
    return Generation(name, [*lengths], lambda free: dict(max_new_tokens=22, eos_token_id=free[eos_at]) | kwargs, matter)


PENALTIES = Generation(
    "greedy_penalties",
    [10],
    lambda free: dict(max_new_tokens=22, num_beams=1, repetition_penalty=1.4, no_repeat_ngram_size=2, min_length=10, eos_token_id=free[4]),
    ["repetition_penalty", "no_repeat_ngram_size", "min_length"],
)
BAD_WORDS = Generation(
    "greedy_bad_words", [7], lambda free: dict(max_new_tokens=20, num_beams=1, bad_words_ids=[[free[2]], free[4:6]]), ["bad_words_ids"]
)

PACKS = [
    Pack(
        "bart_cnn",
        "encdec",
        "BartForConditionalGeneration",
        BART | dict(forced_eos_token_id=2),
        gains=LIVELY,
        generation_config=dict(
            forced_bos_token_id=0,
            forced_eos_token_id=2,
            no_repeat_ngram_size=3,
            min_length=8,
            max_length=24,
            num_beams=4,
            early_stopping=True,
            length_penalty=2.0,
        ),
        generation=[
            Generation("as_configured", [12], {}, ["forced_bos_token_id", "no_repeat_ngram_size"]),
            Generation("as_configured_batch2_padded", [7, 12], lambda free: dict(eos_token_id=free[5]), ["min_length", "num_beams"]),
            Generation("greedy_ngrams", [10], dict(num_beams=1, max_new_tokens=22), ["no_repeat_ngram_size", "forced_bos_token_id"]),
            early(
                "beam3_min_new_tokens",
                4,
                ["min_new_tokens", "length_penalty"],
                num_beams=3,
                min_new_tokens=6,
                length_penalty=0.3,
                min_length=0,
            ),
        ],
        seed=10,
        note="Settings of facebook/bart-large-cnn.",
    ),
    Pack(
        "bart_sequence_classification",
        "encdec",
        "BartForSequenceClassification",
        BART
        | dict(id2label={0: "contradiction", 1: "neutral", 2: "entailment"}, label2id={"contradiction": 0, "neutral": 1, "entailment": 2}),
        lengths=[[(9, 0)], [(6, 0), (10, 0)], [(19, 0)]],
        dtype="F16",
        note="The decoder reads the source shifted right; logits (B, 3) come from its last end of sentence.",
    ),
    Pack(
        "blenderbot",
        "encdec",
        "BlenderbotForConditionalGeneration",
        BLENDERBOT | dict(scale_embedding=True, encoder_layers=1),
        gains=LIVELY,
        generation_config=dict(forced_eos_token_id=2, encoder_no_repeat_ngram_size=1, no_repeat_ngram_size=3, max_length=24, num_beams=4),
        generation=[
            Generation("as_configured", [11], {}, ["encoder_no_repeat_ngram_size"]),
            Generation("as_configured_batch2_padded", [7, 12], {}, ["encoder_no_repeat_ngram_size", "num_beams"]),
            Generation(
                "greedy_source_pairs",
                [14],
                dict(num_beams=1, max_new_tokens=22, encoder_no_repeat_ngram_size=2),
                ["encoder_no_repeat_ngram_size"],
            ),
        ],
        dtype="F16",
        note="Words of the source are not written again.",
    ),
    Pack(
        "blenderbot_small",
        "encdec",
        "BlenderbotSmallForConditionalGeneration",
        BLENDERBOT | dict(forced_eos_token_id=None),
        gains=LIVELY,
        generation=[GREEDY, BEAM, PENALTIES],
        dtype="F16",
        note="Norms after the sublayers; the decoder's embeddings are normalised before their positions are added, the encoder's behind.",
    ),
    Pack(
        "mbart",
        "encdec",
        "MBartForConditionalGeneration",
        BART | dict(scale_embedding=True, decoder_layers=3, activation_function="gelu"),
        gains=LIVELY,
        generation_config=dict(forced_eos_token_id=2, max_length=24, num_beams=5, early_stopping=True),
        generation=[
            Generation("greedy_language", [9], dict(max_new_tokens=20, num_beams=1, forced_bos_token_id=95), ["forced_bos_token_id"]),
            Generation(
                "beam_language_batch2_padded",
                [9, 12],
                dict(max_new_tokens=20, forced_bos_token_id=97),
                ["forced_bos_token_id", "num_beams"],
            ),
            early("beam_length_penalty_high", 5, ["length_penalty"], num_beams=4, length_penalty=2.0, early_stopping=False),
            PENALTIES,
        ],
        seed=11,
        dtype="BF16",
        note="Norms before the sublayers and behind both stacks, layernorm_embedding, embeddings times sqrt(d_model).",
    ),
    Pack(
        "m2m_100",
        "encdec",
        "M2M100ForConditionalGeneration",
        BART | dict(d_model=26, encoder_attention_heads=2, decoder_attention_heads=2, scale_embedding=True, activation_function="relu"),
        gains=LIVELY,
        generation_config=dict(forced_eos_token_id=None, max_length=24, num_beams=5, early_stopping=True),
        generation=[
            Generation("greedy_language", [9], dict(max_new_tokens=20, num_beams=1, forced_bos_token_id=92), ["forced_bos_token_id"]),
            Generation(
                "beam_language_batch2_padded",
                [9, 12],
                dict(max_new_tokens=20, forced_bos_token_id=94),
                ["forced_bos_token_id", "num_beams"],
            ),
            early("beam_length_penalty_low", 3, ["length_penalty"], num_beams=5, length_penalty=0.3, early_stopping=False),
            BAD_WORDS,
        ],
        seed=6,
        dtype="F16",
        note="Sinusoidal positions with the offset of pad_token_id + 1, no norm of the embeddings; NLLB is the same.",
    ),
    Pack(
        "pegasus",
        "encdec",
        "PegasusForConditionalGeneration",
        BART
        | dict(
            pad_token_id=0,
            eos_token_id=1,
            bos_token_id=None,
            decoder_start_token_id=0,
            scale_embedding=True,
            static_position_embeddings=True,
            activation_function="relu",
            forced_eos_token_id=1,
        ),
        gains=LIVELY,
        dtype="F16",
        generation_config=dict(forced_eos_token_id=1, max_length=24, num_beams=8, length_penalty=0.6, min_length=6),
        generation=[
            Generation("as_configured_batch2_padded", [9, 12], lambda free: dict(eos_token_id=free[3]), ["length_penalty", "min_length"]),
            GREEDY,
            BAD_WORDS,
            early("beam_never", 3, ["length_penalty"], num_beams=4, early_stopping="never", length_penalty=0.0),
        ],
        seed=14,
        note="Sinusoidal positions from 0, stored; norms before the sublayers and behind both stacks, embeddings times sqrt(d_model).",
    ),
    Pack(
        "mt5",
        "encdec",
        "MT5ForConditionalGeneration",
        T5 | dict(feed_forward_proj="gated-gelu", tie_word_embeddings=False),
        gains={r"\.q\.weight": 0.17},
        generation=[GREEDY, BEAM, PENALTIES],
        seed=6,
        dtype="BF16",
        note="lm_head of its own, decoder states not scaled by 1/sqrt(d_model).",
    ),
    Pack(
        "umt5",
        "encdec",
        "UMT5ForConditionalGeneration",
        T5 | dict(feed_forward_proj="gated-gelu", tie_word_embeddings=False),
        gains={r"\.q\.weight": 0.17},
        dtype="BF16",
        generation=[GREEDY, BEAM],
        seed=6,
        note="Every layer has its own relative_attention_bias.",
    ),
    Pack(
        "t5_sequence_classification",
        "encdec",
        "T5ForSequenceClassification",
        T5 | dict(feed_forward_proj="relu", num_layers=1, num_decoder_layers=1, num_labels=3),
        lengths=[[(7, 0)], [(5, 0), (9, 0)]],
        dtype="BF16",
        note="The decoder reads the source shifted right; logits (B, 3) come from its last end of sentence.",
    ),
    Pack(
        "t5_question_answering",
        "encdec",
        "T5ForQuestionAnswering",
        T5 | dict(feed_forward_proj="gated-gelu", num_layers=1, num_decoder_layers=1),
        lengths=[[(7, 0)], [(9, 0)]],
        dtype="BF16",
        note="The decoder reads the source shifted right; start_logits and end_logits are of its rows.",
    ),
    Pack(
        "t5_token_classification",
        "enc",
        "T5ForTokenClassification",
        T5 | dict(feed_forward_proj="gated-silu", num_layers=1, num_labels=3),
        lengths=[[7], [5, 9]],
        dtype="BF16",
        note="The encoder alone, as a module called transformer.",
    ),
]
