"""Export: a checkpoint as a GGUF file, checked through llama.cpp before it counts.

python -m examples.train.text.export --checkpoint build/text --to src/sauropod/assets/demo.gguf
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import gguf
import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer

from . import conversations, material, template, tokenizer
from .model import Llama
from .train import restore

LAYERS = {
    "attention_norm.weight": ("attn_norm",),
    "attention.input.weight": ("attn_q", "attn_k", "attn_v"),
    "attention.output.weight": ("attn_output",),
    "feed_norm.weight": ("ffn_norm",),
    "feed.input.weight": ("ffn_gate", "ffn_up"),
    "feed.output.weight": ("ffn_down",),
}
Q8 = gguf.GGMLQuantizationType.Q8_0
TRICKY = (
    "", " ", "  two  spaces ", "\n\n a\n", "don't I'M we'Ll", "'song' it's", "C'est l'été à Zürich", "naïve café",
    "日本語とカタカナ", "Привет мир", "مرحبا", "שלום", "हिन्दी", "ไทย", "👋🏽 hi 🦕🇫🇷", "a\u0301e\u0301", "x=1;y+=2",
    "def f(x):\n\treturn x**2  # ok\n", "12345 3.14 1,000", "<tool_call>\n{}\n</tool_call>", "a<tools>b</tools>",
    "<tool_response>x</tool_response>", '{"name": "a_b-c", "n": [1, 2.5, null]}', "\r\n tabs\t\tend ", "ﬁ ½ ² ①",
    "\u00a0nbsp\u2003em", "http://a.b/c?d=e&f#g", "C:\\dir\\file.txt", "--flag=value", "e-mail@host.org", "¿Qué? ¡Sí!",
)  # fmt: skip


def tensors(model: Llama) -> dict[str, torch.Tensor]:
    """The weights under llama.cpp's names; the embedding serves as output, too."""
    named = {"token_embd.weight": model.embedding.weight, "output_norm.weight": model.norm.weight}
    for at, block in enumerate(model.blocks):
        for name, weight in block.named_parameters():
            names = LAYERS[name]
            sizes = model.shape.projections if len(names) == 3 else [len(weight) // len(names)] * len(names)
            for part, rows in zip(names, torch.split(weight, sizes), strict=True):
                named[f"blk.{at}.{part}.weight"] = rows
    return {name: weight.detach().float() for name, weight in named.items()}


def write(model: Llama, tokens: Tokenizer, to: Path) -> None:
    """Write `to`."""
    to.parent.mkdir(parents=True, exist_ok=True)
    writer = gguf.GGUFWriter(to, "llama")
    _describe(writer, sum(weight.numel() for weight in model.parameters()))
    _shape(writer, model)
    _vocabulary(writer, tokens)
    for name, weight in tensors(model).items():
        values = weight.contiguous().numpy()
        if weight.dim() == 2:
            writer.add_tensor(name, gguf.quants.quantize(values, Q8), raw_dtype=Q8)
        else:
            writer.add_tensor(name, values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _describe(writer: gguf.GGUFWriter, parameters: int) -> None:
    writer.add_name("sauropod demo")
    writer.add_author("The sauropod authors")
    writer.add_license("apache-2.0")
    writer.add_description(
        "A very small English chat model, trained from scratch on text written for it, to try sauropod with: "
        "a documented list of questions, tool calls and JSON. It knows nothing else."
    )
    writer.add_size_label(f"{parameters / 1e6:.1f}M")
    writer.add_languages(["en"])
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0)
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    writer.add_sampling_temp(0.0)
    writer.add_sampling_top_k(40)
    writer.add_sampling_top_p(0.95)
    writer.add_sampling_min_p(0.05)
    writer.add_sampling_penalty_repeat(1.0)


def _shape(writer: gguf.GGUFWriter, model: Llama) -> None:
    shape = model.shape
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.hidden)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.groups)
    writer.add_rope_dimension_count(shape.head)
    writer.add_rope_freq_base(shape.theta)
    writer.add_layer_norm_rms_eps(shape.epsilon)
    writer.add_vocab_size(shape.vocabulary)


