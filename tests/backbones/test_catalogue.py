"""The list of models: embedded ones, folders, pipelines from a notebook, the Hub; on a Space and elsewhere."""

from __future__ import annotations

import pytest

from gensot_demo.backbones.catalogue import EMBEDDED, Catalogue
from gensot_demo.backbones.errors import BackboneUnavailable
from tests.support.tiny_pipelines import save


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return save("sd", tmp_path_factory.mktemp("models") / "my model!")


def test_embedded_models_come_first_and_nothing_is_loaded():
    catalogue = Catalogue()
    assert list(catalogue.infos())[:3] == list(EMBEDDED) == ["network", "collection", "truth"]
    assert catalogue.info("stable-diffusion-v1-5/stable-diffusion-v1-5").asks == "prompts"
    assert catalogue.info("google/ddpm-cifar10-32").asks == "nothing"


def test_a_folder_is_listed_by_a_name_that_a_link_can_carry_and_loaded_once(folder):
    catalogue = Catalogue()
    name = catalogue.add_folder(folder)
    assert name == "my-model-"
    backbone = catalogue.load(name)
    assert backbone is catalogue.load(name)
    assert backbone.info.name == name
    assert catalogue.info(name).parameters == backbone.info.parameters > 0
    assert catalogue.add_folder(folder) == name
    catalogue.unload()
    assert catalogue.load(name) is not backbone


def test_two_folders_of_one_name_are_two_models(folder, tmp_path):
    catalogue = Catalogue()
    other = save("ddpm", tmp_path / folder.name)
    names = catalogue.add_folder(folder), catalogue.add_folder(other)
    assert len(set(names)) == 2
    assert [catalogue.load(name).info.asks for name in names] == ["prompts", "nothing"]


def test_a_folder_that_is_no_pipeline_is_not_listed(tmp_path):
    catalogue = Catalogue()
    with pytest.raises(BackboneUnavailable):
        catalogue.add_folder(tmp_path)
    assert tmp_path.name not in catalogue.infos()


def test_a_loaded_pipeline_is_taken_as_it_is(folder):
    from diffusers import StableDiffusionPipeline

    pipeline = StableDiffusionPipeline.from_pretrained(folder)
    catalogue = Catalogue()
    assert catalogue.add_pipeline("notebook", pipeline) == "notebook"
    assert catalogue.load("notebook").pipeline is pipeline
    assert catalogue.info("notebook").asks == "prompts"


def test_a_space_takes_listed_models_only(monkeypatch):
    catalogue = Catalogue()
    assert catalogue.info("somebody/their-model").label == "their-model"
    monkeypatch.setenv("SPACE_ID", "someone/demo")
    assert not catalogue.takes_any_id
    with pytest.raises(BackboneUnavailable, match="is not among this Space's models: network, collection"):
        catalogue.load("somebody/their-model")
    monkeypatch.setenv("GENSOT_BACKBONES", "somebody/their-model@abc123")
    assert catalogue.info("somebody/their-model").source == "somebody/their-model at abc123"


@pytest.mark.parametrize("name", ["", "../../etc", "/etc", "a/b/c", "no such model"])
def test_what_is_no_name_is_refused(name):
    with pytest.raises(BackboneUnavailable, match="is unknown; there are network, collection, truth"):
        Catalogue().load(name)
