"""From what was asked for to tokens: all of a request that can be done before its first step."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from sauropod._runtime.encoding import Encoded, encode, placed, sounds_of
from sauropod._runtime.protocol import Began, PromptText
from sauropod._text.answer_grammar import answer_grammar
from sauropod._text.conversation import adapted
from sauropod._text.output import OutputParser
from sauropod._text.overflow import dropped_turns, turns, without_turns
from sauropod._text.syntax import derive
from sauropod._typed.validity import require_checkable
from sauropod._values.asking import ChatOptions
from sauropod._values.grammar import Grammar, GrammarKind
from sauropod._values.messages import Message, Tool
from sauropod._values.sampling import SamplingParams
from sauropod._values.syntax import Syntax
from sauropod.abc import Attached, LanguageModel, ModelInfo
from sauropod.errors import InvalidGrammar, PromptTooLong, UnsupportedInput

__all__ = ["Prepared", "Preparer"]

USUAL_ANSWER = 1024
"""Tokens that are left for an answer of unknown length, where turns are dropped for it."""


@attrs.frozen
class Prepared:
    """A prompt that is ready, and what belongs to it."""

    tokens: Sequence[int]
    began: Began
    grammar: Grammar | None
    """What the whole answer has to be, thoughts and calls included; compiled."""
    thinking: bool
    """Whether the answer begins in the middle of thoughts."""
    marks: Mapping[int, bytes]
    """Tokens that are shown as text, though they add none: the marks of the model's syntax."""
    attached: Sequence[Attached] = ()
    """What stands for the audio in it."""


