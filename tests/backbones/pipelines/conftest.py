"""Tiny pipelines, saved once a session and loaded the way real ones are."""

import pytest
import torch

from gensot_demo.backbones.pipelines import load_backbone
from tests.support.tiny_pipelines import save


@pytest.fixture(autouse=True, scope="session")
def _quiet():
    import diffusers
    import transformers

    for library in (diffusers.utils.logging, transformers.utils.logging):
        library.set_verbosity_error()
        library.disable_progress_bar()


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory):
    """kind -> folder of a saved pipeline."""
    root, known = tmp_path_factory.mktemp("pipelines"), {}

    def folder(kind):
        if kind not in known:
            known[kind] = save(kind, root / kind)
        return known[kind]

    return folder


@pytest.fixture(scope="session")
def tiny(tiny_folder):
    """kind -> loaded backbone, shared by all tests, which must not change it."""
    known = {}

    def backbone(kind):
        if kind not in known:
            resolution = 16 if kind.startswith("flux") else None
            known[kind] = load_backbone(str(tiny_folder(kind)), resolution=resolution, device="cpu")
        return known[kind]

    return backbone


@pytest.fixture
def draws():
    """(count, dimension, seed) -> standard normal float32."""

    def draw(count, dimension, seed=0):
        return torch.randn(count, dimension, generator=torch.Generator().manual_seed(seed))

    return draw
