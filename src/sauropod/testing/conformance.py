"""What every language model must do, whoever wrote it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import attrs

from sauropod._values.grammar import Grammar, GrammarKind
from sauropod._values.messages import Message, Tool
from sauropod._values.sampling import DEFAULT_SAMPLING, SamplingParams
from sauropod.abc import Attached, AudioFrame, CacheFull, Chunk, LanguageModel, Sampled, StepAborted
from sauropod.errors import InvalidGrammar, UnsupportedInput
from sauropod.testing.violation import ContractViolation, require

__all__ = ["check_language_model"]

GREEDY = SamplingParams(temperature=0, ignore_eos=True)
CHOICES = ("yes, it is", "yes, it is not", "yes, it was", "no", "neither", "🦕 is what it is")
TEXT = "The quick brown fox jumps over the lazy dog, and then it sleeps all day in the sun. "


def check_language_model(make: Callable[[], LanguageModel], *, exact: bool = True) -> None:
    """Hold a model to the contract of `sauropod.abc.LanguageModel`.

    `make` gives a newly loaded model each time it is called; the check closes it. With `exact` what a slot says must
    not depend on how its tokens were cut into chunks or batched; without, the first few tokens must agree, as native
    kernels round differently for different batch sizes.

    Raises `ContractViolation`, with what was expected, at the first breach.
    """
    for check in (
        *(_info, _text, _renders, _slots_are_apart, _chunks_add_up, _truncate, _copy, _save),
        *(_samples, _resumes, _aborts, _refuses_overflow, _embeds, _hears),
        *(_grammars, _grammars_resume, _grammars_disturb_nobody),
    ):
        model = make()
        try:
            check(_Model(model, exact))
        finally:
            model.close()


class _Model:
    """A model with shorthands for what the checks do again and again."""

    def __init__(self, model: LanguageModel, exact: bool) -> None:
        self.model = model
        self.agree = 12 if exact else 4

    @property
    def slots(self) -> int:
        return self.model.info.slots

    def prompt(self, text: str = TEXT, most: int = 40) -> list[int]:
        return list(self.model.encode(text, special=True))[:most]

    def open(self, slot: int, prompt: Sequence[int], sampling: SamplingParams = GREEDY) -> None:
        self.model.open(slot, sampling.over(DEFAULT_SAMPLING), prompt, [])

    def feed(self, slot: int, start: int, tokens: Sequence[int]) -> int:
        """Compute tokens in one or more steps, and the token that follows them."""
        return self.feed_whole(slot, start, tokens).token

    def feed_whole(self, slot: int, start: int, tokens: Sequence[int]) -> Sampled:
        size = self.model.info.step_tokens
        for begin in range(0, len(tokens), size):
            chunk = Chunk(slot, start + begin, tokens[begin : begin + size], begin + size >= len(tokens))
            sampled = self.model.decode([chunk])
        require(len(sampled) == 1 and sampled[0].slot == slot, f"decode() gave {sampled} for a chunk of slot {slot}")
        return sampled[0]

    def go_on(self, slot: int, held: int, token: int, count: int) -> list[int]:
        """The next `count` tokens, beginning with `token`, which has been chosen."""
        said = [token]
        while len(said) < count:
            said.append(self.feed(slot, held + len(said) - 1, [said[-1]]))
        return said

    def say(self, slot: int, prompt: Sequence[int], count: int, sampling: SamplingParams = GREEDY) -> list[int]:
        """What an empty slot answers to a prompt."""
        self.open(slot, prompt, sampling)
        return self.go_on(slot, len(prompt), self.feed(slot, 0, prompt), count)

    def say_held(
        self, slot: int, prompt: Sequence[int], sampling: SamplingParams, said: Sequence[int] = ()
    ) -> list[list[int]]:
        """What an empty slot answers under a grammar, going on after `said`: each choice, and what it forces."""
        self.model.open(slot, sampling.over(DEFAULT_SAMPLING), prompt, said)
        pending = [*prompt, *said]
        held = 0
        given: list[list[int]] = []
        while not given or given[-1][-1] not in self.model.eos:
            require(held < len(prompt) + 100, f"held to {sampling.grammar}, a slot does not come to an end: {given}")
            sampled = self.feed_whole(slot, held, pending)
            require(sampled.error is None, f"held to {sampling.grammar}, a slot failed: {sampled.error!r}")
            held += len(pending)
            pending = [sampled.token, *sampled.forced]
            given.append(pending)
        return given

    def clear(self, slot: int) -> None:
        require(self.model.truncate(slot, 0), "truncate(slot, 0) gave False; it must always succeed")

    def heard(self, audio: AudioFrame) -> Attached:
        """A piece of audio, ready to be computed."""
        attached = self.model.attach(audio)
        for _ in range(1000):
            if not self.model.hear(attached):
                return attached
        raise ContractViolation("hear() does not come to an end")

    def say_heard(self, slot: int, prompt: Sequence[int], count: int, size: int) -> list[int]:
        """What an empty slot answers to a prompt with audio, of which it reads so many tokens in a step."""
        self.open(slot, prompt)
        held = token = 0
        for _, run in itertools.groupby(prompt, key=lambda each: each < 0):
            kind = list(run)
            for begin in range(0, len(kind), size):
                chunk = kind[begin : begin + size]
                last = held + len(chunk) == len(prompt)
                sampled = self.model.decode([Chunk(slot, held, chunk, last)])
                held += len(chunk)
                token = sampled[0].token if last else token
        return self.go_on(slot, held, token, count)


def _info(own: _Model) -> None:
    info = own.model.info
    require(info == own.model.info, "info changed between two looks")
    for name in ("context_length", "slots", "vocabulary_size", "step_tokens"):
        require(getattr(info, name) > 0, f"info.{name} must be above 0")
    require(info.slots <= info.step_tokens, "a step must have room for a token of each slot")
    for name in ("temperature", "top_k", "top_p", "min_p", "repeat_penalty"):
        require(getattr(info.sampling, name) is not None, f"info.sampling.{name} has no value")


def _text(own: _Model) -> None:
    model = own.model
    tokens = list(model.encode(TEXT, special=False))
    require(len(tokens) > 0, "encode() gave no tokens for a sentence")
    require(all(0 <= token < model.info.vocabulary_size for token in tokens), "encode() gave tokens out of range")
    again = b"".join(model.piece(token) for token in tokens).decode(errors="replace")
    require(again.strip() == TEXT.strip(), f"the pieces of a text's tokens give {again!r} instead of {TEXT!r}")
    require(list(model.encode("", special=False)) == [], "encode('') gave tokens")
    require(all(0 <= token < model.info.vocabulary_size for token in model.eos), "eos is out of range")


def _renders(own: _Model) -> None:
    """A conversation becomes a text, or is refused as such."""
    model = own.model
    talks = [[Message.user(TEXT)], [Message.system("Be kind."), Message.user(TEXT)], [Message.assistant("Hello.")]]
    for talk in talks if model.info.chat else ():
        for tools in ((), (Tool("clock", "Tells the time."),)):
            try:
                text = model.render(talk, tools)
            except UnsupportedInput:
                require(talk is not talks[0] or bool(tools), "render() refused what a user says")
                continue
            except Exception as error:
                raise ContractViolation(f"render() raised {error!r}; a refusal is an UnsupportedInput") from error
            require(isinstance(text, str), f"render() gave {type(text).__name__}")
            require(len(model.encode(text, special=True)) > 0, "a rendered conversation has no tokens")


def _slots_are_apart(own: _Model) -> None:
    """Many slots in one step say what each says alone."""
    prompts = [own.prompt(f"{number} {TEXT}") for number in range(own.slots)]
    alone = []
    for slot, prompt in enumerate(prompts):
        alone.append(own.say(slot, prompt, own.agree))
        own.clear(slot)
    said: list[list[int]] = [[] for _ in prompts]
    for slot, prompt in enumerate(prompts):
        own.open(slot, prompt)
        said[slot].append(own.feed(slot, 0, prompt))
    for place in range(own.agree - 1):
        chunks = [Chunk(slot, len(prompt) + place, [said[slot][-1]], True) for slot, prompt in enumerate(prompts)]
        results = own.model.decode(chunks)
        require(
            [result.slot for result in results] == list(range(own.slots)), "the results are not in the chunks' order"
        )
        for result in results:
            said[result.slot].append(result.token)
    require(said == alone, f"batched, the slots said {said}; alone, {alone}")


def _chunks_add_up(own: _Model) -> None:
    """A prompt in pieces is the same prompt."""
    prompt = own.prompt()
    whole = own.say(0, prompt, own.agree)
    own.clear(0)
    own.open(0, prompt)
    for begin in range(0, len(prompt) - 1, 5):
        piece = prompt[begin : min(begin + 5, len(prompt) - 1)]
        nothing = own.model.decode([Chunk(0, begin, piece, False)])
        require(len(nothing) == 0, "decode() chose a token nobody asked for")
    token = own.feed(0, len(prompt) - 1, prompt[-1:])
    said = own.go_on(0, len(prompt), token, own.agree)
    require(said == whole, f"in pieces, a prompt was answered by {said}; whole, by {whole}")


def _truncate(own: _Model) -> None:
    """What was dropped leaves no trace; a checkpoint brings back what cannot simply be dropped."""
    prompt, model = own.prompt(), own.model
    half = len(prompt) // 2
    expected = own.say(0, prompt, own.agree)
    own.clear(0)
    tail = list(reversed(prompt))
    own.open(0, prompt[:half] + tail)
    own.feed(0, 0, prompt[:half])
    checkpoint = model.checkpoint(0)
    own.feed(0, half, tail)
    can, held = model.can_truncate(0, half), half + len(prompt)
    require(can or not model.info.rewinds, "info.rewinds is set, but can_truncate() gave False")
    done = model.truncate(0, half)
    require(done or not can, "can_truncate() gave True, but truncate() False")
    if not done:
        own.go_on(0, held, prompt[0], 2)  # nothing has changed
        if checkpoint is None:
            return
        require(model.truncate(0, half, checkpoint), "truncate() refused a checkpoint of this slot")
    own.open(0, prompt)
    said = own.go_on(0, len(prompt), own.feed(0, half, prompt[half:]), own.agree)
    require(said == expected, f"after a tail was dropped, the slot said {said} instead of {expected}")


def _copy(own: _Model) -> None:
    """A copied prefix is as good as a computed one, and the source goes on undisturbed."""
    if own.slots < 2:
        return
    prompt, model = own.prompt(), own.model
    half = len(prompt) // 2
    expected = own.say(1, prompt, own.agree)
    own.clear(1)
    own.open(0, prompt)
    own.feed(0, 0, prompt[:half])
    checkpoint = model.checkpoint(0)
    first = own.feed(0, half, prompt[half:])
    if not model.copy(0, 1, half) and (checkpoint is None or not model.copy(0, 1, half, checkpoint)):
        own.say(1, prompt, 2)  # the target must be empty
        return
    own.open(1, prompt)
    said = own.go_on(1, len(prompt), own.feed(1, half, prompt[half:]), own.agree)
    require(said == expected, f"after a copied prefix, the slot said {said} instead of {expected}")
    source = own.go_on(0, len(prompt), first, own.agree)
    require(source == expected, f"after it was copied from, the slot said {source} instead of {expected}")


def _save(own: _Model) -> None:
    """A slot comes back from host memory as it was, into any slot."""
    prompt, model = own.prompt(), own.model
    expected = own.say(0, prompt, own.agree)
    own.clear(0)
    own.open(0, prompt)
    own.feed(0, 0, prompt[:-1])
    state = model.save(0)
    own.clear(0)
    if state is None:
        return
    target = own.slots - 1
    require(model.load(target, state), "load() refused what save() gave, with every slot empty")
    own.open(target, prompt)
    said = own.go_on(target, len(prompt), own.feed(target, len(prompt) - 1, prompt[-1:]), own.agree)
    require(said == expected, f"after it was loaded, the slot said {said} instead of {expected}")


def _samples(own: _Model) -> None:
    """The same seed chooses the same tokens, and log-probabilities come when asked for."""
    prompt = own.prompt()
    seeded = SamplingParams(seed=7, temperature=1, ignore_eos=True)
    said = []
    for _ in range(2):
        said.append(own.say(0, prompt, own.agree, seeded))
        own.clear(0)
    require(said[0] == said[1], f"the same seed chose {said[0]} and {said[1]}")
    own.open(0, prompt, SamplingParams(temperature=0, logprobs=3, ignore_eos=True))
    sampled: Sampled = own.model.decode([Chunk(0, 0, prompt[: own.model.info.step_tokens], True)])[0]
    require(sampled.logprob is not None and sampled.logprob <= 0, "a log-probability was asked for and is missing")
    values = [logprob for _, logprob in sampled.top]
    require(len(values) == 3 and values == sorted(values, reverse=True), f"the alternatives are {sampled.top}")


def _resumes(own: _Model) -> None:
    """A sequence that is opened with what it has said goes on as it would have."""
    prompt, params = own.prompt(), SamplingParams(seed=7, temperature=1, presence_penalty=0.5, ignore_eos=True)
    whole = own.say(0, prompt, own.agree, params)
    own.clear(0)
    said = whole[: own.agree // 2]
    own.model.open(0, params.over(DEFAULT_SAMPLING), prompt, said)
    rest = own.go_on(0, len(prompt) + len(said), own.feed(0, 0, prompt + said), own.agree - len(said))
    require(said + rest == whole, f"resumed after {said}, a seeded slot went on with {rest} instead of as in {whole}")


def _hears(own: _Model) -> None:
    """Audio stands in a prompt as tokens do."""
    import numpy as np

    model, rate = own.model, own.model.info.audio_rate
    noise = np.random.default_rng(1).uniform(-0.3, 0.3, rate or 16_000).astype(np.float32)
    sound = AudioFrame(noise, rate or 16_000)
    if not model.info.hears:
        try:
            model.attach(sound)
        except UnsupportedInput:
            return
        raise ContractViolation("attach() took audio, and info.audio_rate is 0")
    first, second = own.heard(sound), own.heard(AudioFrame(noise.copy(), rate))
    other = own.heard(AudioFrame(noise[::-1].copy(), rate))
    for length in (1, 2, rate // 1000):
        own.heard(AudioFrame(noise[:length], rate))
    require(list(first.tokens) == list(second.tokens), "attach() gave other tokens for the same audio")
    attached = {token for token in first.tokens if token < 0}
    require(bool(attached), "attach() gave nothing that is no text; such tokens are negative")
    require(attached.isdisjoint(other.tokens), "attach() gave the same tokens for other audio")
    require(all(token < model.info.vocabulary_size for token in first.tokens), "attach() gave tokens out of range")
    begin, rest = own.prompt(most=6), list(model.encode_rest(TEXT))[:6]
    require(all(0 <= token < model.info.vocabulary_size for token in rest), "encode_rest() gave tokens out of range")
    require(list(model.encode_rest("")) == [], "encode_rest('') gave tokens; nothing is put before a prompt's rest")
    prompts = [[*begin, *each.tokens, *rest] for each in (first, other)]
    said = own.say_heard(0, prompts[0], 12, model.info.step_tokens)
    own.clear(0)
    in_pieces = own.say_heard(0, prompts[0], own.agree, 7)
    require(said[: own.agree] == in_pieces, "what is said to audio depends on how it was cut into chunks")
    own.clear(0)
    require(said != own.say_heard(0, prompts[1], 12, model.info.step_tokens), "other audio makes no difference")


def _aborts(own: _Model) -> None:
    """A step that is told to stop raises, and harms nobody."""
    if own.slots < 2:
        return
    prompt, model = own.prompt(), own.model
    expected = own.say(1, prompt, own.agree)
    own.clear(1)
    own.open(1, prompt)
    first = own.feed(1, 0, prompt)
    own.open(0, prompt)
    model.abort()
    stopped = False
    for _ in range(2):  # a step that was as good as done may leave it to the next
        try:
            model.decode([Chunk(0, 0, prompt[: model.info.step_tokens], False)])
        except StepAborted:
            stopped = True
        own.clear(0)
    placement = model.info.placement
    on_gpu = placement is not None and placement.offloaded_layers > 0  # there, what was begun cannot be stopped
    default = type(model).abort is LanguageModel.abort
    require(stopped or on_gpu or default, "after abort(), neither of two steps raised StepAborted")
    try:
        said = own.go_on(1, len(prompt), first, own.agree)
    except StepAborted as error:
        raise ContractViolation("abort() stopped more than one step") from error
    require(said == expected, f"after another's step was stopped, a slot said {said} instead of {expected}")
    require(own.say(0, prompt, own.agree) == expected, "after its step was stopped, a slot does not begin afresh")


def _refuses_overflow(own: _Model) -> None:
    """A full cache refuses a step and stays as it was."""
    info, prompt, model = own.model.info, own.prompt(), own.model
    others = range(info.slots - 1)
    if not info.cache_length or info.cache_length >= len(others) * info.context_length:
        return
    kept = info.slots - 1
    expected = own.say(kept, prompt, own.agree)
    own.clear(kept)
    own.open(kept, prompt)
    first = own.feed(kept, 0, prompt)
    held = [0] * info.slots
    filler = prompt[0]
    for slot in others:
        own.open(slot, [filler])
    try:
        while True:
            for slot in others:
                size = min(info.step_tokens, info.context_length - held[slot])
                if size == 0:
                    continue
                model.decode([Chunk(slot, held[slot], [filler] * size, False)])
                held[slot] += size
            require(sum(held) <= info.cache_length + info.step_tokens, "the cache holds more than info.cache_length")
    except CacheFull:
        own.clear(0)
        model.decode([Chunk(0, 0, [filler], True)])
        for slot in others:
            own.clear(slot)
    said = own.go_on(kept, len(prompt), first, own.agree)
    require(said == expected, f"after the cache was full, another slot said {said} instead of {expected}")


def _embeds(own: _Model) -> None:
    """Vectors are numbers, as many as promised, and those of a text do not depend on its company."""
    import numpy as np

    model, info = own.model, own.model.info
    if not info.embeds:
        return
    second = TEXT if info.pooling == "rank" else None
    inputs = [model.encode_input(text, second) for text in (TEXT, "A dinosaur.", TEXT)]
    vectors = model.embed(inputs)
    require(isinstance(vectors, np.ndarray) and vectors.dtype == np.float32, "embed() gave no float32 array")
    shape = (len(inputs), info.embedding_length)
    require(vectors.shape == shape, f"embed() gave an array of shape {vectors.shape} instead of {shape}")
    require(bool(np.isfinite(vectors).all()), "embed() gave numbers that are none")
    scale = float(np.abs(vectors).max()) or 1.0
    for tokens, vector in zip(inputs, vectors, strict=True):
        off = float(np.abs(model.embed([tokens])[0] - vector).max())
        require(off <= 0.02 * scale, f"in company, a text's vector is off by {off}")
    require(bool(np.abs(vectors[0] - vectors[1]).max() > 0), "embed() gave two texts the same vector")


def _grammars(own: _Model) -> None:
    """What is held to a grammar is of the grammar, and ends where that ends; what is no grammar is refused."""
    model, prompt = own.model, own.prompt()
    expected = InvalidGrammar if GrammarKind.REGEX in model.info.grammars else UnsupportedInput
    try:
        model.compile(Grammar.regex("("))
    except expected:
        pass
    except Exception as error:
        raise ContractViolation(f"compile() of no grammar raised {error!r} instead of {expected.__name__}") from error
    else:
        raise ContractViolation(f"compile() took what is no grammar, instead of raising {expected.__name__}")
    for seed in range(8) if _holds_choices(model) else ():
        params = _held(seed)
        model.compile(Grammar.choice(CHOICES))
        given = own.say_held(0, prompt, params)
        own.clear(0)
        said = [token for each in given for token in each]
        text = b"".join(map(model.piece, said)).decode(errors="replace")
        require(text in CHOICES, f"held to {CHOICES}, a slot said {text!r}")
        ends = [place for place, token in enumerate(said) if token in model.eos]
        require(ends == [len(said) - 1], f"an end token is not the last of {given}")
        apart = own.say_held(0, prompt, attrs.evolve(params, logprobs=0))
        own.clear(0)
        require(all(len(each) == 1 for each in apart), "with log-probabilities, forced tokens must come one by one")
        require([each[0] for each in apart] == said, f"one by one, forced tokens were {apart} instead of {given}")


def _grammars_resume(own: _Model) -> None:
    """A sequence that is held to a grammar goes on where it was, forced tokens included."""
    if _holds_choices(own.model):
        own.model.compile(Grammar.choice(CHOICES))
    for seed in range(4) if _holds_choices(own.model) else ():
        given = own.say_held(0, own.prompt(), _held(seed))
        own.clear(0)
        for count in range(1, len(given)):
            said = [token for each in given[:count] for token in each]
            rest = own.say_held(0, own.prompt(), _held(seed), said)
            own.clear(0)
            require(rest == given[count:], f"resumed after {said}, a slot went on with {rest} instead of as in {given}")


def _grammars_disturb_nobody(own: _Model) -> None:
    """Beside a slot that is held to a grammar, others say what they say alone."""
    model, prompt = own.model, own.prompt()
    if not _holds_choices(model) or own.slots < 2:
        return
    expected = own.say(1, prompt, own.agree)
    own.clear(1)
    own.open(1, prompt)
    said = [own.feed(1, 0, prompt)]
    model.compile(Grammar.choice(CHOICES))
    model.open(0, _held(0).over(DEFAULT_SAMPLING), prompt, [])
    held, pending = 0, prompt
    while len(said) < own.agree:
        chunks = [Chunk(1, len(prompt) + len(said) - 1, [said[-1]], True)]
        if pending[-1] not in model.eos:
            chunks.append(Chunk(0, held, pending, True))
        results = model.decode(chunks)
        said.append(results[0].token)
        require(not results[0].forced, "a slot without a grammar was forced to something")
        held += len(pending)
        pending = [results[-1].token, *results[-1].forced] if len(chunks) > 1 else pending
    require(said == expected, f"beside one held to a grammar, a slot said {said} instead of {expected}")


def _holds_choices(model: LanguageModel) -> bool:
    return GrammarKind.CHOICE in model.info.grammars


def _held(seed: int) -> SamplingParams:
    return SamplingParams(seed=seed, temperature=1, grammar=Grammar.choice(CHOICES))
