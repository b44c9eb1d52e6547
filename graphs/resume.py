"""`resume()`: continue a paused run with its clip, settings, budget and trace."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from langgraph.types import Command

from emer.agents.clue_edits import Edits, check_edits, reviewer_clues
from emer.agents.questions.question import check_length
from emer.graphs.answer import Answer
from emer.graphs.ask import collect_answer
from emer.graphs.checkpoints import Checkpoints
from emer.graphs.components import load_components
from emer.graphs.session import config_for, open_run, run
from emer.graphs.settings import Settings, load_settings
from emer.graphs.trace.events import Header, Paused, Reviewed
from emer.graphs.trace.jsonl import Listener, Trace, TraceWriter, read_trace
from emer.graphs.trace.runs import find_run, usage_of
from emer.graphs.trace.stored_settings import is_own, restore
from emer.tools.errors import ConfigError
from emer.tools.media.clip import Clip
from emer.tools.media.clip_file import ClipFile
from emer.tools.text import undecoded
from emer.tools.types import Clue


@dataclass(frozen=True, slots=True)
class PausedRun:
    """A paused run: its trace, its last pause, and the settings it was started with."""

    path: Path
    trace: Trace
    pause: Paused
    settings: Settings

    @property
    def clues(self) -> tuple[Clue, ...]:
        """The clues to review, as they were when the run paused."""
        observed = {clue.id: clue for clue in self.trace.observed}
        return tuple(observed[id] for id in self.pause.clue_ids)


def find_paused(
    run: str | Path, settings: Settings | Path | None = None, *, trust: bool = False
) -> PausedRun:
    """Find a paused run by name (see `find_run`); `ConfigError` if it is not paused.

    `trust`: take the settings of a trace from elsewhere, and its folder's parent as its home.
    """
    current = settings if isinstance(settings, Settings) else load_settings(settings)
    path = find_run(current.traces, str(run))
    trace = read_trace(path)
    name = trace.header.run_id
    if trace.finished is not None:
        raise ConfigError(f"run {name} is finished; no review can change it any more")
    if trace.paused is None:
        raise ConfigError(f"run {name} did not pause for a review; ask with --review")
    if {*trace.paused.clue_ids} - {clue.id for clue in trace.observed}:
        raise ConfigError(f"{path} is damaged: it lacks clues that wait for the review")
    check_length(trace.question)
    home = _home(path, trace.header, current, trust)
    chosen = restore(trace.header, current, home=home, trust=trust)
    paused = PausedRun(path, trace, trace.paused, chosen)
    _check_checkpoint(paused)
    return paused


def resume(
    run_id: str | Path,
    edits: Edits | None = None,
    *,
    clip: str | Path | None = None,
    settings: Settings | Path | None = None,
    listener: Listener | None = None,
    trust: bool = False,
) -> Answer:
    """Continue a paused run after a person's edits, in any process.

    Tokens, money and seconds spent before the pause count.

    Args:
        run_id: The run, the beginning of its id, "last", or its trace file.
        edits: Clues to reject, rewrite and add. None: those of an earlier, unfinished review,
            otherwise the clues are accepted as they are.
        clip: Where the file is now, if it was moved.
        settings: Settings, or a file of them, that say where the runs are.
        listener: Function that is called with each event, after it is in the trace.
        trust: Take all settings of a trace from elsewhere; without it, only harmless ones.

    Returns:
        The `Answer` of the finished run.

    Raises:
        ConfigError: On one line: the run is not paused, an edit names no clue, or the file has
            changed. The run stays paused then.

    Example:
        >>> paused = emer.ask("clip.mp4", review=True)
        >>> answer = emer.resume(paused.run_id, emer.Edits(reject=(paused.clues[0].id,)))

    """
    paused = find_paused(run_id, settings, trust=trust)
    edits = paused.trace.edits if edits is None else edits
    check_edits(edits, paused.clues, paused.trace.header.clip.duration)
    opened = _same_clip(paused, clip)
    loaded = load_components(paused.settings)
    components = replace(loaded, reasons=paused.trace.header.chosen)
    trace, thread = paused.trace, paused.trace.header.thread
    config = config_for(thread, paused.settings, paused.pause.checkpoint)
    writer = TraceWriter.reopen(paused.path, trace.seconds, listener)
    with open_run(components, opened, writer, usage_of(trace)) as (context, checkpoints):
        for slot, tool in components.tools.items():
            before = trace.header.tools.get(slot, tool.source)
            if before != tool.source:
                writer.notes.append(
                    f"{slot}: {before.tool} is no longer as it was when the run paused"
                )
        context.ledger.add(trace.observed)
        state = checkpoints.last_state(thread)
        # Other runs may have changed the history and the edits of the thread.
        update = {name: state[name] for name in ("history", "edited") if name in state}
        begin: Command[str] = Command(resume=edits.model_dump(mode="json"), update=update)
        return collect_answer(
            context, checkpoints, run(context, checkpoints, begin, config), thread
        )


def save_draft(run_id: str | Path, edits: Edits, settings: Settings | Path | None = None) -> None:
    """Save the edits of an unfinished review in the trace; the run stays paused."""
    paused = find_paused(run_id, settings)
    check_edits(edits, paused.clues, paused.trace.header.clip.duration)
    writer = TraceWriter.reopen(paused.path, paused.trace.seconds)
    written = reviewer_clues(paused.clues, edits)
    writer.write(Reviewed(stage="draft", edits=edits, struck=edits.struck, clues=written))
    writer.write(paused.pause)
    writer.close()


def _home(path: Path, header: Header, current: Settings, trust: bool) -> Path:
    """Home of a run: that beside its trace if it is known, otherwise the current one."""
    beside = path.resolve().parent.parent
    named = header.settings.get("home") if isinstance(header.settings, dict) else None
    known = trust or (is_own(header) and beside == Path(str(named)).resolve())
    return beside if known else current.home


def _check_checkpoint(paused: PausedRun) -> None:
    """Raise `ConfigError` if the saved state of the run is lost or damaged."""
    path, header = paused.settings.threads, paused.trace.header
    values: dict[str, object] = {}
    if path.is_file():
        with closing(Checkpoints(path)) as checkpoints:
            config = config_for(header.thread, paused.settings, paused.pause.checkpoint)
            saved = checkpoints.get_tuple(config)
            values = saved.checkpoint["channel_values"] if saved else {}
    if values.get("run_id") != header.run_id:
        raise ConfigError(
            f"{path} no longer holds where run {header.run_id} stopped, or it cannot be read; "
            "the run cannot go on, so ask again"
        )


def _same_clip(paused: PausedRun, moved: str | Path | None) -> Clip:
    """Open the clip of the run; `ConfigError` if it is missing or has changed."""
    header = paused.trace.header
    path = Path(moved or header.clip.path)
    if not moved and not path.is_file():
        path = Path(undecoded(header.clip.path))
    if not path.is_file():
        raise ConfigError(f"there is no file {path} any more; say where it is with --clip FILE")
    # Hashed before it is probed: a trace can name any file of this machine.
    if ClipFile(path).sha256 != header.clip.sha256:
        raise ConfigError(
            f"{path} has changed since run {header.run_id} paused; its clues are of another "
            "content, so ask again"
        )
    return Clip.open(path, paused.pause.subtitle, paused.settings.clip)
