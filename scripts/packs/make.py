"""Writes test/packs/<name>/: tiny checkpoints with random weights and what Hugging Face transformers computes from them.

    pip install torch transformers numpy
    python scripts/packs/make.py [name ...]

Without a name it makes all packs that the installed release (4 or 5) is to write; test/packs/README.md says which releases wrote them.
"""

import copy
import json
import math
import os
import re
import sys
import zlib
from pathlib import Path

import torch
import transformers

import decoder_heads
import decoders
import encoders
import ropes
import seq2seq
from pack import Generation, Pack

PACKS = [*encoders.PACKS, *seq2seq.PACKS, *decoders.PACKS, *decoder_heads.PACKS, *ropes.PACKS]
ROOT = Path(os.environ.get("PACKS", Path(__file__).resolve().parents[2] / "test" / "packs"))
DTYPES = {"F32": torch.float32, "BF16": torch.bfloat16, "F16": torch.float16}
LENGTHS = {"enc": [[9], [6, 10], [21]], "dec": [[10], [5, 9], [24]], "encdec": [[(9, 7)], [(6, 5), (10, 8)], [(19, 12)]]}
NEUTRAL = {
    "num_beams": 1,
    "length_penalty": 1.0,
    "early_stopping": False,
    "repetition_penalty": 1.0,
    "no_repeat_ngram_size": 0,
    "encoder_no_repeat_ngram_size": 0,
    "bad_words_ids": None,
    "min_length": 0,
    "min_new_tokens": None,
    "forced_bos_token_id": None,
    "forced_eos_token_id": None,
    "eos_token_id": None,
    "suppress_tokens": None,
    "begin_suppress_tokens": None,
}
FREE = 24  # tokens of the unrestrained run
ATTEMPTS = 400


def in_double(softmax):
    """Softmax that leaves f64 alone: the models ask for f32, whose range their f64 masks leave."""
    return lambda x, *args, dtype=None, **kwargs: softmax(x, *args, dtype=None if x.dtype == torch.float64 else dtype, **kwargs)


torch.nn.functional.softmax = in_double(torch.nn.functional.softmax)


# The checkpoint


def is_norm(module: torch.nn.Module) -> bool:
    return "Norm" in type(module).__name__


def final_norm(name: str) -> bool:
    return (
        not re.search(r"\.(layers?|block|h)\.\d", name) and re.search(r"(^|\.)(norm|ln_f|final_norm|final_layer_norm|layer_norm)$", name) is not None
    )


def deviation(name: str, module: torch.nn.Module, key: str, value: torch.Tensor) -> float:
    """Standard deviation of a parameter: queries and keys wide enough for peaked attention, the rest about unit gain."""
    if key == "final_logits_bias":
        return 1.0
    if is_norm(module) or key != "weight":
        return 0.9 if key == "weight" and final_norm(name) else 0.2
    if isinstance(module, torch.nn.Embedding):
        if "relative_attention_bias" in name:
            return 1.0
        return 0.4 if re.search("position|token_type|wpe", name) else 0.6
    fan_in = value.shape[0] if type(module).__name__ == "Conv1D" else value.shape[-1]
    wide = re.search(r"\.(query|key|q_proj|k_proj|q_lin|k_lin|q|k)$", name)
    fused = re.search(r"(c_attn|Wqkv|qkv_proj|query_key_value)$", name)
    head = re.search(r"(lm_head|embed_out|score|classifier|qa_outputs|out_proj|discriminator_predictions)", name) and "attn" not in name
    return (1.6 if wide else 1.4 if fused else 2.5 if head else 1.0) / math.sqrt(fan_in)


@torch.no_grad()
def randomise(model: torch.nn.Module, pack: Pack) -> None:
    """Fills every parameter with noise: weights of norms around 1 (around 0 where the model adds the 1 itself), nothing left at 0 or 1."""
    generator = torch.Generator().manual_seed(zlib.crc32(pack.name.encode()) + pack.seed)
    for name, module in model.named_modules():
        fixed = "Sinusoidal" in type(module).__name__
        own = dict(module.named_parameters(recurse=False)) | {
            k: b for k, b in module.named_buffers(recurse=False) if k == "final_logits_bias"
        }
        for key, value in own.items():
            if fixed or getattr(value, "drawn", False):
                continue
            std = next((s for pattern, s in pack.gains.items() if re.search(pattern, f"{name}.{key}")), None)
            std = deviation(name, module, key, value) if std is None else std
            adds_one = "Gemma" in type(module).__name__
            mean = 1.0 if is_norm(module) and key == "weight" and not adds_one and not final_norm(name) else 0.0
            value.copy_(mean + std * torch.randn(value.shape, generator=generator))
            value.copy_(value.to(DTYPES[pack.dtype]).float())
            value.drawn = True  # a tied parameter is met again


