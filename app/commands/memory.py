"""`emer memory`: what a language model may be reminded of, and runs kept as exemplars."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import JsonValue
from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from emer.app.render.answer import unbroken
from emer.app.render.format import one_line, to_json
from emer.app.render.progress import print_result
from emer.graphs.loading import let_import_from_here
from emer.graphs.settings import Settings, load_settings
from emer.tools.errors import ConfigError, ToolMissing

if TYPE_CHECKING:
    from emer.agents.memory.memory import Item, Match, Memory

NOTHING = "Nothing that is remembered is near."
Json = dict[str, JsonValue]


def run_add(name: str, path: Path | None, *, json: bool) -> None:
    """Keep an explained run as an exemplar."""
    from emer.graphs.loading import load_exemplars
    from emer.graphs.trace.jsonl import read_trace
    from emer.graphs.trace.runs import find_run

    settings = load_settings(path)
    trace = read_trace(find_run(settings.traces, name))
    run_id = trace.header.run_id
    if trace.finished is None:
        raise ConfigError(f"run {run_id} has not finished; there is no explanation to remember")
    question = trace.started.question if trace.started else ""
    written = trace.finished.explanation
    kept = load_exemplars(settings).add(run_id, question, trace.clues, written)
    if json:
        print(to_json(kept.model_dump(mode="json")))
    else:
        labels = ", ".join(map(one_line, kept.labels))
        print_result(Text(f"Remembered run {run_id} as {kept.key}: {labels}."))


def run_list(path: Path | None, *, json: bool) -> None:
    """Print every card and every exemplar."""
    memory = _memory(load_settings(path))
    if json:
        print(to_json([_record(item) for item in memory.items]))
    else:
        rows = [(item, "") for item in memory.items]
        print_result(Group(_table(rows), *_notes(memory)))


def run_search(text: str, most: int, path: Path | None, *, json: bool) -> None:
    """Print what is near a text: clue sentences, spoken words in quotes, or an emotion."""
    from emer.agents.memory.passages import of_text

    if not text.strip():
        raise ConfigError("nothing to look for; give clue sentences, quoted words or an emotion")
    memory = _memory(load_settings(path))
    found = memory.nearest(of_text(text), most)
    if json:
        print(to_json([_match(match) for match in found]))
        return
    rows = [(match.item, f"{match.score:.2f}") for match in found]
    print_result(Group(_table(rows) if rows else Text(NOTHING), *_notes(memory)))


def run_remove(key: str, path: Path | None, *, json: bool) -> None:
    """Forget an exemplar."""
    from emer.agents.memory.cards import cards
    from emer.graphs.loading import load_exemplars

    if any(card.key == key for card in cards()):
        raise ConfigError(f"{key} is a card of the product, no exemplar; it cannot be removed")
    gone = load_exemplars(load_settings(path)).remove(key)
    if json:
        print(to_json({"removed": gone.key, "run_id": gone.run_id}))
    else:
        print_result(Text(f"Forgot {gone.key}, taken from run {gone.run_id}."))


def run_status(path: Path | None, *, json: bool) -> None:
    """Print what the memory holds, what embeds it, and where its index is."""
    settings = load_settings(path)
    memory = _memory(settings)
    told = _status(settings, memory)
    if json:
        print(to_json(told))
        return
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name in ("used", "cards", "exemplars", "embedder", "faiss", "index"):
        table.add_row(name, Text(one_line(str(told[name]))))
    print_result(Group(table, unbroken(str(told["folder"])), *_notes(memory)))


def _status(settings: Settings, memory: Memory) -> Json:
    kinds = [item.kind for item in memory.items]
    return {
        "used": "by the llm reasoner" if settings.memory.on else "no: memory.on is false",
        "cards": kinds.count("card"),
        "exemplars": kinds.count("exemplar"),
        "embedder": memory.embedder.name,
        "faiss": _faiss(),
        "index": "in memory",
        "folder": str(settings.remembered),
        "notes": list(memory.notes),
    }


def _faiss() -> str:
    from emer.agents.memory.memory import load_faiss

    try:
        return str(load_faiss().__version__)
    except ToolMissing as error:
        return f"missing: {error.install}"


def _memory(settings: Settings) -> Memory:
    from emer.graphs.loading import load_memory

    let_import_from_here([settings.memory.embedder.use])
    return load_memory(settings)


def _record(item: Item) -> Json:
    return {
        "key": item.key,
        "kind": item.kind,
        "source": item.source,
        "reference": _reference(item),
        "labels": list(item.labels or item.families),
        "text": item.en,
    }


def _match(match: Match) -> Json:
    return {**_record(match.item), "score": match.score}


def _table(rows: list[tuple[Item, str]]) -> RenderableType:
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), header_style="bold")
    scored = any(score for _, score in rows)
    if scored:
        table.add_column("near", justify="right", no_wrap=True)
    table.add_column("key", no_wrap=True)
    table.add_column("what it tells", overflow="fold", ratio=1)
    table.add_column("source", overflow="fold", style="dim", max_width=28)
    for item, score in rows:
        row = [Text(item.key, "bold"), Text(one_line(item.en)), Text(_reference(item))]
        table.add_row(*([Text(score)] if scored else []), *row)
    return table


def _reference(item: Item) -> str:
    from emer.agents.memory.cards import sources

    return sources().get(item.source, item.source)


def _notes(memory: Memory) -> list[Text]:
    return [Text(f"note: {one_line(note)}", style="yellow") for note in memory.notes]
