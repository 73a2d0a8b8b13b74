"""The code in docs/INTEGRATIONS.md runs as it stands."""

from __future__ import annotations

import re
from pathlib import Path

import torch
from diffusers.modular_pipelines import StableDiffusionXLAutoBlocks

from gensot_demo.integrations import GenSOTGuidance, GenSOTScheduler

from . import tiny

DOCUMENT = Path(__file__).parents[2] / "docs" / "INTEGRATIONS.md"


def blocks() -> list[str]:
    return re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), flags=re.DOTALL)


def test_the_scheduler_block_runs(tmp_path):
    tiny.stable_diffusion(tmp_path).save_pretrained(tmp_path / "pipe")
    names = {"folder": str(tmp_path / "pipe")}
    exec(blocks()[0], names)
    assert isinstance(names["pipe"].scheduler, GenSOTScheduler)
    first, variation = names["first"], names["variation"]
    assert first.shape == variation.shape
    assert bool(torch.isfinite(variation).all())
    assert float((variation - first).square().mean().sqrt()) < 2 * 0.7
    assert GenSOTScheduler.from_pretrained(names["folder"], subfolder="scheduler").config.reference_noise == 0.7


def test_the_guider_block_runs(tmp_path):
    parts = tiny.stable_diffusion_xl(tmp_path).components
    modular = StableDiffusionXLAutoBlocks().init_pipeline()
    kept = ("vae", "text_encoder", "text_encoder_2", "tokenizer", "tokenizer_2", "unet", "scheduler")
    modular.update_components(**{name: parts[name] for name in kept})
    names = {"modular": modular}
    exec(blocks()[1], names)
    assert isinstance(modular.guider, GenSOTGuidance)
    assert names["picture"].shape == (1, 4, 8, 8)


def test_every_setting_of_the_table_exists():
    text = DOCUMENT.read_text(encoding="utf-8").split("## What changes")[1].split("## Good")[0]
    named = {name for row in re.findall(r"^\| (`.*?) \|", text, re.MULTILINE) for name in re.findall(r"`(\w+)", row)}
    known = set(GenSOTScheduler().config) | set(GenSOTGuidance().config) | set(dir(GenSOTScheduler))
    assert len(named) > 10
    assert named - known == {"num_inference_steps", "sigmas", "timesteps"} - known
