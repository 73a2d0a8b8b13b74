"""A thread that asks for diffusers while another is importing it, in a fresh process."""

import subprocess
import sys

TWO_AT_ONCE = """
import sys, threading
from gensot_demo.backbones.heavy_imports import diffusers
errors = []

def load():
    try:
        {how}
    except ImportError as error:
        errors.append(error)

first = threading.Thread(target=load)
first.start()
while "diffusers" not in sys.modules:  # the second comes while the first is at it
    pass
load()
first.join()
print("failed" if errors else "loaded")
"""


def outcome(how: str) -> str:
    code = TWO_AT_ONCE.format(how=how)
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120).stdout.strip()


def test_two_threads_may_be_the_first_to_import_diffusers():
    assert outcome("diffusers().UNet2DModel") == "loaded"


def test_a_plain_import_fails_there():
    """The power of the test above: when this passes no more, the guard can go."""
    assert outcome("from diffusers import UNet2DModel") == "failed"
