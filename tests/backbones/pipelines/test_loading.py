"""What is loaded, what is refused, and the sentence that says why."""

import contextlib
import json
import subprocess
import sys

import httpx2
import pytest
import torch
from huggingface_hub import errors

from gensot_demo.backbones.errors import BackboneUnavailable
from gensot_demo.backbones.pipelines import (
    HUB_MODELS,
    ResidentModels,
    TooLittleMemory,
    allowed_models,
    load_backbone,
    load_pipeline,
)
from gensot_demo.backbones.pipelines import loading as module


@pytest.fixture
def folder(tiny_folder, tmp_path):
    """A copy of the tiny Stable Diffusion that a test may damage."""
    import shutil

    return shutil.copytree(tiny_folder("sd"), tmp_path / "model")


def refused(name, **options):
    with pytest.raises(BackboneUnavailable) as caught:
        load_pipeline(name, **options)
    sentence = str(caught.value)
    assert sentence.endswith(".")
    return sentence


def test_importing_the_room_does_not_import_diffusers():
    code = "import sys, gensot_demo.backbones.pipelines; print(sys.modules.keys() & {'diffusers', 'transformers'})"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed == "set()\n"


def test_a_folder(folder):
    (folder / "README.md").write_text("---\nlicense: mit\ntags: [x]\n---\n# Model\n")
    loaded = load_pipeline(folder, device="cpu")
    assert (loaded.name, loaded.label) == (str(folder), "model")
    assert (loaded.revision, loaded.licence, loaded.note) == (None, "mit", None)
    assert loaded.pipeline.unet.dtype == torch.float32
    assert load_backbone(str(folder), device="cpu").info.licence == "mit"


def test_another_precision(folder, draws):
    backbone = load_backbone(str(folder), device="cpu", dtype=torch.bfloat16)
    exact = load_backbone(str(folder), device="cpu")
    assert backbone.oracle.denoiser.network_dtype == torch.bfloat16
    x = draws(2, backbone.dimension)
    rough = backbone.oracle.predict(x, 0.8, 0.6, "a red dog")
    assert rough.dtype == torch.float32
    wanted = exact.oracle.predict(x, 0.8, 0.6, "a red dog")
    assert 1e-6 < float((rough - wanted).abs().max() / wanted.abs().max()) < 0.1
    assert backbone.pictures(x).shape == (2, 16, 16, 3)


def test_not_a_pipelines_folder(tmp_path):
    assert "it has no model_index.json" in refused(tmp_path)
    (tmp_path / "model_index.json").write_text("{")
    assert "is not readable as the index" in refused(tmp_path)


def test_no_such_folder():
    assert refused("no/such/folder") == (
        "There is no folder 'no/such/folder', and it is not a Hub id such as owner/model."
    )


def test_unsupported_class(folder):
    index = json.loads((folder / "model_index.json").read_text())
    (folder / "model_index.json").write_text(json.dumps(index | {"_class_name": "KandinskyPipeline"}))
    sentence = refused(folder)
    assert sentence.startswith("KandinskyPipeline is not supported; supported are DDPMPipeline, DDIMPipeline")
    (folder / "model_index.json").write_text(json.dumps(index | {"_class_name": ["pipeline", "Mine"]}))
    assert "is not supported" in refused(folder)


def test_foreign_code(folder):
    index = json.loads((folder / "model_index.json").read_text())
    (folder / "model_index.json").write_text(json.dumps(index | {"unet": ["my_unet", "MyUNet"]}))
    (folder / "unet" / "my_unet.py").write_text("raise SystemExit('this must not run')")
    assert "only diffusers' and transformers' own code is run" in refused(folder)


def test_pickled_weights(folder):
    weights = folder / "unet" / "diffusion_pytorch_model.safetensors"
    weights.rename(weights.with_suffix(".bin"))
    assert refused(folder).startswith("The weights of 'unet' are pickled, which can run code")


