"""Settings: tools, reasoner, budgets and folders.

They are read from emer.toml (in the working folder, or named) and from EMER_* variables, which
take precedence: EMER_HOME, EMER_PROFILE, EMER_TOOLS__FACE__USE, EMER_BUDGET__ROUNDS. Of a file
that is not trusted (`emer.graphs.trust`) only what can do no harm is taken.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationError,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from emer.agents.types import Budget
from emer.graphs.trust import NOTICES, TOOL_SECONDS, file_notice, harmless, read_file
from emer.tools.errors import ConfigError
from emer.tools.media.probe import ClipLimits
from emer.tools.registry import slots
from emer.tools.runtime.device import (
    Dtype,
    Folder,
    Machine,
    Network,
    absolute_home,
    hint,
    home,
)
from emer.tools.runtime.private_files import narrow_home
from emer.tools.types import Param

DEFAULT = "What emotion does the person display, and what shows it?"
"""The question that is asked when none is given."""

FILE = "emer.toml"
OFF = "none"
SUBTITLE = "subtitle"
AUTO = "auto"
_MACHINE = ("device", "dtype", "model_memory", "offline", "network")
SLOTS = ("face", "expression", "scene", "caption", "prosody", "voice", "speech", "ocr")
"""Slots of the built-in tools, named here since to ask the registry imports all of them."""
PROFILES: Mapping[str, Mapping[str, str]] = {
    AUTO: dict.fromkeys(SLOTS, AUTO),
    "embedded": {"face": "mesh", "scene": "camera", "prosody": "egemaps", "speech": "pocketsphinx"},
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
"""Default tool by slot: "embedded" needs nothing but pip, "models" needs weights.

"auto", the default, takes the strongest tool that is ready and not slow here
(`components.choose`); without weights it is "embedded" (and "ocr", if its package is here).
"""


class Choice(BaseModel):
    """Tool of a slot, or reasoner: a name, and the arguments given with it."""

    model_config = ConfigDict(frozen=True, extra="allow")
    __pydantic_extra__: dict[str, Param]

    use: str
    """A built-in's name, an entry point, "package.module:Class", "auto", or "none"."""

    @property
    def arguments(self) -> dict[str, Param]:
        """The other keys of the table: the arguments of the class."""
        return dict(self.__pydantic_extra__ or {})


ToolSpec = str | Mapping[str, Param]
"""A tool's name, or a table of its name (`use`) and its arguments."""


