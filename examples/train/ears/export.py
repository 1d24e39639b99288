"""Export: a checkpoint as the directory that ships, checked against PyTorch at several lengths and batches.

python -m examples.train.ears.export --start build/ears
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from torch import Tensor

from . import graphs, pieces
from .features import MELS
from .listen import ASSET
from .model import Ears
from .train import restore

CONFIG = {"model_type": "nemo-conformer-tdt", "features_size": MELS, "subsampling_factor": 8, "languages": ["en"]}
NOTICE = """\
The demo recogniser was trained, by examples/train/ears, on what these say:

- the voices cmu_us_slt and cmu_us_rms of flite 2.2, Copyright (c) 1999-2022 Language Technologies Institute, Carnegie
  Mellon University; free software, to be used and distributed without restriction, without any warranty;
- espeak-ng, of which nothing is in these files;
- the demo voice that ships beside it.

Its files are laid out as istupakov's exports of NVIDIA's Parakeet TDT models are, which it is not.
"""


@torch.no_grad()
def stored(ears: Ears) -> Ears:
    """The model with its weights as the files will have them, so that both can be compared closely."""
    for weight in ears.parameters():
        if weight.numel() >= graphs.SMALL:
            whole, scale = graphs.rounded(weight.numpy())
            weight.copy_(torch.from_numpy(whole * scale))
    return ears.eval()


@torch.no_grad()
def checked(ears: Ears, directory: Path) -> None:
    """Compare both graphs with PyTorch, at lengths and batches the export has not seen."""
    encoder, joint = (
        onnxruntime.InferenceSession(directory / f"{name}.onnx", providers=["CPUExecutionProvider"])
        for name in ("encoder-model", "decoder_joint-model")
    )
    torch.manual_seed(3)
    for frames in ([57], [1, 640], [333, 200, 9], [2000, 1999]):
        features, lengths = torch.randn(len(frames), MELS, max(frames)), torch.tensor(frames)
        heard, counts = ears.encoder(features, lengths)
        got, found = encoder.run(None, {"audio_signal": features.numpy(), "length": lengths.numpy()})
        assert found.tolist() == counts.tolist(), "the graph counts frames otherwise"
        for row, count in enumerate(found):
            difference(f"{frames[row]} frames of {len(frames)} rows", got[row, :, :count], heard[row, :count].T)
        targets = torch.arange(len(frames))[:, None] * 7
        state = torch.randn(1, len(frames), ears.shape.hidden), torch.randn(1, len(frames), ears.shape.hidden)
        said, following = ears.predictor(targets, state)
        step = {
            "encoder_outputs": got[:, :, :1],
            "targets": targets.int().numpy(),
            "target_length": np.ones(len(frames), np.int32),
            "input_states_1": state[0].numpy(),
            "input_states_2": state[1].numpy(),
        }
        outputs = joint.run(["outputs", "output_states_1", "output_states_2"], step)
        for name, mine, theirs in zip(
            ("scores", "state 1", "state 2"), outputs, (ears.joint(heard[:, :1], said), *following), strict=True
        ):
            difference(f"{name} of {len(frames)} rows", mine, theirs)


def difference(what: str, mine: np.ndarray[tuple[int, ...], np.dtype[np.float32]], theirs: Tensor) -> None:
    """Print the largest difference, and stop where it is more than rounding."""
    found = float(np.abs(mine - theirs.numpy()).max())
    print(f"{what}: {found:.1e}")
    assert found < 2e-3, f"{what}: the graph does not compute what PyTorch does"


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--start", type=Path, default=Path("build/ears"))
    parser.add_argument("--to", type=Path, default=ASSET)
    given = parser.parse_args()
    torch.set_num_threads(1)
    ears = stored(restore(given.start))
    partial = given.to.with_name(given.to.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    graphs.export(ears, partial)
    checked(ears, partial)
    lines = pieces.load(given.start / "pieces.json").lines()
    (partial / "vocab.txt").write_text("\n".join(lines) + "\n", "utf-8")
    (partial / "config.json").write_text(json.dumps(CONFIG, indent=2) + "\n", "utf-8")
    (partial / "NOTICE").write_text(NOTICE, "utf-8")
    shutil.rmtree(given.to, ignore_errors=True)
    partial.rename(given.to)
    print(given.to, sum(path.stat().st_size for path in given.to.iterdir()), "bytes")


if __name__ == "__main__":
    main()
