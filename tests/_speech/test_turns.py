"""Whose turn it is: held to what people expect of a conversation."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from sauropod._speech.turns import REPLIES, USERS, Act, IllegalTurn, Reply, Sign, Turns, User

UNDER_WAY = {Reply.THINKING, Reply.SPEAKING, Reply.WAITING, Reply.HELD}


class Conversing(RuleBasedStateMachine):
    """Any sequence of signs, beside a model that only counts what was begun and what was ended."""

    def __init__(self) -> None:
        super().__init__()
        self.turns = Turns()
        self.begun = self.ended = 0
        """Replies that somebody knows of."""
        self.private = self.dropped = self.released = 0
        self.held = False
        self.hearing = False
        """The application was told that the user speaks, and not yet that he has ended."""
        self.done: list[Act] = []

    def take(self, *signs: Sign) -> None:
        for sign in signs:
            acts = self.turns.take(sign)
            self.done += acts
            if sign is Sign.DONE:
                self.ended += 1
                self.held = False
            for act in acts:
                self._note(act)

    def _note(self, act: Act) -> None:
        match act:
            case Act.BEGIN:
                self.begun += 1
            case Act.BEGIN_PRIVATELY:
                self.private += 1
            case Act.RELEASE:
                self.released += 1
                self.begun += 1
            case Act.DISCARD:
                self.dropped += 1
            case Act.CUT:
                self.ended += 1
                self.held = False
            case Act.HOLD:
                assert not self.held, "it is held twice"
                self.held = True
            case Act.GO_ON:
                assert self.held, "it goes on and was not held"
                self.held = False
            case Act.HEAR:
                assert not self.hearing, "he begins twice"
                self.hearing = True
            case Act.TAKE | Act.FORGET:
                self.hearing = False

    @rule(interruptible=st.booleans())
    def a_setting_changes(self, interruptible: bool) -> None:
        self.turns.interruptible = interruptible

    @precondition(lambda self: self.turns.allows(Sign.ONSET))
    @rule()
    def somebody_speaks(self) -> None:
        over = self.turns.replying and self.turns.interruptible
        self.take(Sign.ONSET)
        assert self.turns.user is (User.DOUBTED if over else User.TALKING)

    @rule(sign=st.sampled_from([Sign.CONFIRMED, Sign.PAUSE, Sign.RESUMED, Sign.CLEARED, Sign.SPOKE, Sign.CANCELLED]))
    def something_happens(self, sign: Sign) -> None:
        if self.turns.allows(sign):
            self.take(sign)

    @rule(wanted=st.booleans())
    def the_turn_is_over(self, wanted: bool) -> None:
        if self.turns.allows(Sign.OVER):
            self.take(Sign.OVER, Sign.WANTED if wanted else Sign.UNWANTED)
            assert self.done[-1] is not Act.HOLD

    @rule()
    def the_application_asks(self) -> None:
        before = self.turns.replying
        self.take(Sign.ASKED)
        assert self.turns.owed if before else self.turns.replying

    @precondition(lambda self: self.turns.replying)
    @rule()
    def the_reply_ends(self) -> None:
        owed = self.turns.owed
        self.take(Sign.DONE)
        assert self.turns.replying == owed

    @rule(sign=st.sampled_from(Sign))
    def what_cannot_happen_changes_nothing(self, sign: Sign) -> None:
        if not self.turns.allows(sign):
            before = (self.turns.user, self.turns.reply, self.turns.owed)
            with pytest.raises(IllegalTurn):
                self.turns.take(sign)
            assert (self.turns.user, self.turns.reply, self.turns.owed) == before

    @invariant()
    def one_reply_at_a_time_is_known(self) -> None:
        assert self.begun - self.ended == (self.turns.reply in UNDER_WAY)

    @invariant()
    def one_reply_at_a_time_is_private(self) -> None:
        assert self.private - self.dropped - self.released == (self.turns.reply is Reply.PRIVATE)

    @invariant()
    def it_is_held_only_while_speech_is_doubted(self) -> None:
        held = self.turns.reply in (Reply.WAITING, Reply.HELD)
        assert held == self.held
        assert held == (self.turns.user is User.DOUBTED)

    @invariant()
    def it_is_private_only_while_the_user_pauses(self) -> None:
        assert self.turns.reply is not Reply.PRIVATE or self.turns.user is User.PAUSED

    @invariant()
    def the_application_knows_who_speaks(self) -> None:
        assert self.hearing == (self.turns.user in (User.TALKING, User.PAUSED))

    @invariant()
    def nothing_is_owed_to_nobody(self) -> None:
        assert not self.turns.owed or self.turns.replying

    @invariant()
    def it_is_never_stuck(self) -> None:
        """Silence, and the end of what is under way, lead back to where everybody listens."""
        turns = Turns(self.turns.interruptible, self.turns.user, self.turns.reply, self.turns.owed)
        for _ in range(4):
            for sign in (Sign.PAUSE, Sign.OVER):
                if turns.user is not User.QUIET and turns.allows(sign):
                    turns.take(sign)
            if turns.reply is Reply.PRIVATE:
                turns.take(Sign.UNWANTED)
            if turns.replying:
                turns.take(Sign.DONE)
        assert turns.vacant


TestConversing = Conversing.TestCase
TestConversing.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)


def test_every_pair_of_the_tables_can_come_about() -> None:
    """Whatever the two tables hold is reached by some sequence of signs, and no row is there for nothing."""
    users, replies = set(), set()
    pending = [Turns(interruptible) for interruptible in (True, False)]
    seen = set()
    while pending:
        turns = pending.pop()
        state = (turns.interruptible, turns.user, turns.reply, turns.owed)
        if state in seen:
            continue
        seen.add(state)
        users.add(turns.user)
        replies.add(turns.reply)
        for sign in Sign:
            if turns.allows(sign) and (sign not in (Sign.WANTED, Sign.UNWANTED)):
                follow = Turns(*state)
                follow.take(sign)
                if sign is Sign.OVER:
                    for end in (Sign.WANTED, Sign.UNWANTED):
                        ended = Turns(follow.interruptible, follow.user, follow.reply, follow.owed)
                        ended.take(end)
                        pending.append(ended)
                else:
                    pending.append(follow)
    assert users == {user for user, _ in USERS} == set(User)
    assert replies == {reply for reply, _ in REPLIES} == set(Reply)


def test_a_turn_is_answered_with_what_was_begun_at_its_pause() -> None:
    turns = Turns()
    assert turns.take(Sign.ONSET) == [Act.HEAR]
    assert turns.take(Sign.PAUSE) == [Act.BEGIN_PRIVATELY]
    assert turns.take(Sign.OVER) == [Act.TAKE]
    assert turns.take(Sign.WANTED) == [Act.RELEASE]


def test_what_was_begun_at_a_pause_is_dropped_if_speech_goes_on() -> None:
    turns = Turns()
    for sign in (Sign.ONSET, Sign.PAUSE):
        turns.take(sign)
    assert turns.take(Sign.RESUMED) == [Act.DISCARD]


def test_speech_over_a_reply_holds_it_and_then_cuts_it() -> None:
    turns = Turns()
    for sign in (Sign.ASKED, Sign.SPOKE):
        turns.take(sign)
    assert turns.take(Sign.ONSET) == [Act.HOLD]
    assert turns.take(Sign.CONFIRMED) == [Act.HEAR, Act.CUT]


def test_a_reply_goes_on_after_a_false_alarm() -> None:
    turns = Turns()
    for sign in (Sign.ASKED, Sign.SPOKE, Sign.ONSET):
        turns.take(sign)
    assert turns.take(Sign.PAUSE) == [Act.FORGET, Act.GO_ON]
    assert turns.reply is Reply.SPEAKING


def test_a_reply_that_is_owed_begins_when_the_other_ends() -> None:
    turns = Turns()
    turns.take(Sign.ASKED)
    assert turns.take(Sign.ASKED) == []
    assert turns.take(Sign.DONE) == [Act.BEGIN]
    assert turns.take(Sign.DONE) == []


def test_a_reply_that_fails_while_it_is_held_leaves_the_user_talking() -> None:
    turns = Turns()
    for sign in (Sign.ASKED, Sign.ONSET):
        turns.take(sign)
    assert turns.take(Sign.DONE) == [Act.HEAR]
    assert turns.user is User.TALKING
