"""What Gradio keeps of every visitor, made small; and of every run, safe to stop.

Gradio 6.31 writes out the configuration of every component of every page for each new session, and keeps the last
value of each component that an event has filled, for deep links. With this app's pages that takes a third of a second,
in which nobody else is served, and megabytes a visitor; a call by name without a session is a session, too. Links here
hold the state themselves, so nothing of it is needed.

Its /cancel waits for the step under way and then takes the run out of its list, where a run that has ended meanwhile no
longer is: the run was stopped, and the visitor's browser was told of an error of the server.
"""

from __future__ import annotations

from collections import ChainMap
from copy import copy
from typing import Any

from gradio.components import State
from gradio.routes import App
from gradio.state_holder import SessionState

_plain_setting = SessionState.__setitem__
_plain_app = App.__init__


def keep_sessions_small() -> None:
    """From now on sessions hold what is a visitor's own: states, and components that were changed for them."""
    SessionState.__init__ = _begin
    SessionState.__setitem__ = _set
    SessionState._update_config = SessionState._update_value_in_config = _forget


def let_runs_end_while_stopped() -> None:
    """Apps that are launched from now on may be asked to stop a run that ends by itself."""
    App.__init__ = _begin_app


class _RunsUnderWay(dict):
    def __delitem__(self, key: str) -> None:
        self.pop(key, None)


def _begin_app(self: App, *args: Any, **more: Any) -> None:
    _plain_app(self, *args, **more)
    self.iterators = _RunsUnderWay()


def _begin(self: SessionState, blocks: Any) -> None:
    self.blocks_config = copy(blocks.default_config)
    self.blocks_config.blocks = ChainMap({}, blocks.default_config.blocks)
    self.blocks_config.fns = ChainMap({}, blocks.default_config.fns)
    self.config_values = {}
    self.state_data = {}
    self._state_ttl = {}
    self.is_closed = False
    self.STATE_TTL_WHEN_CLOSED = 3600


def _set(self: SessionState, key: int, value: Any) -> None:
    if isinstance(self.blocks_config.blocks.get(key), State):
        _plain_setting(self, key, value)
        self.config_values.clear()
    else:
        self.blocks_config.blocks[key] = value


def _forget(self: SessionState, *_: Any) -> None:
    """Deep links would need it."""
