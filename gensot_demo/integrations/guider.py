"""GenSOT's trusts as a diffusers guider, for modular pipelines."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
import torch
from diffusers.configuration_utils import register_to_config
from diffusers.guiders import BaseGuidance
from diffusers.guiders.guider_utils import GuiderOutput
from diffusers.modular_pipelines.modular_pipeline import BlockState
from torch import Tensor

from gensot_demo.guidance.scheduled import added_scores
from gensot_demo.transport.errors import InvalidValue, require_number

MAX_TRUST = 1000.0
_MAIN, _NULL, _MORE = "pred_cond", "pred_uncond", "pred_more_"


class GenSOTGuidance(BaseGuidance):
    """D_u + sum_m k_m(s) (D_m - D_u): trusts in several conditions, which may change during the run.

    What it is not: a guider sees predictions only, no states, levels or particles. Added scores are not the predicted
    state of the law p(y) prod_m p(c_m|y)^{k_m}, and the path-integral weights that repair this need this package's own
    loop; the soft end at a reference is :class:`~gensot_demo.integrations.GenSOTScheduler`'s. With one trust and no
    schedule this is classifier-free guidance with scale ``trust``.

    Args:
        trust: k of the pipeline's own condition, -1000 to 1000; 1 is conditional, 0 unconditional sampling.
        more_trusts: one k for each condition of :meth:`set_conditions`, -1000 to 1000; negative turns away from it.
        schedule: pairs (progress, factor), progress rising within 0 to 1 and factor -1000 to 1000. All trusts are
            multiplied by the factor, linear between the pairs and constant outside; None is 1 throughout. Progress
            is step / (steps - 1).
        start, stop: the share of steps within which trusts are used, 0 <= start <= stop <= 1, start < 1; as in
            diffusers' guiders, elsewhere the pipeline's own condition is used alone.
        enabled: False uses the pipeline's own condition alone.

    Raises ValueError for anything outside these ranges. Conditions are tensors and not part of the config.
    Sources: Ho & Salimans, arXiv 2207.12598, eq. 6; Liu et al., arXiv 2206.01714, eq. 11; trusts as in Chertkov,
    arXiv 2512.11859; docs/FORMULAS.md 1.6.
    """

    _input_predictions = [_MAIN, _NULL]  # noqa: RUF012

    @register_to_config
    def __init__(
        self,
        trust: float = 5.0,
        more_trusts: Sequence[float] = (),
        schedule: Sequence[Sequence[float]] | None = None,
        start: float = 0.0,
        stop: float = 1.0,
        enabled: bool = True,
    ):
        super().__init__(start, stop, enabled)
        self.trust = require_number("trust", trust, -MAX_TRUST, MAX_TRUST)
        self.more_trusts = tuple(require_number("more_trusts", k, -MAX_TRUST, MAX_TRUST) for k in more_trusts)
        self.schedule = _schedule(schedule)
        self._conditions: tuple[dict[str, Tensor], ...] = ()

    def set_conditions(self, conditions: Sequence[Mapping[str, Tensor]]) -> None:
        """The conditions behind ``more_trusts``, one mapping each, from the denoiser's field to a tensor.

        Fields are those of the pipeline's denoising block (SDXL: prompt_embeds, text_embeds, time_ids); the tensors
        have the shape of the pipeline's own condition, and fields left out are taken from it.
        Raises ValueError if their number is not that of ``more_trusts``.
        """
        if len(conditions) != len(self.more_trusts):
            raise InvalidValue(f"{len(conditions)} conditions were given for {len(self.more_trusts)} more_trusts.")
        self._conditions = tuple(dict(condition) for condition in conditions)

    @property
    def trusts(self) -> tuple[float, ...]:
        """(k of the pipeline's condition, k of the others) at the current step."""
        if not self._within():
            return (1.0, *(0.0 for _ in self.more_trusts))
        factor = 1.0
        if self.schedule is not None:
            progress, factors = zip(*self.schedule, strict=True)
            factor = float(np.interp(self.progress, progress, factors))
        return tuple(factor * k for k in (self.trust, *self.more_trusts))

    @property
    def progress(self) -> float:
        """Of the run, 0 at the first and 1 at the last step; 0 before the run."""
        if self._step is None or self._num_inference_steps is None or self._num_inference_steps < 2:
            return 0.0
        return min(max(self._step / (self._num_inference_steps - 1), 0.0), 1.0)

    @property
    def num_conditions(self) -> int:
        """Forward passes at the current step; before a run the most that a step may need."""
        return len(self._asked())

    @property
    def is_conditional(self) -> bool:
        """Whether the pass last prepared is under a condition."""
        asked = self._asked()
        return 1 <= self._count_prepared <= len(asked) and asked[self._count_prepared - 1] != _NULL

    def prepare_inputs(self, data: dict[str, tuple[Tensor | None, ...] | Tensor]) -> list[BlockState]:
        """One batch a pass from fields given as (conditional, unconditional) tensors."""
        return [self._filled(self._prepare_batch(data, int(name == _NULL), name), data) for name in self._asked()]

    def prepare_inputs_from_block_state(
        self, data: BlockState, input_fields: dict[str, str | tuple[str, ...]]
    ) -> list[BlockState]:
        """The same from fields given as names of a block state's attributes."""
        return [
            self._filled(
                self._prepare_batch_from_block_state(input_fields, data, int(name == _NULL), name), input_fields
            )
            for name in self._asked()
        ]

    def forward(self, pred_cond: Tensor, pred_uncond: Tensor | None = None, **more: Tensor) -> GuiderOutput:
        """The guided prediction in the network's own parametrisation, tensors of one shape (n, ...)."""
        main, *others = self.trusts
        if self._step is not None and self._step == self._num_inference_steps - 1:
            self._step = self._num_inference_steps = None  # the next run's text encoder asks how many passes there are
        if pred_uncond is None:
            return GuiderOutput(pred=pred_cond, pred_cond=pred_cond, pred_uncond=None)
        asked = [others[int(name.removeprefix(_MORE))] for name in more]
        pred = added_scores(torch.stack([pred_uncond, pred_cond, *more.values()]), (main, *asked))
        return GuiderOutput(pred=pred, pred_cond=pred_cond, pred_uncond=pred_uncond)

    def _within(self) -> bool:
        if not self._enabled:
            return False
        steps = self._num_inference_steps
        return steps is None or int(self._start * steps) <= self._step < int(self._stop * steps)

    def _asked(self) -> list[str]:
        """Names of the passes of this step, in order; outside a run of all that a step may need."""
        main, *others = self.trusts
        anything = self._enabled and self._num_inference_steps is None and self.schedule is not None
        wanted = [anything or not math.isclose(k, 0.0) for k in others]
        if math.isclose(main, 1.0) and not any(wanted) and not anything:
            return [_MAIN]
        return [_MAIN, _NULL, *(f"{_MORE}{n}" for n, asked in enumerate(wanted) if asked)]

    def _filled(self, batch: BlockState, fields: Mapping) -> BlockState:
        """A batch with the fields of its own condition."""
        name = getattr(batch, self._identifier_key)
        if name.startswith(_MORE):
            if not self._conditions:
                count = len(self.more_trusts)
                raise InvalidValue(f"more_trusts has {count} entries; give their conditions with set_conditions.")
            condition = self._conditions[int(name.removeprefix(_MORE))]
            unknown = sorted(set(condition) - set(fields))
            if unknown:
                raise InvalidValue(f"a condition has the fields {unknown}; this pipeline takes {sorted(fields)}.")
            for field, value in condition.items():
                setattr(batch, field, value)
        return batch


def _schedule(schedule: Sequence[Sequence[float]] | None) -> tuple[tuple[float, float], ...] | None:
    if schedule is None:
        return None
    if len(schedule) == 0 or any(len(pair) != 2 for pair in schedule):
        raise InvalidValue(f"schedule is {schedule!r}; it must be a list of pairs (progress, factor), or None.")
    pairs = tuple(
        (require_number("schedule progress", p, 0.0, 1.0), require_number("schedule factor", f, -MAX_TRUST, MAX_TRUST))
        for p, f in schedule
    )
    if any(later[0] <= earlier[0] for earlier, later in pairwise(pairs)):
        raise InvalidValue(f"schedule is {schedule!r}; its progress must rise.")
    return pairs
