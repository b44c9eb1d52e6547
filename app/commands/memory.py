"""`emer memory`: cards and exemplars, the analogies for a language model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import JsonValue
from rich.console import Group, RenderableType
from rich.text import Text

from emer.app.render.format import facts_table, list_table, notes, unwrapped
from emer.app.render.progress import print_output
from emer.graphs.components import allow_local_imports, load_exemplars, load_memory
from emer.graphs.settings import Settings, load_settings
from emer.tools.errors import ConfigError, ToolMissing
from emer.tools.text import one_line

if TYPE_CHECKING:
    from emer.agents.memory.memory import Item, Memory


def run_add(name: str, path: Path | None, *, json: bool) -> None:
    from emer.graphs.trace.jsonl import read_trace
    from emer.graphs.trace.runs import find_run

    settings = load_settings(path)
    trace = read_trace(find_run(settings.traces, name))
    run_id = trace.header.run_id
    if trace.finished is None:
        raise ConfigError(f"run {run_id} has not finished; there is no explanation to remember")
    explanation = trace.finished.explanation
    exemplar = load_exemplars(settings).add(run_id, trace.question, trace.clues, explanation)
    labels = ", ".join(map(one_line, exemplar.labels))
    page = Text(f"Saved run {run_id} as {exemplar.key}: {labels}.")
    print_output(page, exemplar, json=json)


def run_list(path: Path | None, *, json: bool) -> None:
    memory = _load(load_settings(path))
    page = Group(_table([(item, "") for item in memory.items]), *notes(memory.notes))
    print_output(page, [_record(item) for item in memory.items], json=json)


def run_search(text: str, most: int, path: Path | None, *, json: bool) -> None:
    from emer.agents.memory.passages import of_text

    if not text.strip():
        raise ConfigError("nothing to look for; give clue sentences, quoted words or an emotion")
    memory = _load(load_settings(path))
    matches = memory.nearest(of_text(text), most)
    rows = [(match.item, f"{match.score:.2f}") for match in matches]
    page = Group(_table(rows) if rows else Text("Nothing in the memory is near."))
    record = [{**_record(match.item), "score": match.score} for match in matches]
    print_output(Group(page, *notes(memory.notes)), record, json=json)


def run_remove(key: str, path: Path | None, *, json: bool) -> None:
    from emer.agents.memory.cards import cards

    if any(card.key == key for card in cards()):
        raise ConfigError(f"{key} is a card of the product, no exemplar; it cannot be removed")
    exemplar = load_exemplars(load_settings(path)).remove(key)
    page = Text(f"Deleted {exemplar.key}, taken from run {exemplar.run_id}.")
    print_output(page, {"removed": exemplar.key, "run_id": exemplar.run_id}, json=json)


def run_status(path: Path | None, *, json: bool) -> None:
    from emer.agents.memory.memory import load_faiss

    settings = load_settings(path)
    memory = _load(settings)
    try:
        faiss = str(load_faiss().__version__)
    except ToolMissing as error:
        faiss = f"missing: {error.install}"
    kinds = [item.kind for item in memory.items]
    record: dict[str, JsonValue] = {
        "used": "by the llm reasoner" if settings.memory.on else "no: memory.on is false",
        "cards": kinds.count("card"),
        "exemplars": kinds.count("exemplar"),
        "embedder": memory.embedder.name,
        "faiss": faiss,
        "index": "in memory",
    }
    table = facts_table((name, str(value)) for name, value in record.items())
    record |= {"folder": str(settings.memory_folder), "notes": list(memory.notes)}
    page = Group(table, unwrapped(str(settings.memory_folder)), *notes(memory.notes))
    print_output(page, record, json=json)


def _load(settings: Settings) -> Memory:
    allow_local_imports(settings)
    return load_memory(settings)


def _record(item: Item) -> dict[str, JsonValue]:
    return {
        "key": item.key,
        "kind": item.kind,
        "source": item.source,
        "reference": _reference(item),
        "labels": list(item.labels or item.families),
        "text": item.en,
    }


def _table(rows: list[tuple[Item, str]]) -> RenderableType:
    table = list_table()
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
