"""Names and folders of models that were made to reach something else: other files, other hosts, other code."""

from __future__ import annotations

import contextlib
import json
import pickle
import shutil
import socket

import pytest

from gensot_demo.backbones.catalogue import EMBEDDED, Catalogue
from gensot_demo.backbones.errors import BackboneUnavailable
from gensot_demo.backbones.pipelines import load_pipeline
from gensot_demo.experiments.links import from_query
from gensot_demo.experiments.requests import InvalidRequest

NAMES = [
    *(
        "..",
        "../..",
        "../../etc/passwd",
        "a/../../b",
        "owner/..",
        "../model",
        "owner/.",
        "./model",
        ".",
        "/",
        "//",
        "~",
    ),
    *("/etc", "/etc/passwd", "~/models", "owner/model/..", "owner/model/extra", "owner\\model", "C:\\models\\x"),
    *("file:///etc/passwd", "https://evil.example/model", "http://127.0.0.1:22/x", "hf://owner/model", "s3://x/y"),
    *("owner/model@main", "owner/model?x=1", "owner/model#x", "owner/mo del", "owner/model\n", "\nowner/model"),
    *(
        "owner/mo\0del",
        "\0",
        "owner/",
        "/model",
        "",
        " ",
        "-/-",
        "--help",
        "-owner/model",
        "owner/-x",
        "$HOME/x",
        "%2e%2e/x",
    ),
    *("оwner/model", "owner/model\u202e", "x" * 201, "a/" + "b" * 300, "datasets/owner/model", "owner/model.git/x"),
]


@pytest.fixture
def nothing_is_touched(monkeypatch):
    import huggingface_hub

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", lambda *a, **k: pytest.fail(f"asked the Hub for {a}"))
    monkeypatch.setattr(socket, "create_connection", lambda *a, **k: pytest.fail(f"went to {a}"))


@pytest.mark.parametrize("space", ["", "someone/demo"])
@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_is_no_model_is_refused_before_anything_is_touched(name, space, monkeypatch, nothing_is_touched):
    monkeypatch.setenv("SPACE_ID", space)
    with pytest.raises(BackboneUnavailable) as caught:
        Catalogue().load(name)
    assert len(str(caught.value)) < 900


@pytest.mark.parametrize("name", NAMES)
def test_as_in_a_link(name):
    from urllib.parse import quote

    try:
        request, _ = from_query(f"backbone={quote(name)}")
    except InvalidRequest:
        return
    with pytest.raises(BackboneUnavailable):
        Catalogue().info(request.backbone)


@pytest.mark.parametrize("name", ["someone/else", "openai/x", "google/ddpm-cifar10-32/..", "Google/ddpm-cifar10-32"])
def test_on_a_space_only_what_is_listed(name, monkeypatch, nothing_is_touched):
    monkeypatch.setenv("SPACE_ID", "someone/demo")
    with pytest.raises(BackboneUnavailable, match="not among this Space's models"):
        Catalogue().load(name)
    assert name not in Catalogue().infos()
    assert set(EMBEDDED) <= set(Catalogue().infos())


def test_a_visitor_s_name_is_never_a_folder_of_this_machine(tiny_folder, tmp_path, monkeypatch):
    import huggingface_hub

    shutil.copytree(tiny_folder("ddpm"), tmp_path / "owner" / "model")
    monkeypatch.chdir(tmp_path)
    asked = []

    def fails(name, *_, **__):
        asked.append(name)
        raise ConnectionError("no")

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", fails)
    with pytest.raises(BackboneUnavailable, match="the Hub cannot be reached"):
        Catalogue().load("owner/model")
    assert asked == ["owner/model"]
    assert load_pipeline("owner/model", device="cpu").folder == tmp_path / "owner" / "model"  # as its owner may


@pytest.fixture
def folder(tiny_folder, tmp_path):
    return shutil.copytree(tiny_folder("sd"), tmp_path / "model")


def with_index(folder, **changes):
    path = folder / "model_index.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def refused(folder) -> str:
    with pytest.raises(BackboneUnavailable) as caught:
        load_pipeline(folder, device="cpu")
    return str(caught.value)


@pytest.mark.parametrize(
    "component",
    [
        {"../../outside": ["diffusers", "AutoencoderKL"]},
        {"/etc": ["diffusers", "AutoencoderKL"]},
        {"a/b": ["diffusers", "AutoencoderKL"]},
        {"unet": ["diffusers.utils", "x"]},
        {"unet": ["os", "system"]},
        {"unet": [["os"], "system"]},
        {"unet": ["diffusers", 3]},
        {"unet": ["diffusers", "../x"]},
        {"unet": ["diffusers", "__builtins__"]},
        {"unet": ["diffusers", "DiffusionPipeline.from_pretrained"]},
        {"unet": ["transformers", "pipeline"]},
    ],
    ids=str,
)
def test_components_are_plain_names_of_known_libraries(folder, component):
    with_index(folder, **component)
    assert refused(folder).endswith(".")


def test_custom_code_named_by_a_configuration_is_not_run(folder, tmp_path):
    mark = tmp_path / "ran"
    evil = f"open({str(mark)!r}, 'w').close()\nclass Evil: pass\n"
    for part in ("unet", "text_encoder", "."):
        (folder / part / "evil.py").write_text(evil)
    (folder / "pipeline.py").write_text(evil)
    for part in ("unet", "text_encoder"):
        config = folder / part / "config.json"
        config.write_text(json.dumps(json.loads(config.read_text()) | {"auto_map": {"AutoModel": "evil.Evil"}}))
    with_index(folder, auto_map={"AutoPipeline": "evil.Evil"}, custom_pipeline="pipeline.py")
    with contextlib.suppress(BackboneUnavailable):
        load_pipeline(folder, device="cpu")
    assert not mark.exists()


class _Mark:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


@pytest.mark.parametrize("name", ["diffusion_pytorch_model.bin", "diffusion_pytorch_model.safetensors"])
def test_a_pickle_is_never_opened_whatever_it_is_called(folder, tmp_path, name):
    mark = tmp_path / "ran"
    (folder / "unet" / "diffusion_pytorch_model.safetensors").unlink()
    (folder / "unet" / name).write_bytes(pickle.dumps(_Mark(mark)))
    assert "pickled" in (said := refused(folder)) or "broken" in said
    assert not mark.exists()


def test_a_pickle_beside_the_weights_is_not_looked_at(folder, tmp_path):
    mark = tmp_path / "ran"
    for name in ("diffusion_pytorch_model.bin", "pytorch_model.bin", "model.pt", "scheduler.pkl"):
        (folder / "unet" / name).write_bytes(pickle.dumps(_Mark(mark)))
    load_pipeline(folder, device="cpu")
    assert not mark.exists()


@pytest.mark.parametrize("target", ["/etc/passwd", "/dev/zero", "../../elsewhere"])
def test_a_link_to_another_file_is_no_weights_and_none_of_it_is_told(folder, target):
    weights = folder / "unet" / "diffusion_pytorch_model.safetensors"
    weights.unlink()
    weights.symlink_to(target)
    assert "root:" not in (said := refused(folder))
    assert "broken or incomplete" in said
