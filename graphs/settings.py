"""What a user may choose: tools, reasoner, budgets and folders.

Read from emer.toml (in the working folder, or named) and from EMER_* variables, which
win: EMER_HOME, EMER_PROFILE, EMER_TOOLS__FACE__USE, EMER_BUDGET__ROUNDS.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from platformdirs import user_data_dir
from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from emer.agents.types import Budget
from emer.tools.errors import ConfigError
from emer.tools.registry import slots
from emer.tools.runtime.device import Dtype, Folder, Machine, hint
from emer.tools.types import Param

DEFAULT = "What emotion does the person display, and what shows it?"
"""The question that is asked when none is given."""

FILE = "emer.toml"
MASK = "***"
"""What stands in a trace for a secret."""
OFF = "none"
SUBTITLE = "subtitle"
AUTO = "auto"
PROFILES: Mapping[str, Mapping[str, str]] = {
    "embedded": {
        "face": "mesh",
        "scene": "camera",
        "prosody": "egemaps",
        "speech": "pocketsphinx",
    },
    "models": {
        "face": AUTO,
        "expression": "deepface",
        "scene": "camera",
        "caption": "captioner",
        "prosody": "egemaps",
        "voice": "speech-emotion",
        "speech": "whisper",
    },
}
"""What fills the slots where the user names nothing: what pip alone brings; the strong tools,
whose weights are pulled. A third, "auto", is of each slot the strongest that is ready
(`choosing.py`)."""


class Choice(BaseModel):
    """What fills a slot: a name, and the arguments given with it."""

    model_config = ConfigDict(frozen=True, extra="allow")
    __pydantic_extra__: dict[str, Param]

    use: str
    """A built-in's name, an entry point, "package.module:Class", "auto", or "none"."""

    @property
    def arguments(self) -> dict[str, Param]:
        """The other keys of the table: the arguments of the class."""
        return dict(self.__pydantic_extra__ or {})


Wanted = str | Mapping[str, Param]
"""What is wanted in a slot: a tool's name, or a table of its name (`use`) and its arguments."""


