"""Network: letters in, and for each letter two places that hold a symbol or nothing (CTC, Graves et al. 2006).

Convolutions see a letter's neighbours, attention sees the whole word: where the stress falls depends on its end.
`sauropod._speech.english.letters` computes the same with numpy.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from sauropod._speech.english.alphabet import ACCENTS, LETTERS, LONGEST, SAID

from .words import PLACES

HEADS = 4


class Near(nn.Module):
    """Adds what can be seen in a window of `width` places around each."""

    def __init__(self, size: int, width: int) -> None:
        super().__init__()
        self.reach = width // 2
        self.inner = nn.Linear(width * size, size)

    def forward(self, x: Tensor) -> Tensor:
        """(words, places, size) -> the same shape."""
        padded = functional.pad(norm(x), (0, 0, self.reach, self.reach))
        windows = [padded[:, at : at + x.shape[1]] for at in range(2 * self.reach + 1)]
        return x + functional.relu(self.inner(torch.cat(windows, dim=-1)))


class Far(nn.Module):
    """Adds what attention finds in the whole word, then what two layers make of each place."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.asked = nn.Linear(size, 3 * size)
        self.found = nn.Linear(size, size)
        self.wide = nn.Linear(size, 2 * size)
        self.narrow = nn.Linear(2 * size, size)

    def forward(self, x: Tensor) -> Tensor:
        """(words, places, size) -> the same shape."""
        words, places, size = x.shape
        heads = self.asked(norm(x)).view(words, places, 3, HEADS, size // HEADS).permute(2, 0, 3, 1, 4)
        seen = functional.scaled_dot_product_attention(heads[0], heads[1], heads[2])
        x = x + self.found(seen.transpose(1, 2).reshape(words, places, size))
        return x + self.narrow(functional.relu(self.wide(norm(x))))


def norm(x: Tensor) -> Tensor:
    """Every place scaled to a mean square of 1."""
    return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + 1e-6)


class Network(nn.Module):
    """The whole: all words of a batch have the same number of letters."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.letter = nn.Embedding(len(LETTERS), size)
        self.accent = nn.Embedding(len(ACCENTS), size)
        self.first = nn.Embedding(LONGEST, size)
        self.last = nn.Embedding(LONGEST, size)
        self.blocks = nn.ModuleList([Near(size, 5), Far(size), Near(size, 5), Far(size)])
        self.split = nn.Linear(size, PLACES * size)
        self.places = nn.ModuleList([Near(size, 3)])
        self.symbol = nn.Linear(size, len(SAID))
        for table in (self.letter, self.accent, self.first, self.last):
            nn.init.normal_(table.weight, std=0.5)

    def forward(self, letters: Tensor, accents: Tensor) -> Tensor:
        """(words, letters), (words,) -> logarithms of probabilities (words, 2 * letters, symbols)."""
        at = torch.arange(letters.shape[1])
        x = self.letter(letters) + self.accent(accents)[:, None] + self.first(at) + self.last(at.flip(0))
        for block in self.blocks:
            x = block(x)
        x = self.split(norm(x)).view(len(letters), PLACES * letters.shape[1], -1)
        for block in self.places:
            x = block(x)
        return functional.log_softmax(self.symbol(norm(x)), dim=-1)
