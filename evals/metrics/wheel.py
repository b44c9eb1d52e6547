"""The emotion-wheel lexicon: labels to wheel words and classes (M1, M2, M3).

Definition: OV-MER (arXiv 2410.01495) and AffectGPT (arXiv 2501.16566), as the official
scorer implements it. A label maps to the words it is a form of, those to the words of the
wheels they are synonyms of, and those to their ancestor on a wheel; ties go to the word
that comes first in the alphabet.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

Level = Literal[1, 2]
LEVELS: tuple[Level, ...] = (1, 2)


@dataclass(frozen=True)
class Wheel:
    """A wheel of three rings: level-1 word to level-2 word to level-3 words."""

    name: str
    rings: Mapping[str, Mapping[str, tuple[str, ...]]]

    @cached_property
    def level1(self) -> Mapping[str, str]:
        """Each word's level-1 ancestor; a word with two parents keeps the later one."""
        ancestors: dict[str, str] = {}
        for inner, middles in self.rings.items():
            for middle, outers in middles.items():
                ancestors |= dict.fromkeys((inner, middle, *outers), inner)
        return ancestors

    @cached_property
    def level2(self) -> Mapping[str, str]:
        """Each word's level-2 ancestor; a level-1 word has its first child's."""
        ancestors: dict[str, str] = {}
        for inner, middles in self.rings.items():
            ancestors[inner] = min(middles)
            for middle, outers in middles.items():
                ancestors |= dict.fromkeys((middle, *outers), middle)
        return ancestors


@dataclass(frozen=True)
class Lexicon:
    """Word forms, synonyms and wheels of one edition ("2025", "2026")."""

    edition: str
    forms: Mapping[str, tuple[str, ...]]
    """Surface form to the words it is a form of."""
    synonyms: Mapping[str, tuple[str, ...]]
    """Word to the wheel words it is a synonym of."""
    wheels: tuple[Wheel, ...]

    def m1(self, label: str) -> str | None:
        """Word that a label is a form of (M1); None if unknown: every metric drops it."""
        return min(self.forms.get(plain(label), ()), default=None)

    def m2(self, label: str) -> str | None:
        """Wheel word that a label is a synonym of (M2), or None."""
        word = self.m1(label)
        return None if word is None else min(self.synonyms.get(word, ()), default=None)

    def m3(self, label: str, wheel: Wheel, level: Level) -> str | None:
        """Ancestor of a label on a wheel (M3), or None if the wheel lacks it.

        Independent of M1 and M2: all words and all their synonyms are tried.
        """
        ancestors = wheel.level1 if level == 1 else wheel.level2
        words = self.forms.get(plain(label), ())
        reached = {synonym for word in words for synonym in self.synonyms.get(word, ())}
        nearest = min(reached & ancestors.keys(), default=None)
        return None if nearest is None else ancestors[nearest]


def plain(label: str) -> str:
    """Label as the lexicon has it: lower case, no blanks around it."""
    return label.lower().strip()
