"""Write a trained network as the folder the app reads: `python -m training.export_emoji_network --run FOLDER`.

The moving average of FOLDER/checkpoint.pt becomes OUT/unet, the snapshot nearest to 15 % of its steps OUT/unet_early,
both as half-precision safetensors; with them the scheduler's configuration, the class names and the training log.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
from diffusers import EDMEulerScheduler
from safetensors.torch import load_file

from gensot_demo.backbones.emoji import load_collection
from gensot_demo.backbones.emoji_network import FOLDER
from training.emoji_classes import HELD_OUT_SEED, HELD_OUT_SHARE, NAMES, RESOLUTION, LabelledPictures, load_split
from training.sampling import SIGMA_MAX, SIGMA_MIN
from training.train_emoji_network import SNAPSHOTS, build_unet

EARLY_SHARE = 0.15
LARGEST_FILE = 10_000_000


def early_step(run: Path, step: int) -> int:
    """The snapshot in `run` nearest to 15 % of `step`; FileNotFoundError when there is none below."""
    there = [s for s in SNAPSHOTS if s < step and (run / f"ema-{s}.safetensors").exists()]
    if not there:
        raise FileNotFoundError(f"no ema-STEP.safetensors below step {step} in {run}")
    return min(there, key=lambda s: abs(s - EARLY_SHARE * step))


def save_unet(weights: dict[str, torch.Tensor], folder: Path) -> None:
    """The network with these weights by save_pretrained, in float16; ValueError when the file is too large."""
    unet = build_unet()
    unet.load_state_dict(weights)
    unet.half().save_pretrained(folder, safe_serialization=True, variant="fp16")
    for path in folder.iterdir():
        path.chmod(0o644)  # safetensors writes for the owner alone
        if path.stat().st_size >= LARGEST_FILE:
            raise ValueError(f"{path} has {path.stat().st_size} bytes: expected fewer than {LARGEST_FILE}")


def pictures_of(data: LabelledPictures) -> dict[str, list[str]]:
    """The names of the pictures of each class, in the order of the labels."""
    names = load_collection(RESOLUTION).names
    return {
        name: [names[index] for index in data.indices[data.labels == label].tolist()]
        for label, name in enumerate(NAMES)
    }


def export(run: Path, out: Path) -> dict[str, object]:
    """Write the folder; return the training log it contains."""
    saved = torch.load(run / "checkpoint.pt", map_location="cpu", weights_only=True)
    step = saved["step"]
    early = early_step(run, step)
    save_unet(saved["average"], out / "unet")
    save_unet(load_file(run / f"ema-{early}.safetensors"), out / "unet_early")
    EDMEulerScheduler(sigma_min=SIGMA_MIN, sigma_max=SIGMA_MAX, sigma_data=saved["sigma_data"]).save_pretrained(
        out / "scheduler"
    )
    data, held_out = load_split()
    named = {"classes": pictures_of(data), "held_out": pictures_of(held_out)}
    (out / "classes.json").write_text(json.dumps(named, indent=1) + "\n", encoding="utf-8")
    lines = (run / "log.jsonl").read_text(encoding="utf-8").splitlines()
    # A run that was interrupted logs again the steps since its checkpoint; the later line holds.
    entries = {entry["step"]: entry for entry in map(json.loads, lines) if entry["step"] <= step}
    log: dict[str, object] = {
        "steps": step,
        "early_steps": early,
        "batch": 32,
        "hours": round(saved["seconds"] / 3600, 3),
        "parameters": sum(value.numel() for value in saved["average"].values()),
        "sigma_data": saved["sigma_data"],
        "pictures": {name: int((data.labels == label).sum()) for label, name in enumerate(NAMES)},
        "held_out": {name: int((held_out.labels == label).sum()) for label, name in enumerate(NAMES)},
        "held_out_share": HELD_OUT_SHARE,
        "held_out_seed": HELD_OUT_SEED,
        "log": list(entries.values()),
    }
    text = json.dumps({key: value for key, value in log.items() if key != "log"}, indent=2)[:-2]
    rows = ",\n".join(f"    {json.dumps(entry)}" for entry in entries.values())
    (out / "training_log.json").write_text(f'{text},\n  "log": [\n{rows}\n  ]\n}}\n', encoding="utf-8")
    return log


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=FOLDER)
    options = parser.parse_args()
    log = export(options.run, options.out)
    print(json.dumps({key: value for key, value in log.items() if key != "log"}, indent=2))


if __name__ == "__main__":
    main()
