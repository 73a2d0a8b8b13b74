"""One thread for all tests: small tensors gain nothing from more, and several test processes share the cores."""

import os

import pytest
import torch

os.environ.setdefault("GENSOT_WARM_UP", "false")  # what a test does not look at is not computed beside it


@pytest.fixture(autouse=True, scope="session")
def _one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
