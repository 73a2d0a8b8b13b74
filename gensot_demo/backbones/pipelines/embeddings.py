"""What networks are told about a condition: class indices, or prompts encoded by the pipeline's own text encoders."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from gensot_demo.backbones.errors import UnknownCondition
from gensot_demo.transport.oracles import Condition

LONGEST_PROMPT = 1000
PROMPTS_KEPT = 32  # an embedding of a large text model is 4 MB
_T5_READS = {"StableDiffusion3Pipeline": 256, "FluxPipeline": 512}  # the pipelines' own defaults


class ClassEmbeddings:
    """Class indices of conditions; None is the null class, the index after the last."""

    def __init__(self, classes: int):
        self.classes = classes

    def rows(self, conditions: Sequence[Condition], device: torch.device) -> Tensor:
        """Indices (n,)."""
        return torch.tensor([self.classes if c is None else c for c in conditions], device=device)


class Embeddings:
    """Embeddings of prompts by the pipeline's own ``encode_prompt``, each prompt once; None is its null prompt."""

    def __init__(self, pipeline: Any):
        self.pipeline = pipeline
        self._kind = type(pipeline).__name__
        self._known: OrderedDict[Condition, tuple[Tensor, Tensor | None]] = OrderedDict()
        self._lock = threading.Lock()

    def rows(
        self, conditions: Sequence[Condition], device: torch.device, dtype: torch.dtype
    ) -> tuple[Tensor, Tensor | None]:
        """(tokens (n, t, k), pooled (n, p) or None), one condition a row."""
        distinct = list(dict.fromkeys(conditions))
        found = [self._of(condition) for condition in distinct]
        place = {condition: n for n, condition in enumerate(distinct)}
        index = torch.tensor([place[condition] for condition in conditions], device=device)
        tokens = torch.cat([tokens for tokens, _ in found]).to(device, dtype)[index]
        if found[0][1] is None:
            return tokens, None
        return tokens, torch.cat([pooled for _, pooled in found]).to(device, dtype)[index]

    def _of(self, condition: Condition) -> tuple[Tensor, Tensor | None]:
        with self._lock:
            if condition not in self._known:
                with torch.no_grad():
                    self._known[condition] = self._encode(condition)
            self._known.move_to_end(condition)
            value = self._known[condition]
            if len(self._known) > PROMPTS_KEPT:
                self._known.popitem(last=False)
            return value

    def _encode(self, condition: Condition) -> tuple[Tensor, Tensor | None]:
        """(tokens (1, t, k), pooled (1, p) or None), as the pipeline's ``__call__`` makes them."""
        pipeline, prompt, null = self.pipeline, condition or "", condition is None
        if self._kind == "FluxPipeline":
            tokens, pooled, _ = pipeline.encode_prompt(prompt=prompt)
            return tokens, pooled
        options = {"device": pipeline.device, "num_images_per_prompt": 1}
        if self._kind == "StableDiffusionPipeline":
            out = pipeline.encode_prompt(prompt, do_classifier_free_guidance=null, **options)
            return out[1 if null else 0], None
        if self._kind == "StableDiffusion3Pipeline":
            options |= {"prompt_2": None, "prompt_3": None}
        out = pipeline.encode_prompt(prompt, do_classifier_free_guidance=null, **options)
        return (out[1], out[3]) if null else (out[0], out[2])


def checked_prompt(prompt: str) -> str:
    """The prompt without surrounding space; raises UnknownCondition if it is empty or too long."""
    text = prompt.strip()
    if not text:
        raise UnknownCondition("The prompt is empty; say what the picture should show.")
    if len(text) > LONGEST_PROMPT:
        raise UnknownCondition(
            f"The prompt has {len(text):,} characters; a prompt may have at most {LONGEST_PROMPT:,}."
        )
    return text


def truncated(pipeline: Any, prompt: str) -> str | None:
    """Which words of a prompt the model's text encoders do not read, in a sentence, or None if they read it all."""
    reads = [_reading(pipeline, name, prompt) for name in ("tokenizer", "tokenizer_2", "tokenizer_3")]
    reads = [reading for reading in reads if reading is not None]
    short = [reading for reading in reads if reading[1] > reading[0]]
    if not short:
        return None
    limit, length = max(short)
    if len(short) == len(reads):
        return f"The model reads only the first {limit} tokens of this prompt; it has {length}."
    return f"One of the model's text encoders reads only the first {limit} of this prompt's {length} tokens."


def _reading(pipeline: Any, name: str, prompt: str) -> tuple[int, int] | None:
    """(tokens that are read, tokens of the prompt), without the special ones; None without such a tokenizer."""
    tokenizer = getattr(pipeline, name, None)
    encoder = getattr(pipeline, name.replace("tokenizer", "text_encoder"), None)
    if tokenizer is None or encoder is None:
        return None
    special = tokenizer.num_special_tokens_to_add()
    length = len(tokenizer(prompt, add_special_tokens=False, verbose=False).input_ids)
    kind = type(pipeline).__name__
    if "T5" in type(encoder).__name__:
        return _T5_READS.get(kind, tokenizer.model_max_length) - special, length
    first = getattr(pipeline, "tokenizer", None) or tokenizer
    return first.model_max_length - special, length
