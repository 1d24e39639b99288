"""Words that are said in two ways are told apart by the words around them."""

from __future__ import annotations

import pytest

from _speech.english.written import ENGLISH

SENTENCES = """
I want to *read* a book: ɹˈid
She has *read* it: ɹˈɛd
He *read* the letter yesterday: ɹˈɛd
I will *read* it: ɹˈid
Have you *read* this?: ɹˈɛd
Did you *read* this?: ɹˈid
It was *read* aloud: ɹˈɛd
*Read* the instructions first: ɹˈid
a well *read* man: ɹˈɛd
people who *read* a lot: ɹˈid
I *use* it daily: jˈuz
the *use* of force: jˈus
for personal *use*: jˈus
what's the *use*?: jˈus
easy to *use*: jˈuz
*Use* the stairs: jˈuz
users who *use* it: jˈuz
its many *uses*: jˈusᵻz
he *uses* it: jˈuzᵻz
I *used* to run: jˈust
I *used* a knife: jˈuzd
it is *used* to cut: jˈuzd
get *used* to it: jˈust
I *live* in Rome: lˈɪv
*live* music tonight: lˈIv
They *live* here: lˈɪv
a *live* broadcast: lˈIv
where do you *live*: lˈɪv
he *lives* alone: lˈɪvz
their *lives* matter: lˈIvz
to *record* a song: ɹəkˈɔɹd
a world *record*: ɹˈɛkəɹd
we *record* everything: ɹəkˈɔɹd
*records* were broken: ɹˈɛkəɹdz
a birthday *present*: pɹˈɛzᵊnt
I *present* to you: pɹizˈɛnt
he is *present*: pɹˈɛzᵊnt
*close* the door: klˈOz
*close* to home: klˈOs
a *close* friend: klˈOs
the shops *close* early: klˈOz
too *close* to call: klˈOs
they *object* to it: əbʤˈɛkt
an unidentified *object*: ˈɑbʤəkt
we *project* growth: pɹəʤˈɛkt
fresh *produce*: pɹˈOdˌus
factories *produce* goods: pɹədˈus
a *minute* ago: mˈɪnət
the *wind* blows: wˈɪnd
to *wind* the clock: wˈInd
he *wound* it up: wˈWnd
a deep *wound*: wˈund
do not *desert* me: dəzˈɜɹt
in the *desert*: dˈɛzəɹt
an *increase* in price: ˈɪnkɹˌis
prices *increase* every year: ɪnkɹˈis
*separate* rooms: sˈɛpəɹət
*separate* the eggs: sˈɛpəɹˌAt
we *estimate* that: ˈɛstəmˌAt
an *estimate*: ˈɛstəmət
to *house* them: hˈWz
no *excuse*: ɪkskjˈus
I *suspect* him: səspˈɛkt
she's *content* with that: kəntˈɛnt
the *content* is good: kˈɑntɛnt
*that* dog: ðˈæt
I know *that* you do: ðæt
*bow* down: bˈW
a *bow* and arrow: bˈO
on the *bass* guitar: bˈAs
caught a striped *bass*: bˈæs
"""


@pytest.mark.parametrize("sentence", SENTENCES.strip().splitlines())
def test_a_word_is_said_by_its_part_of_speech(sentence: str) -> None:
    text, _, phonemes = sentence.rpartition(": ")
    start = text.index("*")
    text = text.replace("*", "")
    assert next(each.phonemes for each in ENGLISH.phonemize(text, "en-us") if each.start == start) == phonemes
