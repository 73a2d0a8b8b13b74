"""What Pillow may decode in the served app: Gradio decodes what is put into a drawing before our code sees it."""

from __future__ import annotations

from PIL import Image

from gensot_demo.experiments import limits

KEPT = ("PNG", "JPEG", "MPO", "WEBP", "GIF", "BMP", "DIB")


def guard_pillow() -> None:
    """Only common raster formats are opened, none with more pixels than an upload may have; EPS, which would start a
    program, is not among them. Saving is as before."""
    Image.init()
    for name in [name for name in Image.OPEN if name not in KEPT]:
        del Image.OPEN[name]
    Image.ID[:] = [name for name in Image.ID if name in KEPT]
    Image.MAX_IMAGE_PIXELS = limits.MAX_UPLOAD_PIXELS // 2  # Pillow refuses from twice as many on