def write_checkpoint(pack: Pack, folder: Path) -> None:
    cls = getattr(transformers, pack.model)
    config = cls.config_class(**pack.config)
    config._attn_implementation = "eager"
    model = cls(config).eval()
    model.tie_weights()
    randomise(model, pack)
    if model.can_generate():
        model.generation_config._from_model_config = False  # as if a person had written it: old releases read the config otherwise
        for key, value in pack.generation_config.items():
            setattr(model.generation_config, key, value)
    model.to(DTYPES[pack.dtype]).save_pretrained(folder)
    path = folder / "config.json"
    stored = json.loads(path.read_text()) | pack.stored
    for key in [k for k, v in stored.items() if v is None and k in pack.stored]:
        del stored[key]
    path.write_text(json.dumps(stored, indent=2, sort_keys=True) + "\n")
    for name, content in pack.extra_files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(json.dumps(content, indent=2) + "\n")


def read_checkpoint(folder: Path, model: str) -> torch.nn.Module:
    """The model as anyone would load it, in f32."""
    kwargs = {} if transformers.__version__.startswith("4.2") else {"attn_implementation": "eager"}
    cls = getattr(transformers, model)
    loaded, info = cls.from_pretrained(folder, torch_dtype=torch.float32, output_loading_info=True, **kwargs)
    missing = [
        key for key in info["missing_keys"] if not re.search(r"position_ids|embed_positions|embed_tokens|\.attn\.bias", key)
    ]  # buffers, tied ones
    if missing or info["unexpected_keys"] or info["mismatched_keys"]:
        raise ValueError(f"{folder.name}: {info}")
    return loaded.eval()


# Running it


def restart_rope(model: torch.nn.Module) -> None:
    """Dynamic RoPE remembers the longest sequence of earlier calls; every recorded call starts afresh."""
    for module in model.modules():
        if hasattr(module, "original_inv_freq") and hasattr(module, "max_seq_len_cached"):
            module.inv_freq = module.original_inv_freq.to(module.inv_freq.dtype)
            module.max_seq_len_cached = module.original_max_seq_len


@torch.no_grad()
def forward(model: torch.nn.Module, inputs: dict, kind: str) -> tuple[dict, dict]:
    """The outputs that golden.json names, and the attention probabilities of batch item 0."""
    restart_rope(model)
    out = model(**inputs, output_attentions=True, output_hidden_states=True)
    names = ["logits", "start_logits", "end_logits", "pooler_output", "encoder_last_hidden_state"]
    outputs = {name: out[name] for name in names if out.get(name) is not None}
    hidden = out.get("decoder_hidden_states") if kind == "encdec" else out.get("hidden_states")
    if "ModernBert" in type(model).__name__:  # of release 4 its hidden_states end before the final norm, behind which its last_hidden_state is
        hidden = [model.base_model(**inputs).last_hidden_state]
    if "Classification" not in type(model).__name__ or kind != "encdec":  # BART classifies shifted inputs, which have no mask
        outputs["last_hidden_state"] = hidden[-1]
    if kind == "encdec":
        maps = {"encoder_self": out.encoder_attentions, "decoder_self": out.decoder_attentions, "cross": out.cross_attentions}
    else:
        maps = {"self": out.attentions}
    if type(model).__name__ == "BertModel":  # as sentence-transformers pools it
        mask = inputs["attention_mask"][..., None].to(hidden[-1].dtype)
        mean = (hidden[-1] * mask).sum(1) / mask.sum(1).clamp(min=1e-9)
        outputs["mean_pooled_normalized"] = torch.nn.functional.normalize(mean, dim=1)
        outputs["cls_pooled_normalized"] = torch.nn.functional.normalize(hidden[-1][:, 0], dim=1)
    return outputs, {name: [layer[0] for layer in layers] for name, layers in maps.items()}


@torch.no_grad()
def generate(model: torch.nn.Module, inputs: dict, kwargs: dict, neutral: tuple[str, ...] = ()) -> list[list[int]]:
    """generate() with some options neutral, whether they stood in the call or in generation_config.json."""
    restart_rope(model)
    before = model.generation_config
    model.generation_config = copy.deepcopy(before)
    for name in neutral:
        setattr(model.generation_config, name, NEUTRAL[name])
    call = {key: value for key, value in kwargs.items() if key not in neutral}
    ends = call.get("eos_token_id", model.generation_config.eos_token_id)
    pad = call.get("pad_token_id", model.generation_config.pad_token_id)
    try:
        rows = model.generate(**inputs, **call, do_sample=False).tolist()
    finally:
        model.generation_config = before
    start = 1 if model.config.is_encoder_decoder else inputs["input_ids"].shape[1]
    return [padded(row, start, ends if isinstance(ends, list) else [ends], pad) for row in rows]


