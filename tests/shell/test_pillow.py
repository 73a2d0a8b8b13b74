"""What Gradio decodes for a drawing, in a process of its own: the guard is for a whole process."""

from __future__ import annotations

import subprocess
import sys

CODE = """
import io, struct, sys, tempfile, zlib
from pathlib import Path
from PIL import Image
import gradio as gr
from gradio.components.image_editor import EditorData
from gradio.data_classes import FileData
from gensot_demo.experiments.images import open_upload
from gensot_demo.shell.pillow import guard_pillow

folder = Path(tempfile.mkdtemp())
small = Image.new("RGB", (40, 40), "red")
for kind in ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "EPS", "ICO", "PPM"):
    small.save(folder / f"small.{kind}", kind)
Image.new("L", (6400, 6400)).save(folder / "wide.PNG")
guard_pillow()
guard_pillow()
pad = gr.ImageEditor(type="numpy")
for file in sorted(folder.iterdir()):
    try:
        found = pad.preprocess(EditorData(background=None, layers=[], composite=FileData(path=str(file))))
        print(file.name, found["composite"].shape)
    except Exception as error:
        print(file.name, type(error).__name__)
out = io.BytesIO()
small.save(out, "TIFF")
print("TIFF is still saved", len(out.getvalue()) > 100)
print("pictures are still read", open_upload((folder / "small.PNG").read_bytes()).size)
"""
EXPECTED = """\
small.BMP (40, 40, 4)
small.EPS UnidentifiedImageError
small.GIF (40, 40, 4)
small.ICO UnidentifiedImageError
small.JPEG (40, 40, 4)
small.PNG (40, 40, 4)
small.PPM UnidentifiedImageError
small.TIFF UnidentifiedImageError
small.WEBP (40, 40, 4)
wide.PNG DecompressionBombError
TIFF is still saved True
pictures are still read (40, 40)
"""


def test_a_drawing_is_a_common_picture_of_bounded_size():
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=False)
    assert done.stdout == EXPECTED, done.stderr[-2000:]