class MemorySettings(BaseModel):
    """Retrieval of similar cards and exemplars for a language model."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    on: bool = True
    nearest: int = Field(default=3, ge=1, le=12)
    """Cards and exemplars in a prompt."""
    embedder: Choice = Choice(use="cues")
    """"cues", hf:FOLDER, an entry point or "package.module:Class"."""


class Settings(BaseSettings):
    """All settings of a run; see `load_settings`."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        env_prefix="EMER_",
        env_nested_delimiter="__",
        nested_model_default_partial_update=True,
    )

    home: Annotated[Path, AfterValidator(absolute_home)] = Field(default_factory=home)
    """Folder of the evidence store, the threads and the traces."""
    serve_root: Folder = Path()
    """Folder whose clips `langgraph dev` may be asked about."""
    profile: str = AUTO
    tools: dict[str, Choice] = Field(default_factory=dict)
    reasoner: Choice = Choice(use="rules")
    language: Literal["auto", "en", "zh"] = "auto"
    """Of the answer; "auto": that of the question."""
    memory: MemorySettings = MemorySettings()
    budget: Budget = Budget()
    clip: ClipLimits = ClipLimits()
    """Largest file that is read as a clip."""
    tool_seconds: float = Field(default=TOOL_SECONDS, gt=0)
    """Time limit of a tool call; in proportion on clips of over 2.5 minutes."""
    parallel: int = Field(default=8, ge=1, le=64)
    """Most tool calls at the same time."""
    device: str = Field(default="auto", pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$")
    """Where models run, unless a tool's own `device` says otherwise."""
    dtype: Dtype = "auto"
    """Precision of models; auto is 16 bit on a GPU and 32 bit on a CPU."""
    model_memory: float | None = Field(default=None, gt=0)
    """Gigabytes of models to keep on each device; None: the memory of the device."""
    weights: Folder | None = None
    """Folder of the weights; None: `weights` in the home."""
    offline: bool = False
    """Refuse every download."""
    network: Network = Network()
    """Time limits of model servers and downloads."""

    _notes: tuple[str, ...] = PrivateAttr(())
    _places: Mapping[str, str] = PrivateAttr({})

    @property
    def notes(self) -> tuple[str, ...]:
        """What was not taken from a source that is not trusted, a line for each."""
        return self._notes

    @property
    def uses(self) -> tuple[str, ...]:
        """Names of the tools, the reasoner and the embedder."""
        return tuple(c.use for c in (*self.tools.values(), self.reasoner, self.memory.embedder))

    @property
    def places(self) -> dict[str, str]:
        """Folder of each "module:Class": of the file that names it, or the working one."""
        custom = [use for use in self.uses if ":" in use and not use.startswith("hf:")]
        here = str(Path.cwd()) if custom else ""
        return {use: self._places.get(use, here) for use in custom}

    def with_origin(self, places: Mapping[str, str], note: str = "") -> Settings:
        """These settings with folders for `places`, and with a note, which is also logged."""
        settings = self.model_copy()
        settings._places = dict(places)
        if note:
            settings._notes = (*self._notes, note)
            NOTICES.warning("%s", note)
        return settings

    @property
    def machine(self) -> Machine:
        """Device, precision, memory, weights folder and network limits of models."""
        folder = self.weights or self.home / "weights"
        machine = {name: getattr(self, name) for name in _MACHINE}
        return Machine(**machine, weights=folder)

    @property
    def traces(self) -> Path:
        """Folder with one JSON-lines file per run."""
        return self.home / "traces"

    @property
    def evidence(self) -> Path:
        """SQLite file of the evidence store."""
        return self.home / "evidence.sqlite"

    @property
    def threads(self) -> Path:
        """SQLite file with the state of every thread."""
        return self.home / "threads.sqlite"

    @property
    def memory_folder(self) -> Path:
        """Folder of the exemplars."""
        return self.home / "memory"

    @property
    def active_tools(self) -> dict[str, Choice]:
        """The slots that are switched on, in a fixed order."""
        known = list(slots())
        active = [slot for slot, choice in self.tools.items() if choice.use != OFF]
        active.sort(key=lambda slot: (known.index(slot) if slot in known else len(known), slot))
        return {slot: self.tools[slot] for slot in active}

    @model_validator(mode="before")
    @classmethod
    def _fill(cls, data: Any) -> Any:
        """Give each slot the profile's tool where the user named none."""
        if not isinstance(data, dict):
            return data
        defaults = _profile(data.get("profile", AUTO))
        tools = data.get("tools") or {}
        if not isinstance(tools, Mapping):
            return data
        filled = {slot: _filled(tools.get(slot), use) for slot, use in defaults.items()}
        return {**data, "tools": {**tools, **filled}}


def load_settings(
    path: Path | None = None,
    *,
    profile: str | None = None,
    device: str | None = None,
    tools: Mapping[str, ToolSpec] | None = None,
) -> Settings:
    """Settings of a file, then of the environment, then of the arguments.

    Args:
        path: The file; by default emer.toml in the working folder, if there is one.
        profile: Set of tools instead of the one in the settings.
        device: Device of models instead of the one in the settings.
        tools: Tools by slot; a tool that is replaced loses its arguments.

    Raises:
        ConfigError: One line that names the key.

    """
    shown = path or Path(FILE)
    file = read_file(shown)
    if path is not None and file is None:
        raise ConfigError(f"no settings file {path}")
    options = {"profile": profile, "device": device}
    changes = {name: value for name, value in options.items() if value is not None}
    settings = _read(file.data if file else {}, changes)
    if file is not None and file.is_trusted:
        settings = settings.with_origin(dict.fromkeys(file.uses, str(file.path.parent)))
    elif file is not None:
        taken, demands = harmless(file.data)
        named = {f"tools.{slot}.use" for slot in tools or {}}
        if demands:
            settings = _read(taken, changes)
        if rest := tuple(demand for demand in demands if demand.key not in named):
            settings = settings.with_origin({}, file_notice(file, shown, rest))
    narrow_home(settings.home)
    profile_slots = _profile(settings.profile)
    for slot in settings.tools:
        if slot not in profile_slots:  # else no command would start without importing all tools
            _check_spelling(slot, tuple(slots()))
    return with_tools(settings, tools or {})


def exact_settings(values: Mapping[str, Any]) -> Settings:
    """Settings of these values, without file and environment; `ConfigError` as above."""
    return _read(None, dict(values))


def with_tools(settings: Settings, tools: Mapping[str, ToolSpec]) -> Settings:
    """Settings with other tools in these slots; a tool that stays keeps its arguments.

    `ConfigError` for a misspelt slot, and for an unknown slot that is switched off.
    """
    if not isinstance(tools, Mapping):
        raise ConfigError(f'tools: {tools!r} is no table of slots; write {{"speech": "whisper"}}')
    choices = dict(settings.tools)
    for slot, spec in tools.items():
        choice = _choice(slot, spec)
        known = (*slots(), *settings.tools)
        _check_spelling(slot, known)
        if slot not in known and choice.use == OFF:
            raise _no_slot(slot)
        same = slot in choices and choices[slot].use == choice.use
        if not same or choice.arguments:
            choices[slot] = choice
    return settings.model_copy(update={"tools": choices})


def _choice(slot: str, spec: ToolSpec) -> Choice:
    try:
        choice = Choice.model_validate({"use": spec} if isinstance(spec, str) else spec)
    except ValidationError as error:
        raise ConfigError(
            f"tools.{slot}: name a tool ('package.module:Class'), or give a table of it: "
            "{'use': NAME, and its arguments}"
        ) from error
    if not choice.use:
        raise ConfigError(f"tools.{slot}.use is empty; name a tool, or {OFF!r}")
    return choice


def _check_spelling(slot: str, known: Sequence[str]) -> None:
    """Raise `ConfigError` for a misspelt slot; any other name is the user's own."""
    if slot not in known and get_close_matches(slot, known, cutoff=0.7):
        raise _no_slot(slot)


def _no_slot(slot: str) -> ConfigError:
    return ConfigError(f"there is no slot {slot!r}; there are {', '.join(slots())}")


def with_profile(settings: Settings, profile: str) -> Settings:
    """Settings with another profile's tools where the user named none."""
    before, after = _profile(settings.profile), _profile(profile)
    named = {slot: c for slot, c in settings.tools.items() if c.use != before.get(slot)}
    defaults = {slot: Choice(use=use) for slot, use in after.items()}
    return settings.model_copy(update={"profile": profile, "tools": {**defaults, **named}})


def with_reasoner(settings: Settings, use: str, **arguments: Param) -> Settings:
    """Settings with this reasoner; an argument that is None stays as it is."""
    before = settings.reasoner.arguments if settings.reasoner.use == use else {}
    changes = {name: value for name, value in arguments.items() if value is not None}
    return settings.model_copy(update={"reasoner": Choice(use=use, **{**before, **changes})})


def with_subtitle(settings: Settings, *, always: bool) -> Settings:
    """Settings that read the given words instead of recognising speech.

    Unless `always`, a tool that the user chose for speech stays.
    """
    default = settings.tools["speech"].use == _profile(settings.profile)["speech"]
    return with_tools(settings, {"speech": SUBTITLE}) if always or default else settings


def _profile(name: Any) -> Mapping[str, str]:
    if isinstance(name, str) and name in PROFILES:
        return PROFILES[name]
    known = ", ".join(sorted(PROFILES))
    raise ConfigError(f"profile: there is no {name!r}; known: {known}")


def _filled(value: Any, use: str) -> Any:
    if isinstance(value, Mapping) and "use" not in value:
        return {"use": use, **value}
    return {"use": use} if value is None else value


def _read(data: Mapping[str, Any] | None, changes: Mapping[str, Any]) -> Settings:
    """Settings of arguments, environment and the content of a file; `ConfigError`."""
    try:
        return _reader(data)(**changes)
    except ValidationError as error:
        raise ConfigError(_first(error)) from error
    except SettingsError as error:  # of the environment
        raise ConfigError(str(error)) from error


def _reader(data: Mapping[str, Any] | None) -> type[Settings]:
    """Settings of arguments, environment and data; without data, of arguments alone."""

    class Read(Settings):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            if data is None:
                return (init_settings,)
            of_file = InitSettingsSource(settings_cls, init_kwargs=dict(data))
            return (init_settings, env_settings, of_file)

    return Read


def _first(error: ValidationError) -> str:
    """The first problem on one line: the key, what is wrong, what was given."""
    problem = error.errors(include_url=False)[0]
    key = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        return f"settings: there is no {key!r}; known: {', '.join(sorted(Settings.model_fields))}"
    if problem["type"] == "missing":
        return f"settings: {key} is missing"
    value = " ".join(repr(problem["input"]).split())[:80]
    if way := hint(key):
        return f"settings: {key} {value}{way}"
    return f"settings: {key}: {problem['msg']} (it is {value})"