def padded(row: list[int], start: int, ends: list[int], pad: int) -> list[int]:
    """pad_token_id behind the end of sentence, where beam search of transformers 4.57 writes the end again if the pad is 0."""
    end = next((i for i in range(start, len(row)) if row[i] in ends), len(row))
    return row[: end + 1] + [pad] * (len(row) - end - 1)


# Inputs


def special_ids(model: torch.nn.Module) -> set[int]:
    config = model.config
    ids = [getattr(config, f"{role}_token_id", None) for role in ("pad", "bos", "eos", "decoder_start")]
    return {i for x in ids if x is not None for i in (x if isinstance(x, list) else [x])}


def draw_rows(model, lengths: list[int], first_id: int, generator: torch.Generator, *, end: bool = False, left: bool = False) -> tuple:
    """Random ids and their mask, padded on the right or the left; `end` puts an end of sentence behind each row."""
    config = model.config
    allowed = torch.tensor([i for i in range(first_id, config.vocab_size) if i not in special_ids(model)])
    pad = next((i for i in (config.pad_token_id, config.eos_token_id) if i is not None), 0)
    width = max(lengths)
    ids, mask = torch.full((len(lengths), width), pad), torch.zeros(len(lengths), width, dtype=torch.long)
    for row, length in enumerate(lengths):
        drawn = allowed[torch.randint(len(allowed), (length,), generator=generator)]
        if end:
            drawn[-1] = config.eos_token_id
        at = slice(width - length, width) if left else slice(0, length)
        ids[row, at], mask[row, at] = drawn, 1
    return ids, mask


def draw_inputs(model, pack: Pack, lengths: list, generator: torch.Generator) -> dict:
    sources = [pair[0] for pair in lengths] if pack.kind == "encdec" else lengths
    ids, mask = draw_rows(model, sources, pack.first_id, generator, end=pack.kind == "encdec")
    inputs = {"input_ids": ids, "attention_mask": mask}
    if pack.kind == "enc" and len(lengths) > 1 and getattr(model.config, "type_vocab_size", 1) > 1:
        inputs["token_type_ids"] = torch.randint(model.config.type_vocab_size, ids.shape, generator=generator)
    if pack.kind == "encdec" and not any(head in pack.model for head in ("Sequence", "QuestionAnswering")):
        target, target_mask = draw_rows(model, [pair[1] for pair in lengths], pack.first_id, generator)
        target[:, 0] = model.config.decoder_start_token_id
        inputs["decoder_input_ids"] = target
        if len(lengths) > 1:
            inputs["decoder_attention_mask"] = target_mask
    return inputs


# Checks of what is recorded


def relative_error(got: torch.Tensor, gold: torch.Tensor) -> float:
    return float((got.double() - gold.double()).abs().max() / gold.double().abs().max())


def check_rows(model, pack: Pack, inputs: dict, outputs: dict) -> None:
    """Every padded row equals the same sequence run alone."""

    def mask_of(name: str) -> torch.Tensor | None:
        decodes = name.startswith("decoder") or (pack.kind == "encdec" and name in ("logits", "last_hidden_state"))
        return inputs.get("decoder_attention_mask" if decodes else "attention_mask")

    for row in range(len(inputs["input_ids"])):
        alone = {name: value[row : row + 1, mask_of(name)[row].bool()] for name, value in inputs.items()}
        got, _ = forward(model, alone, pack.kind)
        for name, value in outputs.items():
            mask = mask_of(name)
            per_token = mask is not None and value.shape[1] == mask.shape[1]
            error = relative_error(got[name][0], value[row][mask[row].bool()] if per_token else value[row])
            if error > 2e-5:
                raise ValueError(f"{pack.name}: row {row} of {name} differs by {error:.1e} from the row alone")


def perturbed(model: torch.nn.Module, draws: int = 3) -> list[torch.nn.Module]:
    """The model in f64 and with relative noise of 1e-4 on all weights: recorded ids have to survive both."""
    models = [copy.deepcopy(model).double()]
    for draw in range(draws):
        noisy = copy.deepcopy(model)
        generator = torch.Generator().manual_seed(draw)
        with torch.no_grad():
            for value in noisy.parameters():
                value.mul_(1 + 1e-4 * torch.randn(value.shape, generator=generator))
        models.append(noisy)
    return models


