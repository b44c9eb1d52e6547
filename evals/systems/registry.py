"""From a name on the command line to a system."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from emer.evals.data.types import PARTS, Dataset, Part
from emer.evals.metrics.emotion_words import Language
from emer.evals.systems.baselines import Constant, Random, floors
from emer.evals.systems.oracle import OnHumanClues
from emer.evals.systems.reasoner_options import ANYONE, Thinker, Who
from emer.evals.systems.stored import read_stored
from emer.evals.systems.system import System
from emer.tools.errors import ConfigError

FORMS = (
    "agent[:PROFILE], text (the agent on words alone), oracle:FORM (full, masked, zh, stepwise, "
    "visual+acoustic+subtitle, joined with /), constant:LABEL,LABEL, random, chat:MODEL, "
    "hf:CHECKPOINT, or a file of predictions"
)


Maker = Callable[[str, "Scene"], System]


@dataclass(frozen=True, slots=True)
class Scene:
    """What systems are made for: a dataset, who reasons, a folder of their own."""

    dataset: Dataset
    thinker: Thinker
    """Who reasons on human clues."""
    home: Path
    who: Who = ANYONE
    """What was said of who reasons, for the agent."""


def named(spec: str, scene: Scene) -> System:
    """System that a name means; `ConfigError` lists the forms there are.

    So it is if the system looks at clips, and none has a media file.
    """
    kind, _, rest = spec.partition(":")
    if kind in MAKERS and (rest or kind not in NEEDS_MORE):
        if kind in ON_CLIPS and not any(sample.clip for sample in scene.dataset.samples):
            raise ConfigError(f"{scene.dataset.name}: no clip has a media file; name --clips DIR")
        return MAKERS[kind](rest, scene)
    if Path(spec).suffix in (".csv", ".npz"):
        return read_stored(Path(spec))
    raise ConfigError(f"no system is called {spec!r}; there are: {FORMS}")


def _agent(profile: str, scene: Scene) -> System:
    from emer.evals.systems.agent import agent

    name = f"agent, {profile}" if profile else "agent"
    return agent(scene.home / "home", profile=profile or None, name=name, who=scene.who)


def _text(_: str, scene: Scene) -> System:
    from emer.evals.systems.agent import words_only

    return words_only(scene.home / "home", scene.who)


def _oracle(form: str, scene: Scene) -> System:
    return on_human_clues(scene.thinker, form)


def _constant(labels: str, _: Scene) -> System:
    return Constant(tuple(label.strip() for label in labels.split(",")))


def _random(_: str, scene: Scene) -> System:
    return next(floor for floor in floors(scene.dataset.golds) if isinstance(floor, Random))


def _chat(model: str, _: Scene) -> System:
    from emer.evals.systems.chat_model import chat_system

    return chat_system(model)


def _hugging_face(path: str, _: Scene) -> System:
    from emer.evals.systems.video_language import VideoLanguage

    if not Path(path).is_dir():
        raise ConfigError(f"hf:{path} is no folder with a checkpoint")
    return VideoLanguage(path)


MAKERS: Mapping[str, Maker] = {
    "agent": _agent,
    "text": _text,
    "oracle": _oracle,
    "constant": _constant,
    "random": _random,
    "chat": _chat,
    "hf": _hugging_face,
}
ON_CLIPS = ("agent", "text", "chat", "hf")
NEEDS_MORE = ("constant", "chat", "hf")


def on_human_clues(thinker: Thinker, form: str) -> OnHumanClues:
    """Reasoner on human clues, in a form like "masked/visual+acoustic/stepwise"."""
    words = [word for word in form.split("/") if word]
    parts = [word for word in words if _parts(word)]
    unknown = [word for word in words if word not in ("full", "masked", "zh", "stepwise", *parts)]
    if unknown or len(parts) > 1:
        raise ConfigError(f"oracle:{form}: {(unknown or parts)[0]!r} is not understood; {FORMS}")
    language: Language = "zh" if "zh" in words else "en"
    return OnHumanClues(
        thinker.reasoner,
        language=language,
        masked="full" not in words,
        parts=_parts(parts[0]) if parts else PARTS,
        stepwise="stepwise" in words,
        arguments=thinker.arguments,
    )


def _parts(word: str) -> tuple[Part, ...]:
    """Parts that a word like "visual+acoustic" names, none if it names others."""
    names = word.split("+")
    found = tuple(part for part in PARTS if part in names)
    return found if len(found) == len(names) else ()
