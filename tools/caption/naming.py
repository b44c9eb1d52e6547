"""Who somebody is called is not seen: names of people become "a person", or go.

No list of names is kept; grammar tells people from things. A thing has an article before it ("the
Golden Gate Bridge"), stands before its noun ("a Coca-Cola can", "Nike shoes"), is a place ("in New
York") or is worn, held or played. A bare proper noun that acts, or is acted upon, is a person.
What is not found: a single name that begins a sentence before no verb of `ACTS`, and one that is
written small. Words of a sign without quotes are kept, as names of brands are.
"""

from __future__ import annotations

import re

from emer.tools.caption.grammar import ACTS, KNOWN, LITTLE, PLACES, any_of, does, outside_quotes
from emer.tools.caption.seeming import FELT

_HOW_OLD = ("young", "old", "elderly", "younger", "older", "bearded", "famous")
_TITLE = (
    r"(?:[Pp]resident|[Ss]enator|[Aa]ct(?:or|ress)|[Ss]inger|[Rr]apper|[Cc]omedian|[Pp]olitician|"
    r"[Kk]ing|[Qq]ueen|[Pp]rince(?:ss)?|[Pp]ope|[Pp]rofessor|[Gg]overnor|[Mm]inister|[Cc]oach|[Cc]aptain|"
    r"[Jj]udge|[Uu]ncle|[Aa]unt|Mrs?\.?|Ms\.?|Miss|Dr\.?|Sir|Lord|Lady)"
)
_CAP = r"(?:[A-ZÀ-Þ][a-zß-ÿ]+(?:[A-Z][a-z]+)?|O'[A-Z][a-z]+)(?:-[A-Z][a-z]+)*"
_NAME = rf"{_CAP}(?: (?:[A-Z]\. )?(?:(?:de|da|van|von|bin|al|la|of|of the) )?{_CAP})*"
_PROPER = re.compile(
    rf"(?P<title>(?:\b(?:[Tt]he|[Aa]n?|former) )*\b{_TITLE} (?=[A-Z]))?\b(?P<name>{_NAME})"
    r"(?P<own>'s\b)?"
)
_STARTS = re.compile(r"(?:^|[.!?:;\n\]>])\W*$")
_SO_CALLED = (
    r"(?:,? who)?(?: (?:is|are|was|be))? "
    r"(?:(?:named|called|nicknamed|(?:known|identified|recognized|credited) as) "
    rf"(?:{_NAME}|(?!{any_of(LITTLE)}\b)[a-z]+)|"
    rf"(?:play|portray)ed by {_NAME}|whose name is {_NAME})"
)
_CALLED = re.compile(
    rf",{_SO_CALLED},|{_SO_CALLED}"
    rf"|(?:(?:[Tt]he|[Aa]) [a-z]+'s|[Hh]is|[Hh]er|[Tt]heir) names? (?:is|are) {_NAME}"
)
_IS = re.compile(
    r"(?:,? who)? (?:(?:is|are|was) (?:likely |probably |possibly |clearly )?|"
    r"(?:may|might|could|must|appears? to|seems? to) be |resembl(?:es|ing) |"
    r"(?:who )?look(?:s|ing) (?:a lot |just |very much )?like |similar to )$"
)
_KIN = (
    r"\b(?:m[ae]n|wom[ae]n|boy|girl|person|child|lady|guy|friend|husband|wife|mother|father|mom|dad|"
    r"son|daughter|brother|sister|baby|partner|colleague|host|character|people|friends|couple|group|"
    r"teacher|doctor|nurse|officer|singer|act(?:or|ress)|president|speaker)"
)
_SOMEBODY = re.compile(rf"{_KIN},? $")
_APPOSED = re.compile(rf"({_KIN}), (?:{_TITLE} )?{_NAME}(?:,? (?:and )?{_NAME})*,")
_DETERMINED = re.compile(
    r"\b(?i:an?|the|his|her|its|their|my|your|this|that|these|those|some|any|no|another|each|"
    r"one|two|three|four|five|several|many|\d+) "
    r"(?:(?:red|blue|green|black|white|yellow|brown|gr[ae]y|pink|purple|orange|silver|golden|dark|"
    r"light|large|big|small|tall|new|vintage|bright|[A-Z][a-z]+) )*$",
)
_THERE = re.compile(
    r"\b(?:in|at|from|on|across|outside|inside|over|through|into|onto|around) $", re.IGNORECASE
)
_AT_WHOM = re.compile(
    r"\b(?:look|star|smil|glar|point|gaz|wav|yell|shout|laugh|scream|grin|frown|nod|wink|glanc|swing)"
    r"\w* (?:\w+ly )?at $"
)
_PICTURE = r"(?:photo|picture|portrait|image|poster|painting|statue|drawing)s?"
_OF_A_THING = re.compile(rf"^(?!.*\b(?:{_PICTURE}|front) of $).*\bof $")
_PART = re.compile(r"\b(?:hand|arm|shoulder|face|head|back|side|hair|eye|mouth|leg|lap)s? of $")
_WITH_THINGS = re.compile(
    r"\b(?:(?:wear|hold|carr|drink|eat|play|pour|serv|us|driv|rid|speak|read|sing|say)(?:s|es|y|ies|e|ing)?|"
    r"dressed (?:up )?(?:as|in)|(?:go|walk|driv|travel|fl)\w* to|words?|logo|titled|labell?ed|"
    r"(?:read|say)(?:s|ing)? [A-Z].*) $"
)
_WHERE_OR_WHO = re.compile(
    r"(?:,? (?:standing|sitting|posing))? (?:possibly|perhaps|probably|likely|maybe|"
    r"near|behind|beside|by|like|opposite|past|in front of|"
    rf"{_PICTURE}(?P<of> of)) $"
)
_NOBODY_DOES = re.compile(
    r"(?:(?<=^)|(?<=[.!?] ))(?:this|that|it|he|she|there|(?:(?:the|an?|another) [a-z]+))"
    r"(?:[.!?]+(?: |$)|$)",
    re.IGNORECASE,
)
"""A sentence of which only its subject is left."""
_CUT = "\ue002"
"""Where a predicate went: what follows it is the next one."""
_OF_SOMEBODY = re.compile(r"\b(?:[Aa]n?|[Tt]he) (?P<how>[a-z-]+) $")
_AT_HOUSE = re.compile(r"\b(?:at|inside|outside|from) $")
_HAS_OBJECT = re.compile(r"[*_`]* [a-z]+ (?:an?|the|his|her|their|its|him|them)\b")
_CLAUSE = re.compile(r"(?:^|,|;|\b(?:as|while|when|where|and|because|that)) $")