@pytest.mark.parametrize("damage", ["cut", "header", "empty"])
def test_broken_weights(folder, damage):
    weights = folder / "vae" / "diffusion_pytorch_model.safetensors"
    data = weights.read_bytes()
    weights.write_bytes({"cut": data[:-100], "header": b"\xff" * 8 + data[8:], "empty": b""}[damage])
    assert refused(folder) == (
        "The weights file 'vae/diffusion_pytorch_model.safetensors' is broken or incomplete; fetch it again."
    )


def test_missing_parts(folder):
    import shutil

    (folder / "unet" / "diffusion_pytorch_model.safetensors").unlink()
    assert "has no safetensors file" in refused(folder)
    shutil.rmtree(folder / "tokenizer")
    assert "The component 'tokenizer' is missing" in refused(folder) or "safetensors" in refused(folder)
    shutil.rmtree(folder / "unet")
    assert "is missing from" in refused(folder)


def test_a_folder_that_diffusers_itself_cannot_read(folder):
    (folder / "unet" / "config.json").write_text("{}")
    assert refused(folder, device="cpu").startswith("model could not be loaded: ")


def test_one_network_folders_without_subfolders(tiny_folder, tmp_path, draws):
    """google/ddpm-* keep their network and scheduler beside model_index.json."""
    source = tiny_folder("ddpm")
    for name in ("unet/config.json", "unet/diffusion_pytorch_model.safetensors", "scheduler/scheduler_config.json"):
        (tmp_path / name.split("/")[1]).write_bytes((source / name).read_bytes())
    (tmp_path / "model_index.json").write_bytes((source / "model_index.json").read_bytes())
    flat, deep = load_backbone(str(tmp_path), device="cpu"), load_backbone(str(source), device="cpu")
    x = draws(1, flat.dimension)
    assert torch.equal(flat.oracle.predict(x, 0.8, 0.6), deep.oracle.predict(x, 0.8, 0.6))


def test_too_large_is_said_before_anything_is_loaded(folder, monkeypatch):
    monkeypatch.setattr(module, "free_memory", lambda device: 300_000)
    monkeypatch.setattr(module, "_opened", lambda *a: pytest.fail("loaded nevertheless"))
    with pytest.raises(TooLittleMemory, match=r"model needs about 0\.0 GB of this machine's memory, of which 0\.0 GB"):
        load_pipeline(folder, device="cpu")


def test_too_large_is_said_before_anything_is_fetched(monkeypatch):
    monkeypatch.setattr(module, "free_memory", lambda device: 4e9)
    monkeypatch.setattr(module, "_fetched", lambda *a: pytest.fail("fetched nevertheless"))
    with pytest.raises(TooLittleMemory, match=r"FLUX\.1 dev needs about .* GB of this machine's memory, of which 4\.0"):
        load_pipeline("black-forest-labs/FLUX.1-dev", device="cpu")


def test_variants_are_left_out(folder):
    unet = folder / "unet"
    for name in ("diffusion_pytorch_model.fp16.safetensors", "model.fp16-00001-of-00002.safetensors"):
        (unet / name).write_bytes(b"broken")
    load_pipeline(folder, device="cpu")


def test_memory_is_counted_from_the_files(tiny_folder, monkeypatch):
    seen = []
    monkeypatch.setattr(module, "_require_memory", lambda label, weights, device: seen.append(weights))
    pipeline = load_pipeline(tiny_folder("sd"), device="cpu").pipeline
    networks = (pipeline.unet, pipeline.vae, pipeline.text_encoder)
    assert seen[0] == pytest.approx(4 * sum(p.numel() for n in networks for p in n.parameters()), rel=0.01)


def test_a_folder_on_a_space(folder, monkeypatch):
    monkeypatch.setenv("SPACE_ID", "someone/demo")
    assert refused(folder) == "Folders cannot be loaded on a public Space; choose a listed model."


def test_an_unlisted_model_on_a_space(monkeypatch):
    monkeypatch.setenv("SPACE_ID", "someone/demo")
    sentence = refused("someone/else")
    assert sentence.startswith("someone/else is not among this Space's models: google/ddpm-cifar10-32")
    assert sentence.endswith("with GENSOT_BACKBONES.")


