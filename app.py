"""GenSOT Demo: `python app.py` opens the app; PORT and GRADIO_SERVER_NAME say where."""

import os

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # before Gradio is imported, which reads it
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

from gensot_demo.shell import build_app, launch_options

demo = build_app()

if __name__ == "__main__":
    demo.launch(**launch_options())
