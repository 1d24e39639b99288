"""Loss: the negative log likelihood of texts under a token-and-duration transducer, for torch."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from .lattice import likelihood

UNDER = 0.05
"""What is taken off the tokens' log probabilities, so that long durations are preferred (the paper's sigma)."""


def tdt_loss(scores: Tensor, targets: Tensor, frames: Tensor, lengths: Tensor, blank: int) -> Tensor:
    """[B] losses of scores [B, T, U+1, blank+1+D] and targets int64 [B, U], of which `lengths` count in `frames`."""
    tokens = scores[..., : blank + 1].log_softmax(-1) - UNDER
    durations = scores[..., blank + 1 :].log_softmax(-1)
    index = targets[:, None, :, None].expand(-1, scores.shape[1], -1, 1)
    pieces = tokens[:, :, :-1].gather(3, index)[..., 0]
    found: Tensor = Lattice.apply(tokens[..., blank], pieces, durations, frames, lengths)  # type: ignore[no-untyped-call]
    return found


class Lattice(torch.autograd.Function):
    """Losses [B] of log probabilities: blanks [B, T, U+1], pieces [B, T, U], durations [B, T, U+1, D]."""

    @staticmethod
    def forward(ctx: Any, blanks: Tensor, pieces: Tensor, durations: Tensor, frames: Tensor, lengths: Tensor) -> Tensor:
        """Losses, and the gradients for later."""
        arrays = [each.detach().numpy() for each in (blanks, pieces, durations)]
        losses, gradients = likelihood(*arrays, frames.numpy(), lengths.numpy())
        ctx.save_for_backward(*(torch.from_numpy(each) for each in gradients))
        return torch.from_numpy(losses)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        """The kept gradients, weighted."""
        weight = grads[0]
        blanks, pieces, durations = ctx.saved_tensors
        return (
            blanks * weight[:, None, None],
            pieces * weight[:, None, None],
            durations * weight[:, None, None, None],
            None,
            None,
        )
