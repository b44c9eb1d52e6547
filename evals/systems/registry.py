"""Systems by their names on the command line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from emer.evals.data.types import PARTS, Dataset, Part
from emer.evals.systems.baselines import constant, random_labels, read_stored
from emer.evals.systems.oracle import OnHumanClues
from emer.evals.systems.reasoner_options import DEFAULT_REASONER, ReasonerOptions
from emer.evals.systems.system import System
from emer.tools.errors import ConfigError

FORMS = (
    "agent[:PROFILE], text (the agent on words alone), oracle:FORM (full, masked, zh, stepwise, "
    "visual+acoustic+subtitle, joined with /), constant:LABEL,LABEL, random, chat:MODEL, "
    "hf:CHECKPOINT, or a file of predictions"
)


@dataclass(frozen=True, slots=True)
class Setup:
    """Dataset, reasoner and folder of the systems to be made."""

    dataset: Dataset
    on_clues: OnHumanClues
    """Reasoner on human clues."""
    home: Path
    reasoner: ReasonerOptions = DEFAULT_REASONER
    """Reasoner of the agent."""


def named(spec: str, setup: Setup) -> System:
    """The system of a name; `ConfigError` lists the forms of names.

    `ConfigError`, too, if the system needs media files and no clip has one.
    """
    kind, _, rest = spec.partition(":")
    if kind in MAKERS and (rest or kind not in NEEDS_MORE):
        if kind in ON_CLIPS and not any(sample.clip for sample in setup.dataset.samples):
            raise ConfigError(f"{setup.dataset.name}: no clip has a media file; name --clips DIR")
        return MAKERS[kind](rest, setup)
    if Path(spec).suffix in (".csv", ".npz"):
        return read_stored(Path(spec))
    raise ConfigError(f"no system is called {spec!r}; there are: {FORMS}")


def _agent(profile: str, setup: Setup) -> System:
    from emer.evals.systems.agent import agent

    name = f"agent, {profile}" if profile else "agent"
    return agent(setup.home / "home", profile=profile or None, name=name, reasoner=setup.reasoner)


def _text(_: str, setup: Setup) -> System:
    from emer.evals.systems.agent import WORDS_ONLY, agent

    return agent(setup.home / "home", tools=WORDS_ONLY, name="agent, words only", kind="subtitle",
                 reasoner=setup.reasoner)  # fmt: skip


def _chat(model: str, _: Setup) -> System:
    from emer.agents.llm.providers import load_chat_model
    from emer.evals.systems.multimodal_model import ChatSystem

    plain, mute = model.partition("?mute")[:2]  # which leaves the sound out
    return ChatSystem(load_chat_model(plain), model, hears=not mute)


def _hugging_face(path: str, _: Setup) -> System:
    from emer.evals.systems.multimodal_model import VideoLanguage

    if not Path(path).is_dir():
        raise ConfigError(f"hf:{path} is no folder with a checkpoint")
    return VideoLanguage(path)


MAKERS: Mapping[str, Callable[[str, Setup], System]] = {
    "agent": _agent,
    "text": _text,
    "oracle": lambda form, setup: on_human_clues(setup.on_clues, form),
    "constant": lambda labels, _: constant(tuple(each.strip() for each in labels.split(","))),
    "random": lambda _, setup: random_labels(setup.dataset.golds),
    "chat": _chat,
    "hf": _hugging_face,
}
ON_CLIPS = ("agent", "text", "chat", "hf")
NEEDS_MORE = ("constant", "chat", "hf")


def on_human_clues(oracle: OnHumanClues, form: str) -> OnHumanClues:
    """Reasoner on human clues, in a form like "masked/visual+acoustic/stepwise"."""
    words = [word for word in form.split("/") if word]
    parts = [word for word in words if _parts(word)]
    unknown = [word for word in words if word not in ("full", "masked", "zh", "stepwise", *parts)]
    if unknown or len(parts) > 1:
        raise ConfigError(f"oracle:{form}: {(unknown or parts)[0]!r} is not understood; {FORMS}")
    return replace(
        oracle,
        language="zh" if "zh" in words else "en",
        masked="full" not in words,
        parts=_parts(parts[0]) if parts else PARTS,
        stepwise="stepwise" in words,
    )


def _parts(word: str) -> tuple[Part, ...]:
    # none if the word names others
    names = word.split("+")
    parts = tuple(part for part in PARTS if part in names)
    return parts if len(parts) == len(names) else ()
