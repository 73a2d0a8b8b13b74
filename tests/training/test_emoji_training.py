"""How the embedded network is trained and measured: classes, batches, sampler, resuming, the statistics reported."""

from __future__ import annotations

import pytest
import torch

from gensot_demo.transport.distances import kernel_distance
from training.emoji_classes import CLASSES, NULL_LABEL, class_probabilities, draw_batch, load_split, shift
from training.evaluate import nearest_distances, training_halves
from training.sampling import SIGMA_MAX, SIGMA_MIN, noise_levels, sample
from training.train_emoji_network import build_unet, draw_sigmas, learning_rate, train


@pytest.fixture(scope="module")
def split():
    return load_split()


def test_no_picture_is_in_two_classes_or_in_both_parts(split):
    indices = torch.cat([part.indices for part in split]).tolist()
    assert len(indices) == len(set(indices))


def test_every_class_is_trained_on_and_held_out(split):
    for part in split:
        assert set(part.labels.tolist()) == set(range(len(CLASSES)))
    sizes = torch.bincount(split[0].labels) + torch.bincount(split[1].labels)
    assert len(split[1]) / sizes.sum() == pytest.approx(0.05, abs=0.01)


def test_classes_are_drawn_by_the_root_of_their_size(split):
    data, _ = split
    shares = torch.zeros(len(CLASSES), dtype=torch.float64).index_add_(0, data.labels, class_probabilities(data.labels))
    sizes = torch.bincount(data.labels).double()
    torch.testing.assert_close(shares / shares[0], (sizes / sizes[0]).sqrt())


def test_a_batch_holds_pictures_of_its_labels_mirrored_only_where_that_is_allowed(split):
    data, _ = split
    pictures, labels = draw_batch(data, 64, torch.Generator().manual_seed(0))
    for picture, label in zip(pictures, labels, strict=True):
        originals = data.pictures[data.labels == label]
        allowed = torch.cat([originals, originals.flip(3)]) if CLASSES[label].flips else originals
        moved = torch.cat(
            [shift(allowed, torch.tensor([[i, j]]).expand(len(allowed), 2)) for i in (-1, 0, 1) for j in (-1, 0, 1)]
        )
        assert (moved == picture).flatten(1).all(dim=1).any()


def test_shift_moves_down_and_right_with_white_behind():
    picture = torch.zeros(1, 1, 3, 3)
    picture[0, 0, 0, 0] = -1
    moved = shift(picture, torch.tensor([[1, 1]]))
    torch.testing.assert_close(moved[0, 0], torch.tensor([[1.0, 1, 1], [1, -1, 0], [1, 0, 0]]))


def test_noise_levels_of_training_reach_both_ends():
    sigmas = torch.cat([draw_sigmas(32, torch.Generator().manual_seed(seed)) for seed in range(400)])
    assert sigmas.min() >= SIGMA_MIN
    assert sigmas.max() <= SIGMA_MAX
    assert (sigmas > 40).double().mean() > 0.01
    assert (sigmas < 0.02).double().mean() > 0.01


def test_learning_rate_rises_holds_and_falls():
    assert learning_rate(0, 1.0) < learning_rate(100, 1.0) < learning_rate(1000, 1.0) == 1.0
    assert learning_rate(16_000, 1.0) == pytest.approx(0.5)


def test_sampler_ends_at_the_only_picture_there_is():
    picture = torch.rand(1, 3, 32, 32) * 2 - 1
    labels = torch.zeros(2, dtype=torch.int64)
    drawn = sample(lambda z, *_: picture.expand_as(z), labels, torch.randn(2, 3, 32, 32), null_label=1, weight=3.0)
    torch.testing.assert_close(drawn, picture.expand(2, -1, -1, -1), atol=1e-4, rtol=0)


