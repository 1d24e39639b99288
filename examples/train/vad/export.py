"""Export: a checkpoint as ONNX graphs in MarbleNet's contract, checked before they count.

python -m examples.train.vad.export --checkpoint build/vad --to src/sauropod/assets/demo-vad
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch

from sauropod.testing.models.speech.features import log_mel

from .features import Features
from .model import Detector
from .train import restore

GRAPH, PREPROCESSOR = "marblenet.onnx", "preprocessor.onnx"
ABOUT = {
    "name": "sauropod demo voice detector",
    "licence": "Apache-2.0",
    "description": "Trained from scratch on speech of flite and espeak-ng among synthetic noise, to try sauropod with.",
}


def write(model: Detector, to: Path) -> None:
    """Both graphs."""
    to.mkdir(parents=True, exist_ok=True)
    log_mel(model.shape.features, normalised=False).write(to / PREPROCESSOR)
    features, lengths = torch.randn(2, model.shape.features, 120) - 8, torch.tensor([120, 100])
    batch, time = torch.export.Dim("batch"), torch.export.Dim("frames")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / GRAPH
        program = torch.onnx.export(
            model.eval(),
            (features, lengths),
            dynamo=True,
            input_names=["processed_signal", "processed_signal_length"],
            output_names=["softmax_output"],
            dynamic_shapes={"features": {0: batch, 2: time}, "lengths": {0: batch}},
            external_data=False,
        )
        assert program is not None
        program.save(path)
        graph = onnx.load(path)
    bare(graph)
    onnx.helper.set_model_props(graph, ABOUT)
    onnx.checker.check_model(graph)
    onnx.save(graph, to / GRAPH)


def bare(graph: onnx.ModelProto) -> None:
    """Without the notes of where in the source each node comes from: they are longer than the weights."""
    graph.graph.doc_string = ""
    for node in graph.graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
    del graph.graph.value_info[:]
    del graph.functions[:]


def check(model: Detector, folder: Path) -> None:
    """Fail where onnxruntime computes something else than torch, at any length or number of rows."""
    random = np.random.default_rng(3)
    network, front = (onnxruntime.InferenceSession(folder / name) for name in (GRAPH, PREPROCESSOR))
    worst = 0.0
    for rows, count in ((1, 320), (1, 1920), (2, 16_000), (3, 16_111), (5, 40_000), (1, 160_000)):
        audio = (random.standard_normal((rows, count)) * 10 ** random.uniform(-3, -0.5, (rows, 1))).astype(np.float32)
        lengths = np.full(rows, count, np.int64)
        features, counted = front.run(["features", "features_lens"], {"audio": audio, "audio_length": lengths})
        with torch.no_grad():
            mine = Features(model.shape.features)(torch.from_numpy(audio))
        assert (counted == count // 160).all()
        worst = max(worst, float(np.abs(mine.numpy() - features[:, :, : count // 160]).max()))
    print(f"features differ by {worst:.1e} at most")
    if worst > 2e-3:
        raise SystemExit("The preprocessor computes other features than the network was trained on.")
    worst = 0.0
    for rows, count in ((1, 1), (1, 2), (1, 7), (2, 64), (1, 111), (3, 400), (8, 111), (5, 1001)):
        seen = random.normal(-8, 4, (rows, model.shape.features, count)).astype(np.float32)
        held = random.integers(1, count + 1, rows)
        held[0] = count
        told = network.run(None, {"processed_signal": seen, "processed_signal_length": held})[0]
        with torch.no_grad():
            mine = model(torch.from_numpy(seen), torch.from_numpy(held))
        assert told.shape == (rows, -(-count // 2), 1)
        worst = max(worst, float(np.abs(mine.numpy() - told).max()))
        for row, length in enumerate(held):
            alone = {
                "processed_signal": seen[row : row + 1, :, :length],
                "processed_signal_length": held[row : row + 1],
            }
            cut = network.run(None, alone)[0][0]
            worst = max(worst, float(np.abs(cut - told[row, : len(cut)]).max()))
    print(f"probabilities differ by {worst:.1e} at most, padded rows among them")
    if worst > 1e-5:
        raise SystemExit("onnxruntime computes other probabilities than torch.")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", type=Path, default=Path("build/vad"))
    parser.add_argument("--to", type=Path, default=Path("src/sauropod/assets/demo-vad"))
    given = parser.parse_args()
    torch.set_num_threads(1)
    model = restore(given.checkpoint)
    write(model, given.to)
    print(", ".join(f"{path.name} {path.stat().st_size / 1e3:.0f} kB" for path in sorted(given.to.iterdir())))
    check(model, given.to)


if __name__ == "__main__":
    main()