def test_the_list_can_be_extended(monkeypatch):
    monkeypatch.setenv("GENSOT_BACKBONES", "me/mine, you/yours@abc123,google/ddpm-cifar10-32@other,")
    models = allowed_models()
    assert models["me/mine"].revision is None
    assert models["you/yours"].revision == "abc123"
    assert models["google/ddpm-cifar10-32"] == HUB_MODELS["google/ddpm-cifar10-32"]
    assert len(models) == len(HUB_MODELS) + 2
    assert all(len(model.revision) == 40 for model in HUB_MODELS.values())


def test_what_is_known_before_loading():
    info = HUB_MODELS["black-forest-labs/FLUX.1-dev"].info("black-forest-labs/FLUX.1-dev")
    assert (info.asks, info.resolution, info.licence) == ("prompts", 1024, "flux-1-dev-non-commercial-license")
    assert info.summary.endswith("About 33.7 GB in 16 bits. Its licence must be accepted on the Hub first.")
    assert info.source == "black-forest-labs/FLUX.1-dev at 3de623fc3c33e44ffbe"


def _response(status):
    return httpx2.Response(status, request=httpx2.Request("GET", "https://huggingface.co"))


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (errors.OfflineModeIsEnabled("offline"), "is not on this machine, and HF_HUB_OFFLINE forbids fetching it."),
        (errors.LocalEntryNotFoundError("no"), "the Hub cannot be reached; try again when there is a connection."),
        (httpx2.ConnectError("no route"), "the Hub cannot be reached; try again when there is a connection."),
        (ConnectionError("reset"), "the Hub cannot be reached; try again when there is a connection."),
        (errors.GatedRepoError("gated", response=_response(403)), "is gated: accept its licence on huggingface.co"),
        (
            errors.RepositoryNotFoundError("none", response=_response(404)),
            "The Hub has no model a/b, or it is private.",
        ),
        (errors.RevisionNotFoundError("none", response=_response(404)), "a/b has no revision 'abc'."),
        (errors.RemoteEntryNotFoundError("none", response=_response(404)), "it has no model_index.json."),
        (OSError("no space left on device"), "a/b could not be fetched: OSError: no space left on device"),
    ],
)
def test_what_the_hub_says(monkeypatch, error, sentence):
    import huggingface_hub

    def fails(name, file, revision, local_files_only):
        assert (name, file, revision) == ("a/b", "model_index.json", "abc")
        raise error

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", fails)
    with pytest.raises(BackboneUnavailable) as caught:
        load_pipeline("a/b", revision="abc")
    assert sentence in str(caught.value)


def test_an_error_inside_an_error_is_found(monkeypatch):
    import huggingface_hub

    def fails(*arguments, **options):
        try:
            raise errors.OfflineModeIsEnabled("offline")
        except errors.OfflineModeIsEnabled as inner:
            raise errors.LocalEntryNotFoundError("no") from inner

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", fails)
    assert "HF_HUB_OFFLINE" in refused("a/b")


def test_a_hub_model_comes_at_its_pinned_commit(tiny_folder, monkeypatch):
    import diffusers
    import huggingface_hub

    source, seen = tiny_folder("ddpm"), []
    name = "google/ddpm-cifar10-32"

    def index(asked, file, revision, **_):
        seen.append((asked, revision))
        return str(source / file)

    def download(asked, **options):
        seen.append((asked, options["revision"]))
        assert options["use_safetensors"] is True
        assert not {"trust_remote_code", "custom_pipeline"} & options.keys()
        return str(source)

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", index)
    monkeypatch.setattr(diffusers.DiffusionPipeline, "download", download)
    monkeypatch.setenv("SPACE_ID", "someone/demo")
    backbone = load_backbone(name, device="cpu")
    assert seen == [(name, HUB_MODELS[name].revision)] * 2
    assert (backbone.info.name, backbone.info.licence) == (name, "apache-2.0")
    assert backbone.info.label == "DDPM, CIFAR-10, 32 px"
    assert backbone.info.source == f"{name} at {HUB_MODELS[name].revision[:12]}"