@attrs.define(eq=False)
class Preparer:
    """Renders, encodes and compiles for one model. May be used beside its steps, in one thread."""

    model: LanguageModel
    info: ModelInfo = attrs.field(init=False)
    """The model's own, with the syntax that its template shows."""
    _mark: str = attrs.field(factory=lambda: f"[audio {secrets.token_hex(8)}]")
    """Stands where audio does while a conversation is rendered. Nobody else can write it."""
    _plain_marks: Mapping[int, bytes] = attrs.field(init=False)
    _all_marks: Mapping[int, bytes] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        info = self.model.info
        syntax = self._derived() if info.chat and info.generates else None
        self.info = attrs.evolve(info, syntax=syntax) if info.syntax is None else info
        syntax = self.info.syntax or Syntax()
        texts = [syntax.content_open, syntax.content_close]
        texts += [syntax.reasoning.open, syntax.reasoning.close] if syntax.reasoning else []
        self._plain_marks = self._tokens_shown(texts)
        calls = syntax.calls
        if calls is not None:
            written = [*calls.call, *calls.arguments.each, calls.arguments.quote]
            texts += [calls.open, calls.between, calls.close, *(part for part in written if isinstance(part, str))]
        texts += ["<|start|>", "<|channel|>", "<|message|>", "<|constrain|>", "<|end|>"] if syntax.harmony else []
        self._all_marks = self._tokens_shown(texts)

    def prepare(self, prompt: PromptText, sampling: SamplingParams) -> Prepared:
        """Raises `UnsupportedInput`, `PromptTooLong` or `InvalidGrammar`."""
        if not prompt.messages:
            encoded = self.encode(prompt)
            if sampling.grammar is not None:
                self._compile(sampling.grammar)
            began = Began(len(encoded.tokens))
            return Prepared(encoded.tokens, began, sampling.grammar, False, {}, encoded.attached)
        return self._conversation(prompt.messages, prompt.chat, sampling)

    def encode(self, prompt: PromptText) -> Encoded:
        """The tokens of a prompt. Raises `UnsupportedInput` or `PromptTooLong`."""
        if prompt.tokens is not None:
            return Encoded(self._checked(prompt.tokens))
        if prompt.text is not None and (prompt.before or prompt.after):
            text = self.model.encode(prompt.text, special=False)
            return Encoded(self._checked([*prompt.before, *text, *prompt.after]))
        if prompt.text is not None:
            return encode(self.model, prompt.text, prompt.audio)
        return self._encoded(self._rendered(prompt.messages, prompt.chat), prompt.messages)

    def decode(self, tokens: Sequence[int]) -> str:
        """The text of tokens, marks as they are written. Raises `UnsupportedInput`."""
        pieces = [self.model.piece(token) or self.model.mark(token).encode() for token in self._checked(tokens)]
        return b"".join(pieces).decode(errors="replace")

    # -- conversations ---------------------------------------------------------------------------------------------

    def _conversation(self, messages: Sequence[Message], chat: ChatOptions, sampling: SamplingParams) -> Prepared:
        self._require_possible(chat, sampling)
        kept, dropped_tokens = self._fitting(messages, chat, sampling)
        text = self._rendered(kept, chat)
        prefill = self._prefill(text)
        text, prefill = self._without_thoughts(text, prefill, chat)
        encoded = self._encoded(text, kept)
        grammar = self._grammar(chat, sampling, prefill)
        if grammar is not None:
            self.model.compile(grammar)
        syntax = self.info.syntax or Syntax()
        thinking = OutputParser(syntax, (), str, prefill=prefill).thinking
        began = Began(len(encoded.tokens), prefill, len(kept), len(messages) - len(kept), dropped_tokens)
        marks = self._all_marks if chat.offered else self._plain_marks
        return Prepared(encoded.tokens, began, grammar, thinking, marks, encoded.attached)

    def _encoded(self, text: str, messages: Sequence[Message]) -> Encoded:
        return encode(self.model, text, sounds_of(messages), mark=self._mark)

    def _rendered(self, messages: Sequence[Message], chat: ChatOptions) -> str:
        calls = self.info.syntax.calls if self.info.syntax is not None else None
        told, tools = adapted(placed(messages, self._mark), chat.described, calls)
        return self.model.render(told, tools, options={**self._effort(chat), **chat.template_options})

    def _effort(self, chat: ChatOptions) -> Mapping[str, Any]:
        """The template's variables that say how hard to think. Raises `UnsupportedInput` if it has none for that."""
        reasoning = self.info.syntax.reasoning if self.info.syntax is not None else None
        efforts = reasoning.efforts if reasoning is not None else {}
        if chat.reasoning_effort is None:
            return efforts.get("none", {}) if chat.reasoning_budget == 0 else {}
        if chat.reasoning_effort not in efforts:
            known = f"it has {', '.join(efforts)}" if efforts else "it has none"
            raise UnsupportedInput(
                f"The chat template of {self.info.name} has no reasoning_effort {chat.reasoning_effort!r}: {known}. "
                "reasoning_budget works with any model that thinks."
            )
        return efforts[chat.reasoning_effort]

    def _fitting(
        self, messages: Sequence[Message], chat: ChatOptions, sampling: SamplingParams
    ) -> tuple[Sequence[Message], int]:
        """The messages that are kept, and how many tokens those are that are not."""
        if chat.overflow == "error" or len(turns(messages)) < 2:
            return messages, 0
        lengths: dict[int, int] = {}

        def length(kept: Sequence[Message]) -> int:
            if len(kept) not in lengths:
                try:
                    lengths[len(kept)] = len(self._encoded(self._rendered(kept, chat), kept).tokens)
                except PromptTooLong as error:
                    lengths[len(kept)] = error.tokens
            return lengths[len(kept)]

        context = self.info.context_length
        room = context - min(sampling.max_tokens or USUAL_ANSWER, context // 2)
        count = dropped_turns(messages, length, room, max(round((1 - chat.retention) * context), 1))
        kept = without_turns(messages, count) if count else messages
        return kept, length(messages) - length(kept) if count else 0

    def _prefill(self, text: str) -> str:
        """How a prompt ends after the model's turn has begun."""
        prefills = self.info.syntax.prefills if self.info.syntax is not None else ()
        return next((prefill for prefill in prefills if text.endswith(prefill)), "")

    def _without_thoughts(self, text: str, prefill: str, chat: ChatOptions) -> tuple[str, str]:
        """A prompt after which the model does not think, if it is not to."""
        syntax = self.info.syntax
        if chat.reasoning_budget != 0 or syntax is None or syntax.reasoning is None:
            return text, prefill
        reasoning = syntax.reasoning
        if reasoning.close in prefill:
            return text, prefill
        thinking = OutputParser(syntax, (), str, prefill=prefill).thinking
        more = reasoning.ending if thinking else f"{reasoning.open}\n{reasoning.ending}" if reasoning.open else ""
        return text + more, prefill + more

    # -- grammars --------------------------------------------------------------------------------------------------

    def _grammar(self, chat: ChatOptions, sampling: SamplingParams, prefill: str) -> Grammar | None:
        if sampling.grammar is not None:
            self._compile(sampling.grammar)
        if not self._holds_answers:
            return sampling.grammar
        for tool in chat.offered:
            self._require_enforceable(tool)
        return answer_grammar(
            self.info.syntax or Syntax(),
            self.split,
            tools=chat.described,
            choice=chat.tool_choice,
            parallel=chat.parallel_tool_calls,
            grammar=sampling.grammar,
            prefill=prefill,
        )

    def _compile(self, grammar: Grammar) -> None:
        """Raises `InvalidGrammar` for one that cannot be enforced, or that nobody could look at once more."""
        self.model.compile(grammar)
        if grammar.kind is GrammarKind.JSON_SCHEMA:
            require_checkable(grammar.text)

    def _require_enforceable(self, tool: Tool) -> None:
        """Raises `InvalidGrammar` for a tool whose schema cannot be held."""
        if not tool.strict:
            return
        try:
            self._compile(Grammar.json_schema(tool.parameters))
        except InvalidGrammar as error:
            raise InvalidGrammar(
                f"Calls of the tool {tool.name!r} cannot be held to its parameters. {error} "
                "With strict=False it may be called with any arguments."
            ) from error

    @property
    def _holds_answers(self) -> bool:
        return GrammarKind.LARK in self.info.grammars

    def _require_possible(self, chat: ChatOptions, sampling: SamplingParams) -> None:
        if chat.reasoning_budget and sampling.logprobs is not None:
            raise UnsupportedInput(
                "A reasoning_budget may end thoughts with tokens that the model did not choose, which have no "
                "log-probabilities. Leave out logprobs, or the budget."
            )
        if sampling.ignore_eos and chat.offered and self._holds_answers:
            raise UnsupportedInput(
                "ignore_eos forbids the end of the answer, and calls that are held to their schemas need one. "
                "Leave out ignore_eos, or the tools."
            )
        if chat.tool_choice.mode == "required" and not self._holds_answers:
            raise UnsupportedInput(
                f"{self.info.name} cannot be made to call a tool, because its text cannot be held to such a grammar. "
                "Use tool_choice='auto'."
            )
        if chat.tool_choice.mode == "required" and (self.info.syntax is None or self.info.syntax.calls is None):
            raise UnsupportedInput(
                f"{self.info.name} cannot be made to call a tool, because its plug-in says nothing of how it writes "
                "calls. Use tool_choice='auto'."
            )

    # -- marks -----------------------------------------------------------------------------------------------------

    def split(self, text: str) -> list[tuple[str, int | None]]:
        """A text in parts: marks that are tokens of the model, each with its number, and what is between them."""
        parts: list[tuple[str, int | None]] = []
        end = 0
        for token in self.model.encode(text, special=True) if text else ():
            mark = self.model.mark(token)
            begin = text.find(mark, end) if mark else -1
            if begin >= 0:
                parts += [(text[end:begin], None), (mark, token)]
                end = begin + len(mark)
        return [(part, token) for part, token in (*parts, (text[end:], None)) if part]

    def _tokens_shown(self, texts: Sequence[str]) -> dict[int, bytes]:
        split = itertools.chain.from_iterable(self.split(text) for text in texts)
        return {token: mark.encode() for mark, token in split if token is not None}

    def _derived(self) -> Syntax:
        ends = [mark for token in self.model.eos if (mark := self.model.mark(token))]
        return derive(lambda messages, tools, options: self.model.render(messages, tools, options=options), ends)

    def _checked(self, tokens: Sequence[int]) -> list[int]:
        size = self.info.vocabulary_size
        for token in tokens:
            if not 0 <= token < size:
                raise UnsupportedInput(f"The prompt holds the token {token}; this model's tokens are 0 to {size - 1}.")
        return list(tokens)
