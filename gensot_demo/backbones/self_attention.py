"""A network beside itself without self-attention, as perturbed-attention guidance needs it (arXiv 2403.17377)."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from torch import Tensor, nn


class IdentityAttention:
    """A processor of diffusers' ``Attention``: every place attends to itself alone, so of queries, keys and values only
    the values are needed. Everything around the map stays: norm, projections, residual, rescaling."""

    def __call__(self, attn: Any, hidden_states: Tensor, *_: Any, temb: Tensor | None = None, **__: Any) -> Tensor:
        residual = hidden_states
        if attn.spatial_norm is not None:
            hidden_states = attn.spatial_norm(hidden_states, temb)
        flat = hidden_states.flatten(2).transpose(1, 2) if hidden_states.ndim == 4 else hidden_states
        if attn.group_norm is not None:
            flat = attn.group_norm(flat.transpose(1, 2)).transpose(1, 2)
        for layer in (attn.to_v, *attn.to_out):
            flat = layer(flat)
        out = flat.transpose(1, 2).reshape(residual.shape) if residual.ndim == 4 else flat
        return (out + residual if attn.residual_connection else out) / attn.rescale_output_factor


def self_attentions(network: nn.Module, chosen: Callable[[str], bool] = lambda _: True) -> list[Any]:
    """The self-attention layers of a diffusers network whose names are chosen; joint attention over pictures and words
    is none."""
    from diffusers.models.attention_processor import Attention

    return [
        module
        for name, module in network.named_modules()
        if isinstance(module, Attention)
        and not module.is_cross_attention
        and module.added_kv_proj_dim is None
        and chosen(name)
    ]


def without_attention(network: nn.Module, chosen: Callable[[str], bool] = lambda _: True) -> nn.Module:
    """A second network on the same weights whose chosen self-attention maps are the identity; the first is untouched,
    so both may answer at the same time. Moving the first one's weights moves them for both."""
    shared = {id(tensor): tensor for tensor in (*network.parameters(), *network.buffers())}
    other = copy.deepcopy(network, shared)
    for layer in self_attentions(other, chosen):
        layer.set_processor(IdentityAttention())
    return other


def in_the_middle(network: nn.Module) -> Callable[[str], bool]:
    """Which layers belong to the middle of a large network: perturbing more of them spoils a picture altogether."""
    blocks = getattr(network, "transformer_blocks", None)
    prefix = "mid_block." if blocks is None else f"transformer_blocks.{len(blocks) // 2}."
    return lambda name: name.startswith(prefix)