def unnamed(text: str) -> str:
    """Return the text without the names of people; signs that are quoted keep theirs."""
    return outside_quotes(text.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'"), _unnamed)


def _unnamed(text: str) -> str:
    words = re.findall(r"[A-Za-z]+", text)
    if sum(word[0].isupper() for word in words) > 0.8 * len(words) and len(words) > 3:
        return text  # A Caption In Capitals tells nothing of names
    left, people, at, done = "", People(), 0, _APPOSED.sub(r"\1", _CALLED.sub("", text))
    for found in _PROPER.finditer(done):
        left += done[at : found.start()]
        at = found.end()
        told = _instead(left, found, done[at:], people)
        left = told if told is not None else left + found.group()
    left = re.sub(rf"{_CUT}(?: and\b)?| +(?=[,.;!?])|,(?= *,)", "", left + done[at:])
    return " ".join((_NOBODY_DOES.sub("", left) if left != text else text).split())


class People:
    """Whom a caption has named so far."""

    def __init__(self) -> None:
        """Nobody yet."""
        self._known: list[set[str]] = []

    def called(self, name: str) -> str:
        """Return "a person" for the first of a name, "the person" for the same again."""
        words = {*name.split()}
        for number, known in enumerate(self._known):
            if known & words:
                known.update(words)
                return "the other person" if number else "the person"
        self._known.append(words)
        return "another person" if len(self._known) > 1 else "a person"


def _instead(before: str, found: re.Match[str], after: str, people: People) -> str | None:
    """Return what stands for the text up to the name's end; None where nobody is named."""
    owns = found["own"] or ""
    name = found["name"] if found["title"] else _without_known(before, found["name"])
    if not found["title"]:
        before += found["name"].removesuffix(name)
    if not name or not (found["title"] or _is_person(before, name, bool(owns), after)):
        return None
    if not owns and (cut := _IS.search(before)):
        return before[: cut.start()] + _CUT
    if not owns and (cut := _WHERE_OR_WHO.search(before)):
        return before[: cut.start("of" if cut["of"] else 0)]
    if not owns and _SOMEBODY.search(before):
        return before.rstrip(", ")
    told = people.called(name)
    if (how := _OF_SOMEBODY.search(before)) and _is_how(how["how"]):
        told = "person"
    return before + (told[0].upper() + told[1:] if _STARTS.search(before) else told) + owns


def _is_how(word: str) -> bool:
    return word.endswith("ing") or word in FELT or word in _HOW_OLD


def _without_known(before: str, name: str) -> str:
    """Return the name without words before it that only begin a sentence, or say of what people."""
    words = name.split()
    while words and _is_known(words[0], bool(_STARTS.search(before))):
        words.pop(0)
    if not words or {word.casefold() for word in words} & PLACES or words[-1].casefold() in KNOWN:
        return ""
    return " ".join(words)


def _is_known(word: str, starts: bool) -> bool:
    small = word.casefold()
    begins = starts and (small.endswith("ing") or does(small))
    return small in KNOWN or small in FELT or begins


def _is_person(before: str, name: str, owns: bool, after: str) -> bool:
    """Tell whether a name is the one who acts or is acted upon, and no thing or place."""
    following = re.match(r"[*_`]* ([a-z]+)", after)
    then = following.group(1) if following else ""
    if _STARTS.search(before) and " " not in name:
        return _begins(owns, then, after)
    if _PART.search(before) or _AT_WHOM.search(before):
        return True
    there = (_AT_HOUSE,) if owns else (_THERE, _WITH_THINGS)
    if any(way.search(before) for way in (_DETERMINED, _OF_A_THING, *there)):
        return False
    return owns or not _is_noun(then, before, after)


def _is_noun(word: str, before: str, after: str) -> bool:
    """Tell whether the word behind a name is a noun, so that the name only says what kind."""
    if not word or word in LITTLE or does(word) or word.endswith(("ly", "ing")):
        return False
    verb = word.endswith(("s", "ed")) and (_CLAUSE.search(before) or _HAS_OBJECT.match(after))
    return not verb


def _begins(owns: bool, then: str, after: str) -> bool:
    """Tell whether a single word that begins a sentence is somebody who acts."""
    rest = after.split()
    second = rest[1].strip(",.;").casefold() if len(rest) > 1 else ""
    if then in ("is", "was"):
        return does(second) or second in FELT or second.endswith("ly")
    if then == "and":
        return rest[1][:1].isupper() if len(rest) > 1 else False
    described = re.match(r", (?:who|wearing|dressed|with (?:his|her))\b", after)
    acts = does(then) and then not in ACTS  # "Tears run" are many, and nobody
    return owns or acts or bool(described)