class Remembering(BaseModel):
    """Whether and how a language model is reminded of what is like a clip."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    on: bool = True
    nearest: int = Field(default=3, ge=1, le=12)
    """How many cards and exemplars it is told of."""
    embedder: Choice = Choice(use="cues")
    """"cues", hf:FOLDER, an entry point or "package.module:Class"."""


class Settings(BaseSettings):
    """Everything chosen for a run; see `load_settings`."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        env_prefix="EMER_",
        env_nested_delimiter="__",
        nested_model_default_partial_update=True,
    )

    home: Folder = Field(default_factory=lambda: Path(user_data_dir("emer", appauthor=False)))
    """The folder of the evidence store, the threads and the traces."""
    serve_root: Folder = Path()
    """The folder whose clips `langgraph dev` may be asked about."""
    profile: str = "embedded"
    tools: dict[str, Choice] = Field(default_factory=dict)
    reasoner: Choice = Choice(use="rules")
    memory: Remembering = Remembering()
    budget: Budget = Budget()
    tool_seconds: float = Field(default=300.0, gt=0)
    """Time limit of one tool call on a clip of up to 2.5 minutes; in proportion on a longer one."""
    parallel: int = Field(default=8, ge=1, le=64)
    """Tool calls at the same time."""
    device: str = Field(default="auto", pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$")
    """Where models run, unless a tool's own `device` says otherwise."""
    dtype: Dtype = "auto"
    """Their precision; auto is 16 bit on a GPU and 32 bit on a CPU."""
    model_memory: float | None = Field(default=None, gt=0)
    """Gigabytes of models to keep on each device; None is what the device has."""
    weights: Folder | None = None
    """Folder of the weights; None is `weights` in the home."""
    offline: bool = False
    """Refuse every download, asked for or not."""

    @property
    def machine(self) -> Machine:
        """What models may use of this machine."""
        folder = self.weights or self.home / "weights"
        own = {name: getattr(self, name) for name in ("device", "dtype", "model_memory", "offline")}
        return Machine(**own, weights=folder)

    @property
    def traces(self) -> Path:
        """The folder with one JSONL file per run."""
        return self.home / "traces"

    @property
    def evidence(self) -> Path:
        """The SQLite file of the evidence store."""
        return self.home / "evidence.sqlite"

    @property
    def threads(self) -> Path:
        """The SQLite file with the state of every thread."""
        return self.home / "threads.sqlite"

    @property
    def remembered(self) -> Path:
        """The folder of the exemplars."""
        return self.home / "memory"

    @property
    def chosen(self) -> dict[str, Choice]:
        """The slots that are switched on, in a fixed order."""
        place = {slot: number for number, slot in enumerate(slots())}
        on = [slot for slot, choice in self.tools.items() if choice.use != OFF]
        order = sorted(on, key=lambda slot: (place.get(slot, len(place)), slot))
        return {slot: self.tools[slot] for slot in order}

    @model_validator(mode="before")
    @classmethod
    def _fill(cls, given: Any) -> Any:
        """Give each slot the profile's tool where the user named none."""
        if not isinstance(given, dict):
            return given
        defaults = _profile(given.get("profile", "embedded"))
        tools = given.get("tools") or {}
        if not isinstance(tools, Mapping):
            return given
        filled = {slot: _filled(tools.get(slot), use) for slot, use in defaults.items()}
        return {**given, "tools": {**tools, **filled}}


def load_settings(
    path: Path | None = None,
    *,
    profile: str | None = None,
    device: str | None = None,
    tools: Mapping[str, Wanted] | None = None,
) -> Settings:
    """Return the settings of a file and of the environment, then what is given here.

    `path` is emer.toml in the working folder when left out, if there is one. Arguments
    of a tool are dropped when `tools` puts another in its place. `ConfigError` is one
    line that names the key.
    """
    file = path or Path(FILE)
    if path is not None and not path.is_file():
        raise ConfigError(f"no settings file {path}")
    told = {"profile": profile, "device": device}
    given: dict[str, Any] = {name: value for name, value in told.items() if value is not None}
    try:
        found = _reader(file)(**given)
    except ValidationError as error:
        raise ConfigError(_first(error)) from error
    except (SettingsError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}: {error}") from error
    profile_slots = _profile(found.profile)
    for slot in found.tools:
        if slot not in profile_slots:  # else no command would start without importing all tools
            _check_spelling(slot, tuple(slots()))
    return swap(found, tools or {})


def restore(found: JsonValue, home: Path, secrets: Settings) -> Settings:
    """Return the settings that a trace's header tells of, with this home.

    What the trace masked is taken from `secrets`, the settings of today. Neither a file
    nor the environment changes anything else. `ConfigError` names what is missing.
    """
    if not isinstance(found, dict):
        raise ConfigError("the trace holds no settings")
    today = secrets.model_dump(mode="json")
    given: dict[str, Any] = {n: _unmasked(v, today.get(n), n) for n, v in found.items()}
    try:
        return _Exactly(**(given | {"home": home}))
    except ValidationError as error:
        raise ConfigError(f"the trace's {_first(error)}") from error


def swap(settings: Settings, tools: Mapping[str, Wanted]) -> Settings:
    """Return the settings with other tools in these slots; one that is named keeps its arguments.

    `ConfigError` for a slot that nobody knows and that is switched off, or misspelt.
    """
    if not isinstance(tools, Mapping):
        raise ConfigError(f'tools: {tools!r} is no table of slots; write {{"speech": "whisper"}}')
    swapped = dict(settings.tools)
    for slot, wanted in tools.items():
        choice = _choice(slot, wanted)
        known = (*slots(), *settings.tools)
        _check_spelling(slot, known)
        if slot not in known and choice.use == OFF:
            raise _no_slot(slot)
        same = slot in swapped and swapped[slot].use == choice.use
        if not same or choice.arguments:
            swapped[slot] = choice
    return settings.model_copy(update={"tools": swapped})


def _choice(slot: str, wanted: Wanted) -> Choice:
    """Return what is wanted in a slot: a name, or a table of it and its arguments."""
    try:
        choice = Choice.model_validate({"use": wanted} if isinstance(wanted, str) else wanted)
    except ValidationError as error:
        raise ConfigError(
            f"tools.{slot}: name a tool ('package.module:Class'), or give a table of it: "
            "{'use': NAME, and its arguments}"
        ) from error
    if not choice.use:
        raise ConfigError(f"tools.{slot}.use is empty; name a tool, or {OFF!r}")
    return choice


def _check_spelling(slot: str, known: Sequence[str]) -> None:
    """Raise `ConfigError` for a slot that is misspelt; one of the user's own may have any name."""
    if slot not in known and get_close_matches(slot, known, cutoff=0.7):
        raise _no_slot(slot)


def _no_slot(slot: str) -> ConfigError:
    return ConfigError(f"there is no slot {slot!r}; there are {', '.join(slots())}")


def with_profile(settings: Settings, profile: str) -> Settings:
    """Return the settings with another profile's tools where the user named none."""
    before, after = _profile(settings.profile), _profile(profile)
    kept = {s: c for s, c in settings.tools.items() if c.use != before.get(s)}
    filled = {slot: Choice(use=use) for slot, use in after.items()}
    return settings.model_copy(update={"profile": profile, "tools": {**filled, **kept}})


def with_reasoner(settings: Settings, use: str, **arguments: Param) -> Settings:
    """Return the settings with this reasoner; it keeps the arguments it has in the settings.

    Arguments that are None are left as they are.
    """
    kept = settings.reasoner.arguments if settings.reasoner.use == use else {}
    given = {name: value for name, value in arguments.items() if value is not None}
    return settings.model_copy(update={"reasoner": Choice(use=use, **{**kept, **given})})


def with_subtitle(settings: Settings, *, always: bool) -> Settings:
    """Return the settings with the given words read instead of the speech recognised.

    Unless `always`, a tool that the user chose for speech stays.
    """
    use = settings.tools["speech"].use
    ours = use == _profile(settings.profile)["speech"]
    return swap(settings, {"speech": SUBTITLE}) if always or ours else settings


def _profile(name: Any) -> Mapping[str, str]:
    if name == AUTO:
        return dict.fromkeys(slots(), AUTO)
    if isinstance(name, str) and name in PROFILES:
        return PROFILES[name]
    known = ", ".join(sorted((*PROFILES, AUTO)))
    raise ConfigError(f"profile: there is no {name!r}; known: {known}")


def _filled(given: Any, use: str) -> Any:
    if isinstance(given, Mapping) and "use" not in given:
        return {"use": use, **given}
    return {"use": use} if given is None else given


class _Exactly(Settings):
    """Settings as they are given, whatever file and environment say."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        *others: PydanticBaseSettingsSource,
        **named: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)


def _unmasked(value: JsonValue, today: JsonValue, key: str) -> JsonValue:
    """Return the value with what was masked put in from today's settings."""
    if isinstance(value, dict):
        known = today if isinstance(today, dict) else {}
        return {n: _unmasked(v, known.get(n), f"{key}.{n}") for n, v in value.items()}
    if value != MASK:
        return value
    if today is None:
        raise ConfigError(f"settings: {key} is a secret that no trace keeps; set it again")
    return today


def _reader(file: Path) -> type[Settings]:
    """Return the settings class that also reads this file."""

    class FromFile(Settings):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return (
                init_settings,
                env_settings,
                TomlConfigSettingsSource(settings_cls, toml_file=file),
            )

    return FromFile


def _first(error: ValidationError) -> str:
    """Return the first problem on one line: the key, what is wrong, what was given."""
    problem = error.errors(include_url=False)[0]
    key = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        return f"settings: there is no {key!r}; known: {', '.join(sorted(Settings.model_fields))}"
    if problem["type"] == "missing":
        return f"settings: {key} is missing"
    given = " ".join(repr(problem["input"]).split())[:80]
    if way := hint(key):
        return f"settings: {key} {given}{way}"
    return f"settings: {key}: {problem['msg']} (it is {given})"