def test_without_a_connection_only_what_is_here_is_looked_at(monkeypatch):
    import socket

    import huggingface_hub

    asked = []

    def look(*arguments, **options):
        asked.append(options["local_files_only"])
        raise errors.LocalEntryNotFoundError("no")

    def nobody(*arguments, **options):
        raise OSError("unreachable")

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", look)
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    with monkeypatch.context() as patch:
        patch.setattr(socket, "create_connection", nobody)
        assert "cannot be reached" in refused("a/b")
    with monkeypatch.context() as patch:
        patch.setattr(socket, "create_connection", lambda *a, **k: contextlib.nullcontext())
        refused("a/b")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy")
    refused("a/b")
    assert asked == [True, False, False]


@pytest.mark.parametrize("name", ["someone/else", "google/ddpm-cifar10-32"])
def test_a_model_without_safetensors_is_refused(tmp_path, monkeypatch, name):
    import diffusers
    import huggingface_hub

    from tests.support.tiny_pipelines import save

    def download(asked, revision, use_safetensors, **_):
        assert use_safetensors
        raise OSError("Could not find the necessary `safetensors` weights in ...")

    source = save("ddpm", tmp_path / "pickled", safe=False)
    assert not list(source.rglob("*.safetensors"))
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", lambda name, file, **_: str(source / file))
    monkeypatch.setattr(diffusers.DiffusionPipeline, "download", download)
    assert "has no safetensors weights; pickled weights can run code" in refused(name, device="cpu")


class TestResidence:
    """One model, or as many as fit."""

    @staticmethod
    def loader(room):
        """Loads lists instead of models; at most ``room`` may exist, as memory would have it."""
        calls = []

        def load(name):
            calls.append(name)
            if name == "huge" or len(models._models) >= room:
                raise TooLittleMemory(f"{name} does not fit.")
            return [name]

        models = ResidentModels(load)
        return models, calls

    def test_a_model_is_loaded_once(self):
        models, calls = self.loader(room=2)
        assert models.get("a") is models.get("a")
        assert calls == ["a"]

    def test_the_longest_unused_makes_room(self):
        models, calls = self.loader(room=2)
        for name in ("a", "b", "a", "c"):
            models.get(name)
        assert list(models._models) == ["a", "c"]
        assert calls == ["a", "b", "c", "c"]

    def test_too_large_for_an_empty_machine(self):
        models, _ = self.loader(room=2)
        models.get("a")
        with pytest.raises(TooLittleMemory, match="huge does not fit"):
            models.get("huge")
        assert not models._models

    def test_threads_load_one_after_another(self):
        from concurrent.futures import ThreadPoolExecutor

        models, calls = self.loader(room=3)
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(lambda n: models.get("abc"[n % 3]), range(24)))
        assert sorted(calls) == ["a", "b", "c"]
        assert len({id(one) for one in found}) == 3

    def test_nobody_waits_for_the_loading_of_another_model(self):
        from concurrent.futures import ThreadPoolExecutor
        from threading import Event

        began, go_on = Event(), Event()

        def load(name):
            if name == "slow":
                began.set()
                assert go_on.wait(10)
            return [name]

        models = ResidentModels(load)
        quick = models.get("quick")
        with ThreadPoolExecutor(1) as pool:
            slow = pool.submit(models.get, "slow")
            assert began.wait(10)
            assert models.get("quick") is quick
            assert list(models._models) == ["quick"]
            go_on.set()
            assert slow.result(10) == ["slow"]

    def test_memory_is_reported_and_given_back(self, tiny_folder):
        import gc
        import weakref

        models = ResidentModels(lambda name: load_backbone(str(tiny_folder(name)), device="cpu"))
        pipeline = models.get("ddpm").pipeline
        expected = 4 * sum(p.numel() for p in pipeline.unet.parameters()) / 1e6
        assert models.megabytes() == {"ddpm": pytest.approx(expected)}
        held = weakref.ref(pipeline.unet)
        del pipeline
        models.unload("ddpm")
        gc.collect()
        assert held() is None
        assert models.megabytes() == {}