def _vocabulary(writer: gguf.GGUFWriter, tokens: Tokenizer) -> None:
    words = sorted(tokens.get_vocab(with_added_tokens=True).items(), key=lambda item: item[1])
    kinds = dict.fromkeys(tokenizer.CONTROL, gguf.TokenType.CONTROL)
    kinds |= dict.fromkeys(tokenizer.MARKS, gguf.TokenType.USER_DEFINED)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list([word for word, _ in words])
    writer.add_token_types([kinds.get(word, gguf.TokenType.NORMAL) for word, _ in words])
    writer.add_token_merges(tokenizer.merges(tokens))
    writer.add_eos_token_id(tokenizer.id_of(tokens, "<|im_end|>"))
    writer.add_eot_token_id(tokenizer.id_of(tokens, "<|im_end|>"))
    writer.add_pad_token_id(tokenizer.id_of(tokens, "<|endoftext|>"))
    writer.add_add_bos_token(False)
    writer.add_chat_template(template.PATH.read_text("utf-8"))


def rounded(model: Llama) -> Llama:
    """`model` with its matrices rounded as the file stores them."""
    twin = Llama(model.shape)
    twin.load_state_dict(model.state_dict())
    with torch.no_grad():
        for weight in twin.parameters():
            if weight.dim() == 2:
                weight.copy_(torch.from_numpy(gguf.quants.dequantize(gguf.quants.quantize(weight.numpy(), Q8), Q8)))
    return twin.eval()


def check(model: Llama, tokens: Tokenizer, path: Path, count: int = 24) -> None:
    """Fail where llama.cpp splits text or scores tokens otherwise than the model that was trained."""
    from .llama import Bindings

    bindings = Bindings(path)
    chat = template.compiled(template.PATH.read_text("utf-8"))
    drawn = list(islice(conversations.stream(material.unseen(), random.Random(5)), 400))
    texts = [template.render(chat, each) for each in drawn]
    for text in (*TRICKY, *texts):
        wanted, got = tokens.encode(text).ids, bindings.tokens(text)
        if wanted != got:
            raise SystemExit(f"llama.cpp splits {text!r} into {got}, the tokenizer into {wanted}")
    print(f"{len(TRICKY) + len(texts)} texts split alike")
    twin, worst, agreed, places = rounded(model), 0.0, 0, 0
    for text in sorted(texts, key=len)[:: len(texts) // count]:
        ids = tokens.encode(text).ids[: model.shape.context]
        mine, theirs = _scores(twin, ids), bindings.scores(ids)
        worst = max(worst, float(np.sqrt(np.mean((mine - theirs) ** 2)) / np.std(mine)))
        agreed += int((mine.argmax(-1) == theirs.argmax(-1)).sum())
        places += len(ids)
    print(f"scores differ by {worst:.2%} of their spread at worst; {agreed} of {places} first choices agree")
    if worst > 0.05:
        raise SystemExit("llama.cpp's scores are not those of the trained model")


def _scores(model: Llama, ids: Sequence[int]) -> NDArray[np.float32]:
    with torch.no_grad():
        scores: NDArray[np.float32] = model.logits(model(torch.tensor([ids])))[0].numpy()
    return scores


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", type=Path, default=Path("build/text"))
    parser.add_argument("--to", type=Path, default=Path("src/sauropod/assets/demo.gguf"))
    given = parser.parse_args()
    model, tokens = restore(given.checkpoint), tokenizer.load(given.checkpoint / "tokenizer.json")
    write(model, tokens, given.to)
    print(f"{given.to}: {given.to.stat().st_size / 1e6:.2f} MB")
    check(model, tokens, given.to)


if __name__ == "__main__":
    main()