def lively(ids: list[int]) -> bool:
    """Whether ids say enough to be worth comparing: not one word over and over."""
    end = len(ids) - next((i for i, x in enumerate(reversed(ids)) if x != ids[-1]), 0)  # without the padding
    return len(set(ids[:end])) >= max(3, end // 3)


def record_generation(model, others: list, pack: Pack, entry: Generation, generator: torch.Generator) -> dict:
    """Draws inputs until the ids are robust and every option of `matter` changes them."""
    for _ in range(ATTEMPTS):
        ids, mask = draw_rows(model, entry.lengths, pack.first_id, generator, end=pack.kind == "encdec", left=pack.kind == "dec")
        inputs = {"input_ids": ids, "attention_mask": mask}
        base = {"pad_token_id": model.config.pad_token_id or 0} if model.generation_config.pad_token_id is None else {}
        free = generate(model, inputs, base | {"max_new_tokens": FREE}, tuple(NEUTRAL))
        start = 1 if pack.kind == "encdec" else ids.shape[1]
        kwargs = base | (entry.kwargs(free[0][start:]) if callable(entry.kwargs) else entry.kwargs)
        gold = generate(model, inputs, kwargs)
        if not all(lively(row[start:]) for row in gold):
            continue
        if any(generate(model, inputs, kwargs, (option,)) == gold for option in entry.matter):
            continue
        if any(generate(other, inputs, kwargs) != gold for other in others):
            continue
        found = {"name": entry.name, "inputs": plain(inputs), "kwargs": kwargs | {"do_sample": False}, "ids": gold}
        return found | ({"options_that_matter": entry.matter} if entry.matter else {})
    raise ValueError(f"{pack.name}: no inputs found for {entry.name}")


# golden.json


def plain(inputs: dict) -> dict:
    return {name: value.tolist() for name, value in inputs.items()}


def encode(value: torch.Tensor) -> dict:
    return {"shape": list(value.shape), "data": [round(x, 6) + 0.0 for x in value.double().flatten().tolist()]}


def golden(pack: Pack, model: torch.nn.Module) -> dict:
    generator = torch.Generator().manual_seed(pack.seed)
    others = perturbed(model) if pack.generation else [copy.deepcopy(model).double()]
    cases = []
    for index, lengths in enumerate(pack.lengths or LENGTHS[pack.kind]):
        inputs = draw_inputs(model, pack, lengths, generator)
        outputs, maps = forward(model, inputs, pack.kind)
        exact, _ = forward(others[0], inputs, pack.kind)
        for name, value in outputs.items():
            if relative_error(value, exact[name]) > 1e-5:
                raise ValueError(f"{pack.name}: f32 and f64 differ by {relative_error(value, exact[name]):.1e} in {name}")
        if len(lengths) > 1:
            check_rows(model, pack, inputs, outputs)
        flat = [pair if isinstance(pair, int) else pair[0] for pair in lengths]
        name = f"batch{len(flat)}_padded" if len(flat) > 1 else f"len{flat[0]}"
        if index == 2 and "logits" in outputs and outputs["logits"].dim() == 3:
            outputs = {"logits": outputs["logits"]}
        case = {"name": name, "inputs": plain(inputs), "outputs": {key: encode(value) for key, value in outputs.items()}}
        if index == 0:
            case["attentions"] = {key: [encode(layer) for layer in layers] for key, layers in maps.items()}
        cases.append(case)
    result = {
        "format": "conformance-golden/1",
        "name": pack.name,
        "model_type": model.config.model_type,
        "architecture": pack.model,
        "kind": pack.kind,
        "seed": pack.seed,
        "dtype": pack.dtype,
        "reference": f"HF transformers {transformers.__version__}, torch {torch.__version__}, weights as stored, arithmetic in f32",
        "tolerance": {"rel_to_absmax": 2e-4, "strict": 5e-5},
    }
    if pack.optional:
        result["optional"] = True
    if pack.note:
        result["note"] = pack.note
    result["cases"] = cases
    if pack.generation:
        generator.manual_seed(pack.seed)  # so that other cases leave the generations as they are
        result["generation"] = [record_generation(model, others, pack, entry, generator) for entry in pack.generation]
    return result


def make(pack: Pack) -> None:
    folder = ROOT / pack.name
    folder.mkdir(parents=True, exist_ok=True)
    write_checkpoint(pack, folder)
    result = golden(pack, read_checkpoint(folder, pack.model))
    (folder / "golden.json").write_text(json.dumps(result, separators=(",", ":")) + "\n")
    print(f"{pack.name:36}{sum(f.stat().st_size for f in folder.rglob('*') if f.is_file()) / 1000:7.0f} kB", flush=True)


if __name__ == "__main__":
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    wanted = sys.argv[1:]
    unknown = set(wanted) - {pack.name for pack in PACKS}
    if unknown:
        sys.exit(f"no such pack: {', '.join(sorted(unknown))}")
    for one in PACKS:
        if one.name in wanted or (not wanted and transformers.__version__.startswith(f"{one.release}.")):
            make(one)
