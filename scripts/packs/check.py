"""Computes test/packs again with the installed transformers, whichever release it is, and says where it differs from golden.json.

python scripts/packs/check.py [name ...]
"""

import json
import sys

import torch
import transformers

from make import ROOT, forward, generate, read_checkpoint, relative_error

TOLERANCE = 2e-5


def decode(value: dict) -> torch.Tensor:
    return torch.tensor(value["data"], dtype=torch.float64).reshape(value["shape"])


def rows_of(value: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
    """The rows that are no padding, where the value has one row a token."""
    return value[mask.bool()] if mask is not None and value.shape[:2] == mask.shape else value


def check(name: str) -> list[str]:
    folder = ROOT / name
    gold = json.loads((folder / "golden.json").read_text())
    model = read_checkpoint(folder, gold["architecture"])
    complaints, worst = [], 0.0
    for case in gold["cases"]:
        inputs = {key: torch.tensor(value) for key, value in case["inputs"].items()}
        outputs, maps = forward(model, inputs, gold["kind"])
        for key, value in case["outputs"].items():
            decodes = gold["kind"] == "encdec" and not key.startswith("encoder")
            mask = inputs.get("decoder_attention_mask" if decodes else "attention_mask")
            error = relative_error(rows_of(outputs[key], mask), rows_of(decode(value), mask))
            worst = max(worst, error)
            if error > TOLERANCE:
                complaints.append(f"{case['name']} {key}: {error:.1e}")
        for key, layers in case.get("attentions", {}).items():
            errors = [float((decode(layer) - got.double()).abs().max()) for layer, got in zip(layers, maps[key], strict=True)]
            if max(errors) > TOLERANCE:
                complaints.append(f"{case['name']} {key}: {', '.join(f'{e:.1e}' for e in errors)}")
    for entry in gold.get("generation", []):
        inputs = {key: torch.tensor(value) for key, value in entry["inputs"].items()}
        got = generate(model, inputs, {k: v for k, v in entry["kwargs"].items() if k != "do_sample"})
        if got != entry["ids"]:
            complaints.append(f"{entry['name']}: {got} for {entry['ids']}")
    print(f"{name:36}{worst:8.1e}  {'; '.join(complaints) or 'same'}", flush=True)
    return complaints


if __name__ == "__main__":
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    failed = 0
    for one in sys.argv[1:] or sorted(path.parent.name for path in ROOT.glob("*/golden.json")):
        try:
            failed += bool(check(one))
        except Exception as error:  # a family this release lacks, or a config it refuses in its own way
            print(f"{one:36}not run: {type(error).__name__}: {error}"[:300], flush=True)
    sys.exit(failed > 0)
