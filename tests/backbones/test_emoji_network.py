"""The embedded network as it ships, by the path the app takes, and its preconditioning."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from gensot_demo.backbones.emoji_network import FOLDER, denoise, load_network
from training.emoji_classes import NAMES, load_split

LARGEST_FILE = 10_000_000


@pytest.fixture(scope="module")
def network():
    return load_network()


class _Echo(torch.nn.Module):
    """Stands for a UNet: returns a fixed function of what it is given, and remembers the noise levels."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.tensor(0.7))

    def forward(self, inputs, level, class_labels):
        self.level = level
        return type("Output", (), {"sample": self.weight * inputs + 0.1})()


@pytest.mark.parametrize("sigma", [0.01, 0.5, 3.0, 80.0])
def test_preconditioning_is_that_of_the_diffusers_scheduler(sigma):
    from diffusers import EDMEulerScheduler

    scheduler = EDMEulerScheduler.from_pretrained(FOLDER / "scheduler")
    z, unet = sigma * torch.randn(2, 3, 32, 32), _Echo()
    levels = torch.full((2,), sigma)
    ours = denoise(unet, z, levels, torch.zeros(2, dtype=torch.int64), scheduler.config.sigma_data)
    inputs = functional.pixel_unshuffle(scheduler.precondition_inputs(z, sigma), 2)
    level = scheduler.precondition_noise(levels)
    raw = functional.pixel_shuffle(_Echo()(inputs, level, None).sample, 2)
    torch.testing.assert_close(unet.level, level)
    torch.testing.assert_close(ours, scheduler.precondition_outputs(z, raw, sigma), rtol=1e-4, atol=1e-5)


def test_files_ship_as_safetensors_below_the_limit():
    files = [path for path in FOLDER.rglob("*") if path.is_file()]
    assert all(path.stat().st_size < LARGEST_FILE for path in files)
    assert {path.suffix for path in files} <= {".json", ".md", ".txt", ".safetensors", ".png"}


def test_labels_are_the_classes_it_was_trained_on(network):
    assert network.classes == NAMES
    assert network.label(NAMES[3]) == 3
    assert network.label(None) == network.null_label == len(NAMES)
    with pytest.raises(ValueError, match="expected one of faces"):
        network.label("moons")


def test_prediction_is_the_picture_without_noise_and_hardly_hears_it_at_the_start(network):
    pictures, labels = load_split()[1].pictures[:8], load_split()[1].labels[:8]
    noise = torch.randn(8, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        clean = network.denoise(pictures + 0.01 * noise, torch.full((8,), 0.01), labels)
        start = network.denoise(80 * noise, torch.full((8,), 80.0), labels)
        again = network.denoise(-80 * noise, torch.full((8,), 80.0), labels)
    assert (clean - pictures).square().mean().sqrt() < 0.03
    assert (start - again).square().mean().sqrt() < 0.2


@pytest.mark.parametrize("early", [False, True])
def test_network_halves_the_error_of_the_best_linear_answer(early):
    network, (_, held_out) = load_network(early=early), load_split()
    generator = torch.Generator().manual_seed(0)
    noisy = held_out.pictures + torch.randn(held_out.pictures.shape, generator=generator)
    with torch.inference_mode():
        predicted = network.denoise(noisy, torch.ones(len(held_out)), held_out.labels)
    linear = noisy * network.sigma_data**2 / (1 + network.sigma_data**2)
    error, bound = ((answer - held_out.pictures).square().mean() for answer in (predicted, linear))
    assert error < 0.5 * bound


def test_noisy_classifier_knows_held_out_pictures_and_has_a_gradient():
    from gensot_demo.backbones.noisy_classifier import NoisyClassifier

    classifier = NoisyClassifier.from_pretrained(
        FOLDER / "noisy_classifier", use_safetensors=True, low_cpu_mem_usage=False
    ).eval()
    _, held_out = load_split()
    z = (held_out.pictures + 0.3 * torch.randn(held_out.pictures.shape)).requires_grad_()
    logits = classifier(z, torch.full((len(z),), 0.3))
    assert (logits.argmax(dim=1) == held_out.labels).double().mean() > 0.7
    (gradient,) = torch.autograd.grad(logits.log_softmax(dim=1)[range(len(z)), held_out.labels].sum(), z)
    assert torch.isfinite(gradient).all()
    assert (gradient.flatten(1).norm(dim=1) > 0).all()
