"""Sentences over the clues of a clip, with what must become of each of them.

One JSON file per clip: {note, duration, clues, sentences: [{kind, block, text, clue_ids,
verdict}]}. A sentence may cite an id that no clue has: a citation of nothing. `SHIPPED` holds
ours; their `provenance` says who wrote them and how.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from emer.agents.types import LONGEST_SENTENCE, Block
from emer.tools.errors import ConfigError
from emer.tools.types import Clue

SHIPPED = Path(__file__).parent / "grounding"
"""Folder of our own sentences."""


class Judged(BaseModel):
    """A sentence of a known kind, and whether it may reach the user.

    "reject": it must not, as it is written; "accept": it is true of its clues and should.
    """

    model_config = ConfigDict(frozen=True)

    kind: str = Field(min_length=1)
    block: Block
    text: str = Field(min_length=1, max_length=LONGEST_SENTENCE)
    clue_ids: tuple[str, ...]
    """May be empty: a sentence that cites nothing."""
    verdict: Literal["reject", "accept"]


class SentenceFile(BaseModel):
    """The clues of a clip of `duration` seconds, and sentences over them."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    note: str = ""
    provenance: str = ""
    duration: float = Field(ge=0)
    clues: tuple[Clue, ...]
    sentences: tuple[Judged, ...] = Field(min_length=1)

    @property
    def unknown(self) -> frozenset[str]:
        """Ids that a sentence cites and no clue has."""
        cited = {i for sentence in self.sentences for i in sentence.clue_ids}
        return frozenset(cited - {clue.id for clue in self.clues})


def read_sentences(path: Path) -> SentenceFile:
    """Read a file of sentences; `ConfigError` names the file, the place and the fault."""
    try:
        return SentenceFile.model_validate_json(path.read_bytes())
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = "".join(f"[{x}]" if isinstance(x, int) else f".{x}" for x in first["loc"])
        where = f"{path}, {place.lstrip('.')}" if place else str(path)
        raise ConfigError(f"{where}: {first['msg'].removeprefix('Value error, ')}") from error