def test_sampler_keeps_a_gaussian_law_and_its_weight_extrapolates():
    """Data N(c, .25) with c = 1/2 for the class and 0 for null, per value: w = 1 ends in the class law."""

    def denoiser(z, sigma, labels):
        sigma = sigma[:, None, None, None]
        centre = torch.where(labels == 0, 0.5, 0.0)[:, None, None, None]
        return centre + 0.04 / (0.04 + sigma**2) * (z - centre)

    noise = torch.randn(8, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    labels = torch.zeros(8, dtype=torch.int64)
    drawn = sample(denoiser, labels, noise, null_label=1, steps=60)
    assert drawn.mean() == pytest.approx(0.5, abs=0.01)
    assert drawn.std() == pytest.approx(0.2, abs=0.01)
    assert sample(denoiser, labels, noise, null_label=1, weight=1.5, steps=60).mean() > 0.6


def test_noise_levels_of_sampling_fall_from_end_to_end():
    levels = noise_levels(10)
    assert levels[0] == pytest.approx(SIGMA_MAX)
    assert levels[-2] == pytest.approx(SIGMA_MIN)
    assert (levels.diff() < 0).all()


def _kernel_distance_by_definition(x, y, x_labels, y_labels, shares):
    """Means over pairs of every two classes, one pair after another."""

    def mean(a, b, same):
        pairs = [(a[i], b[j]) for i in range(len(a)) for j in range(len(b)) if not (same and i == j)]
        return sum(float((u @ v / len(u) + 1) ** 3) for u, v in pairs) / len(pairs)

    total = 0.0
    for c, share in enumerate(shares):
        for k, other in enumerate(shares):
            xs, ys = (x[x_labels == c], x[x_labels == k]), (y[y_labels == c], y[y_labels == k])
            total += share * other * (mean(*xs, c == k) + mean(*ys, c == k) - 2 * mean(xs[0], ys[1], False))
    return float(total)


def test_kernel_distance_is_the_definition_and_its_error_the_jackknife_within_classes():
    generator = torch.Generator().manual_seed(0)
    x, y = torch.rand(8, 4, generator=generator).double(), torch.rand(7, 4, generator=generator).double() + 0.3
    x_labels, y_labels = torch.tensor([0, 0, 0, 0, 0, 1, 1, 1]), torch.tensor([0, 1, 0, 1, 1, 0, 1])
    shares = torch.tensor([0.3, 0.7]).double()
    value, error = kernel_distance(x, y, x_labels, y_labels, shares)
    assert value == pytest.approx(_kernel_distance_by_definition(x, y, x_labels, y_labels, shares))

    def without(i, values, labels):
        return torch.cat([values[:i], values[i + 1 :]]), torch.cat([labels[:i], labels[i + 1 :]])

    variance = 0.0
    for label in (0, 1):
        less_x = [without(i, x, x_labels) for i in range(len(x)) if x_labels[i] == label]
        less_y = [without(i, y, y_labels) for i in range(len(y)) if y_labels[i] == label]
        for values in (
            [_kernel_distance_by_definition(a, y, b, y_labels, shares) for a, b in less_x],
            [_kernel_distance_by_definition(x, a, x_labels, b, shares) for a, b in less_y],
        ):
            variance += (len(values) - 1) * float(torch.tensor(values).double().var(correction=0))
    assert error == pytest.approx(variance**0.5, rel=1e-6)


def test_kernel_distance_of_one_law_is_zero_though_classes_are_fixed():
    generator = torch.Generator().manual_seed(0)
    labels, shares = torch.arange(3).repeat(8), torch.tensor([0.2, 0.3, 0.5])
    centres = 2 * torch.rand(3, 5, generator=generator)
    values = [
        kernel_distance(
            *(centres[labels] + 0.3 * torch.randn(24, 5, generator=generator) for _ in range(2)), labels, labels, shares
        )
        for _ in range(200)
    ]
    distances, errors = torch.tensor(values).double().T
    assert distances.mean().abs() < 3 * distances.std() / 200**0.5
    assert errors.square().mean().sqrt() == pytest.approx(float(distances.std()), rel=0.5)


def test_nearest_distance_sees_mirrors_and_shifts(split):
    data, held_out = split
    faces = data.pictures[data.labels == 0][:3].flip(3)
    moved = shift(faces, torch.tensor([[1, -1]] * 3))
    assert nearest_distances(moved, data).max() < 1e-3
    assert nearest_distances(held_out.pictures, data).median() > 0.05


def test_halves_share_no_picture_and_split_every_class(split):
    data, _ = split
    first, second = training_halves(data)
    assert sorted([*first.tolist(), *second.tolist()]) == list(range(len(data)))
    sizes = [torch.bincount(data.labels[half], minlength=len(CLASSES)) for half in (first, second)]
    assert (sizes[0] - sizes[1]).abs().max() <= 1


def test_a_resumed_run_is_the_uninterrupted_run(tmp_path):
    settings = {"batch": 2, "peak_rate": 1e-3, "seed": 3, "save_seconds": 1e9, "grid_every": 10**9}
    train(tmp_path / "whole", steps=2, **settings)
    train(tmp_path / "parts", steps=1, **settings)
    train(tmp_path / "parts", steps=2, **settings)
    whole, parts = (torch.load(tmp_path / name / "checkpoint.pt", weights_only=True) for name in ("whole", "parts"))
    assert whole["step"] == parts["step"] == 2
    for key in ("unet", "average"):
        for name, value in whole[key].items():
            torch.testing.assert_close(value, parts[key][name], atol=0, rtol=0)


def test_the_untrained_network_predicts_the_preconditioned_input():
    from gensot_demo.backbones.emoji_network import denoise

    z, labels = torch.randn(2, 3, 32, 32), torch.tensor([0, NULL_LABEL])
    sigma = torch.tensor([0.5, 2.0])
    unet = build_unet().eval()
    unet.conv_out.bias.data.zero_()
    expected = 0.8**2 / (sigma**2 + 0.8**2)
    with torch.no_grad():
        torch.testing.assert_close(denoise(unet, z, sigma, labels, 0.8), expected[:, None, None, None] * z)
