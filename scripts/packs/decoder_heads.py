"""Heads of decoders but for the language model's: classification by the last token, question answering."""

from decoders import LLAMA, neox, opt
from pack import Pack

PACKS = [
    opt(
        "opt_sequence_classification",
        "logits (B, 3) of the last token that is not pad_token_id.",
        [],
        model="OPTForSequenceClassification",
        hidden_size=24,
        num_attention_heads=2,
        ffn_dim=29,
        num_labels=3,
        _remove_final_layer_norm=True,
    ),
    Pack(
        "gpt2_sequence_classification",
        "dec",
        "GPT2ForSequenceClassification",
        dict(
            vocab_size=87, n_embd=24, n_layer=2, n_head=3, n_positions=40, pad_token_id=86, bos_token_id=86, eos_token_id=86, num_labels=3
        ),
        note="logits (B, 3) of the last token that is not pad_token_id.",
    ),
    Pack(
        "llama_sequence_classification",
        "dec",
        "LlamaForSequenceClassification",
        LLAMA | dict(num_labels=3),
        note="logits (B, 3) of the last token that is not pad_token_id.",
    ),
    Pack(
        "llama_question_answering",
        "dec",
        "LlamaForQuestionAnswering",
        LLAMA | dict(num_hidden_layers=1),
        lengths=[[10], [5, 9]],
        dtype="BF16",
        note="The model is a module called transformer.",
    ),
    neox(
        "gpt_neox_sequence_classification",
        "logits (B, 3) of the last token that is not pad_token_id.",
        [],
        model="GPTNeoXForSequenceClassification",
        num_labels=3,
        num_hidden_layers=1,
        hidden_size=24,
        num_attention_heads=3,
        intermediate_size=37,
        lengths=[[10], [5, 9]],
        dtype="BF16",
    ),
    Pack(
        "smollm3_sequence_classification",
        "dec",
        "SmolLM3ForSequenceClassification",
        LLAMA | dict(num_labels=3, num_hidden_layers=2, no_rope_layers=[1, 0]),
        lengths=[[10], [5, 9]],
        dtype="BF16",
        note="logits (B, 3) of the last token that is not pad_token_id.",
    ),
]
