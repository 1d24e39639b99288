"""Export: a checkpoint as the directory that ships, checked against PyTorch at several lengths.

python -m examples.train.voice.export --start build/voice
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper
from onnxscript import optimizer
from torch import Tensor

from .symbols import PAD, VOCABULARY
from .train import VOICES, restore
from .voice import Voice

ASSET = Path(__file__).parents[3] / "src" / "sauropod" / "assets" / "demo-voice"
NAMES = {"slt": "demo_female", "rms": "demo_male", "awb": "demo_scottish"}
HALVED = 512
"""Numbers that a weight has at least for being kept as half floats."""

ROWS = 510
"""Rows of a voice file: one for every number of symbols."""

CONFIG = {
    "model_type": "style_text_to_speech_2",
    "name": "sauropod demo voice",
    "about": "A small voice in the layout of Kokoro-82M, which it is not: trained on flite's voices (see NOTICE).",
    "sample_rate": 24000,
    "frame_samples": 120,
    "voices": sorted(NAMES.values()),
}
NOTICE = Path(__file__).parent / "NOTICE"
"""What flite's licence asks to be said beside what was made with it."""


def rounded(voice: Voice) -> Voice:
    """The voice with its larger weights as they are when they have been half floats."""
    for weight in voice.network.parameters():
        if weight.numel() >= HALVED:
            weight.data = weight.data.half().float()
    return voice.eval()


def graph(voice: Voice, path: Path) -> None:
    """Write the graph, any number of symbols long, its weights as half floats."""
    count = torch.export.Dim("symbols", min=3, max=ROWS + 2)
    example = (torch.tensor([[0, *range(43, 60), 0]]), torch.zeros(1, 256), torch.ones(1))
    program = torch.onnx.export(
        voice,
        example,
        dynamo=True,
        optimize=False,
        verbose=False,
        input_names=["input_ids", "style", "speed"],
        output_names=["waveform", "duration"],
        dynamic_shapes={"input_ids": {1: count}, "style": None, "speed": None},
    )
    assert program is not None
    optimizer.optimize(program.model, output_size_limit=4096)
    onnx.save(halved(bare(program.model_proto)), path)


def bare(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model without what only its maker needs, its outputs' lengths named."""
    for node in model.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    del model.graph.value_info[:], model.graph.metadata_props[:], model.metadata_props[:]
    for value in (*model.graph.input, *model.graph.output):
        del value.metadata_props[:]
    samples, symbols = model.graph.output[0].type.tensor_type, model.graph.output[1].type.tensor_type
    samples.shape.dim[1].dim_param, symbols.shape.dim[0].dim_param = "samples", "symbols"
    return model


def halved(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model with the network's larger weights as half floats, which are cast when it is loaded."""
    casts = []
    for weight in model.graph.initializer:
        values = numpy_helper.to_array(weight)
        if not weight.name.startswith("network.") or values.dtype != np.float32 or values.size < HALVED:
            continue
        name, half = weight.name, f"{weight.name}.half"
        weight.CopyFrom(numpy_helper.from_array(values.astype(np.float16), half))
        casts.append(helper.make_node("Cast", [half], [name], to=TensorProto.FLOAT))
    for cast in reversed(casts):
        model.graph.node.insert(0, cast)
    onnx.checker.check_model(model)
    return model


def tokenizer() -> Mapping[str, object]:
    """`tokenizer.json` as the Hub's export of Kokoro has it: characters are tokens, unknown ones fall away."""
    known = "".join(VOCABULARY)
    pad = {"SpecialToken": {"id": PAD, "type_id": 0}}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [],
        "normalizer": {"type": "Replace", "pattern": {"Regex": f"[^{known}]"}, "content": ""},
        "pre_tokenizer": {"type": "Split", "pattern": {"Regex": ""}, "behavior": "Isolated", "invert": False},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [pad, {"Sequence": {"id": "A", "type_id": 0}}, pad],
            "pair": [pad, {"Sequence": {"id": "A", "type_id": 0}}, pad, {"Sequence": {"id": "B", "type_id": 0}}, pad],
            "special_tokens": {PAD: {"id": PAD, "ids": [0], "tokens": [PAD]}},
        },
        "decoder": None,
        "model": {"type": "WordLevel", "vocab": dict(VOCABULARY), "unk_token": PAD},
    }


def checked(voice: Voice, styles: Tensor, path: Path) -> None:
    """Compare the file with PyTorch at several lengths and speeds; durations must agree, samples nearly."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    generator = np.random.default_rng(7)
    known = np.array(sorted(set(VOCABULARY.values()) - {0}))
    for count, speed in ((1, 1.0), (2, 1.0), (7, 2.0), (40, 0.5), (173, 1.3), (ROWS, 1.0)):
        ids = np.array([[0, *generator.choice(known, count), 0]])
        style = styles[count % len(styles)][None]
        with torch.no_grad():
            wave, duration = voice(torch.from_numpy(ids), style, torch.tensor([speed]))
        got = session.run(None, {"input_ids": ids, "style": style.numpy(), "speed": np.array([speed], np.float32)})
        error = float(np.sqrt(np.mean((got[0] - wave.numpy()) ** 2) / np.mean(wave.numpy() ** 2)))
        print(f"{count} symbols at {speed}: {wave.shape[1]} samples, relative error {error:.1e}")
        if (got[1] != duration.numpy()).any() or error > 0.02:
            raise ValueError("the graph does not say what PyTorch says")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--start", type=Path, default=Path("build/voice"))
    parser.add_argument("--to", type=Path, default=ASSET)
    given = parser.parse_args()
    torch.set_num_threads(1)
    learner = restore(given.start)
    voice = rounded(Voice(learner.network))
    partial = given.to.with_name(given.to.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    (partial / "onnx").mkdir(parents=True)
    (partial / "voices").mkdir()
    graph(voice, partial / "onnx" / "model.onnx")
    styles = learner.styles.detach()
    checked(voice, styles, partial / "onnx" / "model.onnx")
    for number, name in enumerate(VOICES):
        styles[number].numpy().astype("<f4")[None].repeat(ROWS, 0).tofile(partial / "voices" / f"{NAMES[name]}.bin")
    _write(partial / "tokenizer.json", tokenizer())
    _write(partial / "config.json", CONFIG)
    shutil.copyfile(NOTICE, partial / "NOTICE")
    shutil.rmtree(given.to, ignore_errors=True)
    partial.rename(given.to)
    print(given.to, sum(path.stat().st_size for path in given.to.rglob("*") if path.is_file()), "bytes")


def _write(path: Path, document: Mapping[str, object]) -> None:
    """Write JSON for people and machines."""
    path.write_text(json.dumps(document, ensure_ascii=False, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
