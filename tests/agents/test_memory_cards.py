"""The cards: complete, short, sourced, readable by the lexicon, the same in both languages."""

from __future__ import annotations

import csv

import pytest

from emer.agents.lexicon.lexicon import lexicon
from emer.agents.memory.cards import FOLDER, cards, sources
from emer.agents.memory.memory import Item
from emer.agents.memory.passages import Passage
from emer.agents.questions.answerability import decline_reason

EVERY = pytest.mark.parametrize("card", cards(), ids=lambda card: card.key)


def test_there_are_enough_of_them_and_each_has_a_key_of_its_own() -> None:
    keys = [card.key for card in cards()]
    assert 40 <= len(keys) <= 80 and len(set(keys)) == len(keys)


def test_both_languages_have_the_same_cards_and_no_empty_field() -> None:
    tables = []
    for name in ("cards.csv", "zh.csv"):
        with (FOLDER / name).open(newline="", encoding="utf-8") as file:
            tables.append(list(csv.DictReader(file)))
    english, chinese = tables
    assert [row["card"] for row in english] == [row["card"] for row in chinese]
    assert all(all(row.values()) for row in chinese)
    columns = ("families", "consistent", "not_proof", "ask", "source")
    assert all(row[column] for row in english for column in columns)


@EVERY
def test_a_card_is_short_and_says_what_it_does_not_prove_and_what_to_ask(card: Item) -> None:
    assert 12 <= len(card.en.split()) <= 70 and len(card.zh) <= 120
    assert "onsistent with" in card.en and "No proof" in card.en and "Ask" in card.en
    assert "不能" in card.zh


@EVERY
def test_a_card_names_a_source_there_is_and_families_there_are(card: Item) -> None:
    assert sources()[card.source]
    assert card.families and set(card.families) <= set(lexicon().families)


@EVERY
def test_the_lexicon_reads_every_sentence_that_a_card_is_found_by(card: Item) -> None:
    for line in card.passage.lines:
        assert all(reading.mentions for reading in Passage(lines=(line,)).readings), line.text


@EVERY
def test_no_card_answers_what_no_clip_can(card: Item) -> None:
    text = card.en.split("No proof")[0]
    assert decline_reason(text) is None


def test_every_source_is_used() -> None:
    with (FOLDER / "sources.csv").open(newline="", encoding="utf-8") as file:
        sources = {row["source"] for row in csv.DictReader(file)}
    assert sources <= {card.source for card in cards()}
