"""Encoders: masked language models, every classification head, question answering, sentence embeddings."""

from pack import Pack

BERT = dict(
    vocab_size=71,
    hidden_size=24,
    num_hidden_layers=2,
    num_attention_heads=3,
    intermediate_size=37,
    max_position_embeddings=35,
    type_vocab_size=2,
    pad_token_id=0,
)
ROBERTA = BERT | dict(
    hidden_size=20,
    num_attention_heads=4,
    max_position_embeddings=36,
    type_vocab_size=1,
    pad_token_id=1,
    bos_token_id=0,
    eos_token_id=2,
    layer_norm_eps=1e-5,
)
MODERNBERT = dict(
    vocab_size=71,
    hidden_size=24,
    num_hidden_layers=4,
    num_attention_heads=3,
    intermediate_size=37,
    max_position_embeddings=40,
    local_attention=6,
    global_attn_every_n_layers=3,
    reference_compile=False,
    pad_token_id=0,
    bos_token_id=1,
    cls_token_id=1,
    eos_token_id=2,
    sep_token_id=2,
)
DISTILBERT = dict(vocab_size=79, dim=28, n_layers=2, n_heads=4, hidden_dim=34, max_position_embeddings=33, pad_token_id=0)
ELECTRA = BERT | dict(embedding_size=15, hidden_size=28, num_attention_heads=4, intermediate_size=38)
MPNET = dict(
    vocab_size=73,
    hidden_size=24,
    num_hidden_layers=2,
    num_attention_heads=3,
    intermediate_size=37,
    max_position_embeddings=36,
    relative_attention_num_buckets=32,
    pad_token_id=1,
    bos_token_id=0,
    eos_token_id=2,
    layer_norm_eps=1e-5,
)
ALBERT = dict(
    vocab_size=69,
    embedding_size=14,
    hidden_size=25,
    num_hidden_layers=4,
    num_hidden_groups=2,
    inner_group_num=1,
    num_attention_heads=5,
    intermediate_size=42,
    max_position_embeddings=34,
    hidden_act="gelu_new",
    pad_token_id=0,
    bos_token_id=2,
    eos_token_id=3,
)


def labels(*names: str) -> dict:
    return dict(id2label=dict(enumerate(names)), label2id={name: i for i, name in enumerate(names)})


