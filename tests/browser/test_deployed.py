"""The app runs as a container would run it. Here, for it needs the machine for itself, as browser tests do."""

import pytest

from tools.deploy_check import ROOT
from tools.deployed_app import answers_as_deployed, as_user


@pytest.mark.skipif(as_user() is None, reason="root cannot become another user here")
def test_the_app_answers_as_user_1000_on_a_read_only_tree():
    assert list(answers_as_deployed(ROOT)) == []
