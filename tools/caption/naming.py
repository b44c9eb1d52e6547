"""Who somebody is called is not seen: a sentence that names somebody is not told.

Only a name set beside its person goes alone, at its own boundary: "a man named John sits", "a
woman, Emma, waves", "a man who looks like Tom Cruise nods". No name is replaced, and no list of
names is kept; grammar tells people from things, which have an article ("the Golden Gate Bridge"),
stand before their noun ("Nike shoes"), are a place ("in New York") or are worn, held or played.
Whoever or whatever else has a capital may be a person, and the sentence goes. What is not found: a
single name that begins a sentence before no verb of `ACTS` and no object, and one written small or
all in capitals.
"""

from __future__ import annotations

import re

from emer.tools.caption.grammar import ACTS, KNOWN, LITTLE, PLACES, any_of, does, outside_quotes
from emer.tools.caption.seeming import FELT
from emer.tools.caption.sentences import is_negated, is_open, sentence_wise

_TITLE = (
    r"(?:[Pp]resident|[Ss]enator|[Aa]ct(?:or|ress)|[Ss]inger|[Rr]apper|[Cc]omedian|[Pp]olitician|"
    r"[Kk]ing|[Qq]ueen|[Pp]rince(?:ss)?|[Pp]ope|[Pp]rofessor|[Gg]overnor|[Mm]inister|[Cc]oach|[Cc]aptain|"
    r"[Jj]udge|[Uu]ncle|[Aa]unt|Mrs?\.?|Ms\.?|Miss|Dr\.?|Sir|Lord|Lady)"
)
_CAP = r"(?:[A-ZÀ-Þ][a-zß-ÿ]+(?:[A-Z][a-z]+)?|O'[A-Z][a-z]+)(?:-[A-Z][a-z]+)*"
_NAME = rf"{_CAP}(?: (?:[A-Z]\. )?(?:(?:de|da|van|von|bin|al|la|of|of the) )?{_CAP})*"
_PROPER = re.compile(rf"(?P<title>\b{_TITLE} (?=[A-Z]))?\b(?P<name>{_NAME})(?P<own>'s\b)?")
_KIN = (
    r"\b(?:m[ae]n|wom[ae]n|boy|girl|person|child|lady|guy|friend|husband|wife|mother|father|mom|dad|"
    r"son|daughter|brother|sister|baby|partner|colleague|host|character|teacher|doctor|nurse|officer)"
)
_BESIDE = re.compile(
    r"(?<!\bis)(?<!\bare)(?<!\bwas)(?<!\bwere)(?<!\bbe)"
    r",?(?: who is| that is)? (?:(?:named|nicknamed|(?:called|known as|identified as|recognized as|"
    rf"credited as|(?:play|portray)ed by)(?= [A-Z])) (?:{_NAME}|(?!{any_of(LITTLE)}\b)[a-z]+)|"
    rf"whose name is {_NAME}|(?:who (?:is|looks like)|(?:who|that) resembles) {_NAME}(?! and\b))"
    r"\b(?!'s|-),?(?! (?:and|or) [A-Z])"
)
_APPOSED = re.compile(rf"({_KIN}), {_NAME}(?:,|(?=[.!?;]|$))")
_DETERMINED = re.compile(
    r"\b(?i:an?|the|his|her|its|their|my|your|this|that|these|those|some|any|no|another|each|"
    r"one|two|three|four|five|several|many|\d+) "
    r"(?:(?:red|blue|green|black|white|yellow|brown|gr[ae]y|pink|purple|orange|silver|golden|dark|"
    r"light|large|big|small|new|vintage|bright|[A-Z][A-Za-z]+) )*$",
)
_HOUSED = re.compile(r"\b(?i:at|inside|outside|from) $")
_PLACED = re.compile(r"\b(?i:in|at|from|on|across|outside|inside|over|through|into|onto|around) $")
_AT_WHOM = re.compile(
    r"\b(?:look|star|smil|glar|point|gaz|wav|yell|shout|laugh|scream|grin|frown|nod|wink|glanc|swing)"
    r"\w* (?:\w+ly )?at $"
)
_OF_SOMEBODY = (
    r"(?:photo|picture|portrait|image|poster|painting|statue|drawing|hand|arm|shoulder|face|head|back|"
    r"side|hair|eye|mouth|leg|lap|front)s?"
)
_OF_A_THING = re.compile(rf"^(?!.*\b{_OF_SOMEBODY} of $).*\bof $")
_HELD = re.compile(
    r"\b(?:(?:wear|hold|carr|drink|eat|play|pour|serv|us|driv|rid|speak|read|sing|say)(?:s|es|y|ies|e|ing)?|"
    r"dressed (?:up )?(?:as|in)|(?:go|walk|driv|travel|fl)\w* to|words?|logo|titled|labell?ed|"
    r"(?:read|say)(?:s|ing)? [A-Z].*) $"
)
_HAS_OBJECT = re.compile(r"[*_`]* [a-z]+ (?:an?|the|his|her|their|its|him|them)\b")


def unnamed(text: str) -> str:
    """Return the text without the sentences that name somebody; quoted signs are no names."""
    straight = text.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    return outside_quotes(straight, lambda bare: sentence_wise(bare, _told))


def _told(sentence: str) -> str:
    """Return a sentence without names set beside their people; "" where another is left."""
    left = _APPOSED.sub(r"\1", _BESIDE.sub("", sentence))
    cut = left != sentence and (is_negated(sentence) or is_open(left))
    return "" if cut or any(_names(left, found) for found in _PROPER.finditer(left)) else left


def _names(sentence: str, found: re.Match[str]) -> bool:
    """Tell whether words with capitals may be somebody who acts or is acted upon."""
    before, after, owns = sentence[: found.start()], sentence[found.end() :], bool(found["own"])
    words = found["name"].split()
    starts = not re.search(r"\w", before)
    if found["title"]:
        return True
    while words and _is_known(words[0].casefold(), starts):
        before, starts = f"{before}{words.pop(0)} ", False
    last = words[-1].casefold() if words else ""
    if not last or last in KNOWN or {word.casefold() for word in words} & PLACES:
        return False
    then = (re.findall(r"^[*_`]* ([a-z]+)", after) or [""])[0]
    if len(words) == 1 and starts:
        return _begins(owns, then, after)
    if _AT_WHOM.search(before):
        return True
    there = (_HOUSED,) if owns else (_PLACED, _HELD)
    if any(way.search(before) for way in (_DETERMINED, _OF_A_THING, *there)):
        return False
    return owns or not _is_noun(then)


def _is_known(small: str, starts: bool) -> bool:
    return small in KNOWN or small in FELT or (starts and (small.endswith("ing") or does(small)))


def _is_noun(word: str) -> bool:
    """Tell whether the word behind a name is surely a noun, of which the name says what kind."""
    return not (word in LITTLE or does(word) or word.endswith(("ly", "ing", "s", "ed")) or not word)


def _begins(owns: bool, then: str, after: str) -> bool:
    """Tell whether a single word that begins a sentence is somebody who acts."""
    second = (after.split() + [""] * 2)[1].strip(",.;")
    if then in ("is", "was"):
        return does(second) or second in FELT or second.endswith("ly")
    described = re.match(r", (?:who|wearing|dressed|with (?:his|her)\b)", after)
    acts = does(then) or (then.endswith("s") and _HAS_OBJECT.match(after))
    return owns or bool(described) or bool(acts and then not in ACTS)  # "Tears run" are many
