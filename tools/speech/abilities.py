"""What a speech model is able to do, by its own facts: the languages it knows, and translating."""

from __future__ import annotations

from collections.abc import Collection

from emer.tools.errors import ConfigError
from emer.tools.speech.languages import ENGLISH, name_of

MULTILINGUAL = 51865
"""Tokens from which a Whisper model knows other languages than English (openai-whisper's rule)."""


def translates(multilingual: bool, hears: int, writes: int) -> bool:
    """Tell whether a Whisper model was trained to translate, by its layers.

    Its README says that turbo was not; turbo and the distilled ones have fewer layers to
    write with than to hear with.
    """
    return multilingual and writes >= hears


def require_language(
    tool: str, model: str, wanted: str | None, known: Collection[str] | None
) -> None:
    """Raise `ConfigError` for a language that the model does not know.

    `wanted` is None where it is to be found out, `known` None where the model does not say.
    """
    if wanted is None or known is None or wanted in known:
        return
    alone = set(known) == {ENGLISH}
    more, other = (", only English", "a multilingual model") if alone else ("", "one that does")
    raise ConfigError(
        f"{tool}.language: the model {model} does not know {name_of(wanted)}{more}; "
        f'leave language = "auto" or take {other}'
    )