SENTIMENT = labels("NEGATIVE", "POSITIVE")
STARS = labels("1 star", "2 stars", "3 stars", "4 stars", "5 stars")
ENTITIES = labels("O", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC")
MOODS = labels("admiration", "amusement", "anger", "neutral")

PACKS = [
    Pack("electra", "enc", "ElectraForMaskedLM", ELECTRA, note="A generator: embedding_size is not hidden_size."),
    Pack(
        "electra_discriminator",
        "enc",
        "ElectraForPreTraining",
        ELECTRA | dict(embedding_size=28),
        note="embedding_size is hidden_size: no embeddings_project. logits (B, T): above 0 where a token looks replaced.",
    ),
    Pack("xlm_roberta", "enc", "XLMRobertaForMaskedLM", ROBERTA | dict(vocab_size=73), note="Positions start behind pad_token_id."),
    Pack("mpnet", "enc", "MPNetForMaskedLM", MPNET, note="Positions start behind pad_token_id; one bias by distance for all layers."),
    Pack(
        "mpnet_sentence",
        "enc",
        "MPNetModel",
        MPNET | dict(hidden_size=20, num_attention_heads=5, intermediate_size=33, max_position_embeddings=40),
        note="No prefix before the names.",
    ),
    Pack(
        "modernbert",
        "enc",
        "ModernBertForMaskedLM",
        MODERNBERT,
        note="Two layers see a window of three tokens to both sides, and turn by angles of their own; no norm in the first layer, no biases.",
    ),
    Pack(
        "modernbert_sequence_classification",
        "enc",
        "ModernBertForSequenceClassification",
        MODERNBERT
        | STARS
        | dict(
            hidden_size=20,
            num_attention_heads=2,
            local_attention=9,
            global_attn_every_n_layers=2,
            classifier_pooling="mean",
            norm_bias=True,
            attention_bias=True,
            mlp_bias=True,
            classifier_bias=True,
            classifier_activation="silu",
            norm_eps=1e-3,
        ),
        note="The mean over the tokens is classified; every bias there may be.",
    ),
    Pack(
        "modernbert_regression",
        "enc",
        "ModernBertForSequenceClassification",
        MODERNBERT | labels("LABEL_0") | dict(hidden_activation="gelu_pytorch_tanh", num_hidden_layers=2),
        dtype="F16",
        note="One label, of the first token: rerankers.",
    ),
    Pack(
        "modernbert_token_classification",
        "enc",
        "ModernBertForTokenClassification",
        MODERNBERT | ENTITIES | dict(local_rope_theta=None, num_hidden_layers=3),
        dtype="BF16",
        note="All layers turn by the same angles.",
    ),
    Pack("modernbert_question_answering", "enc", "ModernBertForQuestionAnswering", MODERNBERT | dict(num_hidden_layers=2), dtype="BF16"),
    Pack(
        "modernbert_release_5",
        "enc",
        "ModernBertForMaskedLM",
        {k: v for k, v in MODERNBERT.items() if k != "global_attn_every_n_layers"}
        | dict(
            layer_types=["sliding_attention", "full_attention", "full_attention", "sliding_attention"],
            rope_parameters={
                "sliding_attention": {"rope_type": "default", "rope_theta": 5e2},
                "full_attention": {"rope_type": "default", "rope_theta": 8e4},
            },
        ),
        dtype="BF16",
        release=5,
        note="layer_types and rope_parameters instead of global_attn_every_n_layers, global_rope_theta and local_rope_theta.",
    ),
    Pack("albert", "enc", "AlbertForMaskedLM", ALBERT, note="Two groups of one layer, each applied twice."),
    Pack("bert_sequence_classification", "enc", "BertForSequenceClassification", BERT | STARS),
    Pack("bert_token_classification", "enc", "BertForTokenClassification", BERT | ENTITIES),
    Pack("bert_question_answering", "enc", "BertForQuestionAnswering", BERT),
    Pack("distilbert_sequence_classification", "enc", "DistilBertForSequenceClassification", DISTILBERT | SENTIMENT),
    Pack("distilbert_token_classification", "enc", "DistilBertForTokenClassification", DISTILBERT | ENTITIES, dtype="F16"),
    Pack("distilbert_question_answering", "enc", "DistilBertForQuestionAnswering", DISTILBERT, dtype="F16"),
    Pack(
        "roberta_sequence_classification",
        "enc",
        "RobertaForSequenceClassification",
        ROBERTA | MOODS | dict(problem_type="multi_label_classification"),
    ),
    Pack("roberta_token_classification", "enc", "RobertaForTokenClassification", ROBERTA | ENTITIES),
    Pack("roberta_question_answering", "enc", "RobertaForQuestionAnswering", ROBERTA),
    Pack(
        "electra_sequence_classification",
        "enc",
        "ElectraForSequenceClassification",
        ELECTRA | labels("LABEL_0"),
        dtype="F16",
        note="One label: a regression, as in cross-encoders.",
    ),
    Pack("electra_token_classification", "enc", "ElectraForTokenClassification", ELECTRA | ENTITIES, dtype="BF16"),
    Pack(
        "albert_sequence_classification",
        "enc",
        "AlbertForSequenceClassification",
        ALBERT | SENTIMENT | dict(num_hidden_layers=2, num_hidden_groups=1, inner_group_num=2),
        dtype="F16",
        note="One group of two layers, applied twice.",
    ),
    Pack("albert_question_answering", "enc", "AlbertForQuestionAnswering", ALBERT | dict(num_hidden_layers=3, num_hidden_groups=1)),
    Pack(
        "sentence_bert",
        "enc",
        "BertModel",
        BERT | dict(hidden_size=27, hidden_act="gelu_new"),
        note="No prefix before the names, a pooler, and the files of sentence-transformers. mean_pooled_normalized and "
        "cls_pooled_normalized are last_hidden_state averaged over the mask, or its first row, divided by its length.",
        extra_files={
            "modules.json": [
                {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
                {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
                {"idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"},
            ],
            "1_Pooling/config.json": {
                "word_embedding_dimension": 27,
                "pooling_mode_cls_token": False,
                "pooling_mode_mean_tokens": True,
                "pooling_mode_max_tokens": False,
                "pooling_mode_mean_sqrt_len_tokens": False,
            },
            "sentence_bert_config.json": {"max_seq_length": 32, "do_lower_case": False},
        },
    ),
    Pack(
        "bert_relative_key",
        "enc",
        "BertForMaskedLM",
        BERT | dict(position_embedding_type="relative_key"),
        optional=True,
        dtype="F16",
        note="Relative key positions of Shaw et al.; older releases of transformers only.",
    ),
]
