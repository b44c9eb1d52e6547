"""Whether a language model takes part, and how: from the words of a command to settings."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from emer.graphs.settings import Settings, with_reasoner
from emer.tools.errors import ConfigError

_OPTIONS = {"when": "--llm-when", "critic": "--critic", "language": "--lang"}


@dataclass(frozen=True, slots=True)
class Thinking:
    """How a language model takes part, as it stands on the command line."""

    llm: str | None = None
    when: str | None = None
    critic: bool | None = None
    language: str | None = None


def with_thinking(settings: Settings, thinking: Thinking) -> Settings:
    """Return the settings in which a language model takes part as it was said.

    `ConfigError` where something is said of a model and none is named.
    """
    told = asdict(thinking)
    model = told.pop("llm")
    if model is None and settings.reasoner.use != "llm":
        said = [_OPTIONS[name] for name, value in told.items() if value is not None]
        if said:
            raise ConfigError(
                f"{', '.join(said)}: only a language model heeds this, and there is no model "
                "to ask; name one with --llm, as openai:gpt-4.1-mini"
            )
        return settings
    return with_reasoner(settings, "llm", model=model, **told)
