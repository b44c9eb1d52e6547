"""Taking up a run that waits for a person: the same clip, settings, budget and trace."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from langgraph.types import Command

from emer.agents.clue_edits import Edits, check_edits, reviewer_clues
from emer.graphs.ask import Answer, answer
from emer.graphs.checkpoints import Checkpoints
from emer.graphs.session import Cast, config_for, gather, opened, run
from emer.graphs.settings import Settings, load_settings, restore
from emer.graphs.trace.events import ModelCalled, Paused, Reviewed
from emer.graphs.trace.jsonl import Listener, Trace, TraceWriter, read_trace
from emer.graphs.trace.runs import find_run
from emer.tools.errors import ConfigError
from emer.tools.media.clip import Clip
from emer.tools.types import Clue


@dataclass(frozen=True, slots=True)
class Waiting:
    """A paused run: its trace, where it goes on, and the settings it was begun with."""

    path: Path
    trace: Trace
    at: Paused
    settings: Settings

    @property
    def clues(self) -> tuple[Clue, ...]:
        """The clues to be looked at, as they were when the run paused."""
        known = {clue.id: clue for clue in self.trace.observed}
        return tuple(known[id] for id in self.at.clue_ids)

    @property
    def edits(self) -> Edits:
        """What was changed in an earlier review that was not carried out."""
        return self.trace.edits


def find_waiting(run: str | Path, settings: Settings | Path | None = None) -> Waiting:
    """Return the paused run that is meant (see `find_run`); `ConfigError` if it does not wait."""
    today = settings if isinstance(settings, Settings) else load_settings(settings)
    path = find_run(today.traces, str(run))
    trace = read_trace(path)
    name = trace.header.run_id
    if trace.finished is not None:
        raise ConfigError(f"run {name} is finished; no review can change it any more")
    if trace.paused is None:
        raise ConfigError(f"run {name} did not pause for a review; ask with --review")
    home = path.resolve().parents[1]
    return Waiting(path, trace, trace.paused, restore(trace.header.settings, home, today))


def resume(
    run_id: str | Path,
    edits: Edits | None = None,
    *,
    clip: str | Path | None = None,
    settings: Settings | Path | None = None,
    listener: Listener | None = None,
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

    Returns:
        The `Answer` of the finished run.

    Raises:
        ConfigError: On one line: the run is not paused, an edit names no clue, or the file has
            changed. The run stays paused then.

    Example:
        >>> paused = emer.ask("clip.mp4", review=True)
        >>> answer = emer.resume(paused.run_id, emer.Edits(reject=(paused.clues[0].id,)))

    """
    waiting = find_waiting(run_id, settings)
    made = waiting.edits if edits is None else edits
    check_edits(made, waiting.clues, waiting.trace.header.clip.duration)
    opened_clip = _same_clip(waiting, clip)
    cast = gather(waiting.settings)
    return _go_on(waiting, made, opened_clip, cast, listener)


def keep(run_id: str | Path, edits: Edits, settings: Settings | Path | None = None) -> None:
    """Keep the edits of a review that is not finished; the run goes on waiting."""
    waiting = find_waiting(run_id, settings)
    check_edits(edits, waiting.clues, waiting.trace.header.clip.duration)
    writer = TraceWriter.reopen(waiting.path, _spent(waiting.trace))
    written = reviewer_clues(waiting.clues, edits)
    writer.write(Reviewed(stage="draft", edits=edits, struck=edits.struck, clues=written))
    writer.write(waiting.at)
    writer.close()


def _go_on(
    waiting: Waiting, edits: Edits, clip: Clip, cast: Cast, listener: Listener | None
) -> Answer:
    trace, thread = waiting.trace, waiting.trace.header.thread
    checkpoint = waiting.at.checkpoint
    calls = [event.call for event in trace.events if isinstance(event, ModelCalled)]
    tokens = sum(call.tokens_in + call.tokens_out for call in calls)
    money = round(sum(call.money or 0.0 for call in calls), 9)
    _check_checkpoint(waiting)
    writer = TraceWriter.reopen(waiting.path, _spent(trace), listener)
    with opened(cast, clip, writer, tokens, money) as (context, checkpoints):
        _check_tools(waiting, cast, writer)
        context.ledger.add(trace.observed)
        begin: Command[str] = Command(
            resume=edits.model_dump(mode="json"), update=_thread(checkpoints, thread)
        )
        config = config_for(thread, waiting.settings, checkpoint)
        return answer(context, checkpoints, run(context, checkpoints, begin, config), thread)


def _thread(checkpoints: Checkpoints, thread: str) -> dict[str, object]:
    """Return what the thread has come to remember since the run paused."""
    state = checkpoints.remembered(thread)
    return {name: state[name] for name in ("history", "edited") if name in state}


def _check_checkpoint(waiting: Waiting) -> None:
    """Raise `ConfigError` when the state of the run is gone."""
    path = waiting.settings.threads
    lost = f"{path} no longer holds where run {waiting.trace.header.run_id} stopped; ask again"
    if not path.is_file():
        raise ConfigError(lost)
    checkpoints = Checkpoints(path)
    config = config_for(waiting.trace.header.thread, waiting.settings, waiting.at.checkpoint)
    found = checkpoints.get_tuple(config)
    checkpoints.close()
    if found is None:
        raise ConfigError(lost)


def _same_clip(waiting: Waiting, moved: str | Path | None) -> Clip:
    """Open the file that the run is about; `ConfigError` if it is gone or another one."""
    header = waiting.trace.header
    path = Path(moved or header.clip.path)
    if not path.is_file():
        raise ConfigError(f"there is no file {path} any more; say where it is with --clip FILE")
    clip = Clip.open(path, waiting.at.subtitle)
    if clip.sha256 != header.clip.sha256:
        raise ConfigError(
            f"{path} has changed since run {header.run_id} paused; its clues are of another "
            "content, so ask again"
        )
    return clip


def _check_tools(waiting: Waiting, cast: Cast, writer: TraceWriter) -> None:
    """Note where a tool is no longer the one that made the run's clues."""
    before = waiting.trace.header.tools
    for slot, tool in cast.tools.items():
        if slot in before and before[slot] != tool.source:
            writer.notes.append(
                f"{slot}: {before[slot].tool} is no longer as it was when the run paused"
            )


def _spent(trace: Trace) -> float:
    """Return the seconds that the run has worked so far; waiting for a person costs none."""
    return max((event.at for event in trace.events), default=0.0)
