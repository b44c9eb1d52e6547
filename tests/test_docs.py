"""README, ARCHITECTURE, CONTRIBUTING and docs: commands, paths, links and words that they name."""

from __future__ import annotations

import ast
import importlib
import os
import re
import runpy
import shlex
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer.main

import emer
from emer.app.cli import app as emer_app
from emer.evals.cli import app as eval_app
from tests.fixtures.paths import ROOT, python_path

MOST_LINES = 200
GUIDES = [ROOT / name for name in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md")]
PAGES = sorted((ROOT / "docs").glob("*.md"))
ALL = [*GUIDES, *PAGES]
TEXTS = {path: path.read_text(encoding="utf-8") for path in ALL}
NAMES = [path.relative_to(ROOT).as_posix() for path in ALL]

DIALECT = (
    "whoever", "nobody", "somebody", "anybody", "told", "tells", "gone", "lies", "stirred",
    "newcomer", "the house", "rooms?", "eyes look", "at hand", "in need", "is like", "come out",
)  # fmt: skip
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`([^`\n]+)`")
OPTION = re.compile(r"--?[a-z][a-z-]*$")
PATH = re.compile(r"(?:agents|app|docs|evals|graphs|prompts|src|tests|tools)/[\w./*{},-]*$")
FILE = re.compile(r"[\w-]+\.(?:py|csv|toml|md|json|svg)$")
LINK = re.compile(r"\]\(([^)\s]+)\)")
OWN_OPTIONS = {"-h", "--help", "--install-completion", "--show-completion"}
"""Options that typer adds to every command."""
USERS = {"emer.toml", "replies.json", "EDITS.json", "my_labels.csv", "mine.csv"}
"""Files of the reader."""


def blocks(text: str, language: str | None = None) -> list[str]:
    """The fenced blocks of a page, or those of one language."""
    return [body for name, body in FENCE.findall(text) if language in (None, name)]


def spans(text: str) -> list[str]:
    """The inline code of a page; a table's escaped bar is a bar."""
    return [span.replace("\\|", "|") for span in SPAN.findall(FENCE.sub("", text))]


def prose(text: str) -> str:
    """A page without code, quotations and link targets."""
    bare = LINK.sub("]", SPAN.sub("", FENCE.sub("", text)))
    return re.sub(r'"[^"\n]*(?:\n[^"\n]+)?"', "", bare)


def commands(text: str) -> Iterator[list[str]]:
    """The command lines of a page, each split into words."""
    lines = [line for block in blocks(text) for line in block.splitlines()]
    for line in [*lines, *spans(text)]:
        bare = line.removeprefix("$ ").partition(" #")[0].rstrip()
        for part in re.split(r"\s&&\s", bare):
            words = shlex.split(part) if part.count('"') % 2 == part.count("'") % 2 == 0 else []
            while words and re.fullmatch(r"[A-Z_0-9]+=\S*", words[0]):
                words.pop(0)
            if words and words[0] in ("emer", "emer-eval"):
                yield words


@cache
def root_command(name: str) -> Any:
    """The command line of a program, as click sees it."""
    return typer.main.get_command(emer_app if name == "emer" else eval_app)


def options(command: Any) -> set[str]:
    """The names of a command's options."""
    return {name for p in command.params for name in (*p.opts, *p.secondary_opts)} | OWN_OPTIONS


def every_option(command: Any) -> set[str]:
    """The names of the options of a command and of those below it."""
    below = [every_option(each) for each in getattr(command, "commands", {}).values()]
    return options(command).union(*below)


def fault(words: list[str]) -> str:
    """What is wrong with a command line; "" if nothing is."""
    command, rest = root_command(words[0]), words[1:]
    while rest and not rest[0].startswith("-") and getattr(command, "commands", None):
        if rest[0].isupper():
            return ""  # COMMAND stands for any of them
        if rest[0] not in command.commands:
            return f"no command {rest[0]}" if not command.invoke_without_command else ""
        command, rest = command.commands[rest[0]], rest[1:]
    names = [word.partition("=")[0] for word in rest if word.startswith("-")]
    unknown = [name for name in names if OPTION.match(name) and name not in options(command)]
    return f"no option {', '.join(unknown)}" if unknown else ""


@pytest.mark.parametrize("path", ALL, ids=NAMES)
def test_every_command_and_option_exists(path: Path) -> None:
    faults = {" ".join(words): fault(words) for words in commands(TEXTS[path])}
    assert {line: why for line, why in faults.items() if why} == {}


@pytest.mark.parametrize("path", ALL, ids=NAMES)
def test_every_option_in_a_sentence_exists(path: Path) -> None:
    known = every_option(root_command("emer")) | every_option(root_command("emer-eval"))
    firsts = [span.split()[0].partition("=")[0] for span in spans(TEXTS[path])]
    assert [name for name in firsts if OPTION.match(name) and name not in known] == []


def test_the_reference_names_every_command() -> None:
    text = TEXTS[ROOT / "docs" / "cli.md"]
    for program in ("emer", "emer-eval"):
        for name in root_command(program).commands:
            assert f"{program} {name}" in text


def expanded(path: str) -> list[str]:
    """A path with {a,b} as its alternatives."""
    match = re.search(r"\{([^{}]*)\}", path)
    if match is None:
        return [path]
    head, tail = path[: match.start()], path[match.end() :]
    return [each for part in match.group(1).split(",") for each in expanded(head + part + tail)]


@pytest.mark.parametrize("path", ALL, ids=NAMES)
def test_every_file_that_is_named_exists(path: Path) -> None:
    named = [span for span in spans(TEXTS[path]) if PATH.match(span)]
    absent = [each for span in named for each in expanded(span) if not any(ROOT.glob(each))]
    files = {each.name for each in ROOT.rglob("*") if ".git" not in each.parts}
    alone = [span for span in spans(TEXTS[path]) if FILE.match(span) and span not in USERS]
    assert [*absent, *(name for name in alone if name not in files)] == []


def anchors(path: Path) -> set[str]:
    """The anchors of a page's headings."""
    titles = re.findall(r"^#+ (.+)$", FENCE.sub("", TEXTS[path]), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title).strip().lower().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("path", ALL, ids=NAMES)
def test_every_link_leads_somewhere(path: Path) -> None:
    broken = []
    for link in LINK.findall(FENCE.sub("", TEXTS[path])):
        file, _, anchor = link.partition("#")
        target = (path.parent / file).resolve() if file else path
        if ("://" not in link and not target.exists()) or (
            anchor and "://" not in link and anchor not in anchors(target)
        ):
            broken.append(link)
    assert broken == []


def test_the_readme_is_short() -> None:
    assert len(TEXTS[ROOT / "README.md"].splitlines()) <= MOST_LINES


@pytest.mark.parametrize("path", ALL, ids=NAMES)
def test_pages_are_written_in_plain_english(path: Path) -> None:
    spoken = re.compile(rf"\b(?:{'|'.join(DIALECT)})\b", re.IGNORECASE)
    assert spoken.findall(prose(TEXTS[path])) == []


@pytest.mark.parametrize("path", ALL, ids=NAMES)
def test_every_import_of_an_example_exists(path: Path) -> None:
    for block in blocks(TEXTS[path], "python"):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("emer"):
                module = importlib.import_module(str(node.module))
                assert [a.name for a in node.names if not hasattr(module, a.name)] == []


@pytest.mark.parametrize("path", ALL, ids=NAMES)
def test_every_name_of_the_front_door_exists(path: Path) -> None:
    code = "\n".join([*blocks(TEXTS[path], "python"), *spans(TEXTS[path])])
    named = set(re.findall(r"(?<![\w.:/])emer\.([A-Za-z_]+)", code))
    rooms = {"agents", "app", "evals", "graphs", "prompts", "tools", "toml"}
    groups = {"reasoners", "embedders"}
    assert named - rooms - groups <= set(emer.__all__)


@pytest.mark.slow
def test_the_example_tool_passes_the_conformance_suite(tmp_path: Path) -> None:
    """In a process of its own, since the example registers itself."""
    example = blocks(TEXTS[ROOT / "docs" / "tools.md"], "python")[0]
    (tmp_path / "example_tool.py").write_text(example, encoding="utf-8")
    clip = ROOT / "app" / "assets" / "demo.mp4"
    check = ["tools", "check", "example_tool:Brightest", "--clip", str(clip)]
    done = subprocess.run(
        [sys.executable, "-m", "emer.app", *check],
        check=False,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": python_path()},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_the_readme_shows_the_answer_of_today(tmp_path: Path) -> None:
    generate = runpy.run_path(str(ROOT / "docs" / "generate.py"))
    printed, _ = generate["demo_answer"](tmp_path)
    assert printed in TEXTS[ROOT / "README.md"], "run: python docs/generate.py"


def test_the_cue_page_is_generated_from_the_lexicon() -> None:
    generate = runpy.run_path(str(ROOT / "docs" / "generate.py"))
    generate["check_examples"]()
    assert generate["cue_table"]() == TEXTS[ROOT / "docs" / "cues.md"]
