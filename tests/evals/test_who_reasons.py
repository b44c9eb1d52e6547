"""Who reasons in `emer-eval run` and `report`: by name, with weights, with a language model."""

from __future__ import annotations

import importlib
import json
import re
import sys
from pathlib import Path

import pytest
from test_eval_cli import call, one_line

from emer.agents.rules.reasoner import Rules
from emer.evals.runs.runner import RunFile
from emer.evals.systems.agent import agent
from emer.evals.systems.oracle import OnHumanClues
from emer.evals.systems.provenance import code_of, code_of_ours
from emer.evals.systems.reasoner_options import ReasonerOptions, reasoner_on_clues
from emer.tools.types import Param
from tests.fixtures.clips import silent_clip
from tests.fixtures.evals import datasets

TOML = "\n".join(f'[tools.{slot}]\nuse = "none"' for slot in ("face", "scene", "prosody"))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder to work in: data, one clip with its label, two scripts of a model."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    datasets.write_folder(tmp_path / "data")
    (tmp_path / "clips").mkdir()
    silent_clip(tmp_path / "clips" / "clip0.mkv")
    datasets.write_labels(tmp_path / "g.csv", [("joy",)], ["clip0"])
    for name in ("one", "other"):
        (tmp_path / f"{name}.json").write_text("[]")
    (tmp_path / "emer.toml").write_text(TOML.replace('[tools.speech]\nuse = "none"', ""))
    return tmp_path


GIVEN = ("--gold", "g.csv", "--clips", "clips", "--data", "data", "--json")


def provenance(file: str) -> dict[str, Param]:
    return dict(RunFile(Path(file)).read()[0].system.provenance)


def test_the_agent_reasons_with_the_model_that_is_named(folder: Path) -> None:
    found = call("run", "agent", "text", "--llm", "script:one.json", "--llm-when", "always",
                 "--out", "runs", *GIVEN)  # fmt: skip
    assert found.exit_code == 0, found.output
    for summary in json.loads(found.stdout):
        known = provenance(summary["file"])
        assert known["reasoner"] == "llm"
        assert known["reasoner.model"] == "script:one.json"
        assert known["reasoner.when"] == "always"
        assert known["budget.rounds"] == 3
    (trace, *_) = (folder / "runs" / "home" / "traces").iterdir()
    assert '"reasoner":"llm"' in trace.read_text().replace('": "', '":"')


@pytest.mark.parametrize("system", ["agent", "oracle:full"])
def test_one_models_file_is_not_continued_by_another(folder: Path, system: str) -> None:
    options = GIVEN if system == "agent" else ("--data", "data")
    first = call("run", system, "--llm", "script:one.json", "--out", "runs", *options)
    assert first.exit_code == 0, first.output
    again = call("run", system, "--llm", "script:other.json", "--out", "runs", *options)
    one_line(again, "with other settings", "--fresh")


MINE = """
from emer.tools.testing.fakes import FakeTool
class Mine(FakeTool):
    def __init__(self):
        super().__init__("mine", "face", [("The person frowns clearly.", 0.0, 0.1)])  # {edit}
"""


def test_an_agent_of_other_code_is_another_system(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(folder)

    def provenance_of(edit: str) -> dict[str, Param]:
        sys.modules.pop("mine", None)
        (folder / "mine.py").write_text(MINE.format(edit=edit))
        importlib.invalidate_caches()
        return dict(agent(folder, tools={"face": "mine:Mine"}).card.provenance)

    first, edited = provenance_of("first"), provenance_of("edited, and longer")
    assert first["code"] == edited["code"] and first["tools.face"] == edited["tools.face"]
    assert first["tools.face.code"] != edited["tools.face.code"]
    assert provenance_of("first") == first
    assert code_of_ours("agents", "tools") != code_of_ours("agents") == code_of(Rules())


def test_a_models_answers_are_kept_apart_from_anothers_in_the_reports_memory() -> None:
    one, other = (
        OnHumanClues(Rules(), arguments={"reasoner.model": model}) for model in ("a:b", "a:c")
    )
    assert one.card != other.card


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--llm", "script:gone.json"], "script:gone.json cannot be read"),
        (["--reasoner", "llm"], "there is no model to ask; name one with --llm"),
        (["--llm-when", "always"], "there is no model to ask; name one with --llm"),
        (["--reasoner", "rules", "--llm", "script:one.json"], "--reasoner rules asks no model"),
    ],
)
@pytest.mark.parametrize("system", ["agent", "text", "oracle:full", "report"])
def test_a_model_that_can_never_be_asked_is_one_line(
    folder: Path, system: str, words: list[str], message: str
) -> None:
    what = ["report"] if system == "report" else ["run", system, *GIVEN]
    one_line(call(*what, "--out", "o", *words, *(["--data", "data"] if what == ["report"] else [])),
             message)  # fmt: skip
    assert not (folder / "o").exists()


@pytest.mark.slow
def test_a_report_asks_a_model_in_this_process(folder: Path) -> None:
    found = call("report", "--llm", "script:one.json", "--workers", "2", "--data", "data", "--json")
    assert found.exit_code == 0, found.output
    assert "may be asked about 8 clips in 9 forms" in found.stderr
    assert "llm/full" in {system["name"] for system in json.loads(found.stdout)["systems"]}


@pytest.mark.slow
@pytest.mark.parametrize("priced", [True, False])
def test_tokens_and_money_are_part_of_the_cost(
    folder: Path, monkeypatch: pytest.MonkeyPatch, priced: bool
) -> None:
    monkeypatch.setenv("EMER_TOOLS__FACE__USE", "tests.evals.test_systems:Smiles")
    (folder / "talks.json").write_text(json.dumps(["I cannot say."] * 20))
    if priced:
        monkeypatch.setenv("EMER_REASONER__USE", "llm")
        monkeypatch.setenv("EMER_REASONER__PRICE_IN", "1.0")
    words = ("--llm", "script:talks.json", "--llm-when", "always", "--out", "runs", *GIVEN)
    done = call("run", "agent", *words)
    (summary,) = json.loads(done.stdout)
    header, found = RunFile(Path(summary["file"])).read()
    cost = found["clip0"].cost
    assert cost.tokens is not None
    assert cost.tokens > 100
    assert cost.requests is not None and cost.requests >= 2  # decider, writer
    if priced:
        assert cost.money is not None
        assert 0 < cost.money < cost.tokens / 1e6
        assert header.system.provenance["reasoner.price_in"] == "1.0"
    else:
        assert cost.money is None
    shown = call("report", "--run", summary["file"], *GIVEN[:2], "--data", "data", "--json",
                 "--workers", "1")  # fmt: skip
    agents = next(s for s in json.loads(shown.stdout)["systems"] if s["name"] == "agent")
    assert agents["scores"]["tokens"]["value"] == cost.tokens
    assert agents["scores"]["requests"]["value"] == cost.requests
    table = call("report", "--run", summary["file"], *GIVEN[:2], "--data", "data", "--workers", "1")
    assert re.search(r"s per clip\s.*requests\s+tokens", table.stdout)
    assert ("money" in agents["scores"]) == priced


def test_what_a_model_costs_on_human_clues_and_where_the_rules_stepped_in(folder: Path) -> None:
    (folder / "talks.json").write_text(json.dumps(["I cannot say."] * 99))
    words = ("--llm", "script:talks.json", "--llm-when", "always", "--out", "runs")
    done = call("run", "oracle:full", *words, "--workers", "2", "--data", "data")
    assert "steps instead of the model" in done.stderr
    found = RunFile(folder / "runs" / "llm_full.jsonl").read()[1]
    assert len(found) == 8
    for prediction in found.values():
        assert prediction.cost.tokens is not None
        assert prediction.cost.tokens > 100
        assert prediction.cost.fallbacks in (1, 2)  # decider, writer
    call("run", "oracle:full", "--out", "runs", "--data", "data")
    rules = RunFile(folder / "runs" / "rules_full.jsonl").read()[1]
    assert all(
        p.cost.tokens is None and p.cost.requests is None and p.cost.fallbacks is None
        for p in rules.values()
    )


def test_secrets_and_paths_of_weights_are_in_no_provenance(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMER_REASONER__USE", "test_who_reasons:Keyed")
    monkeypatch.setenv("EMER_REASONER__API_KEY", "sesame")
    system = agent(folder / "home")
    assert system.card.provenance["reasoner.api_key"] == "***"
    assert reasoner_on_clues(ReasonerOptions("test_who_reasons:Keyed")).arguments == {
        "reasoner.api_key": "***"
    }


class Keyed(Rules):
    """The rules behind a key."""

    def __init__(self, api_key: str = "") -> None:
        super().__init__()


def test_without_a_name_the_agent_keeps_to_its_settings(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMER_REASONER__USE", "llm")
    monkeypatch.setenv("EMER_REASONER__MODEL", "script:one.json")
    assert agent(folder / "home").card.provenance["reasoner"] == "llm"
    assert (
        agent(folder / "home", reasoner=ReasonerOptions("rules")).card.provenance["reasoner"]
        == "rules"
    )
    assert isinstance(reasoner_on_clues(ReasonerOptions()).reasoner, Rules)
    assert reasoner_on_clues(ReasonerOptions(when="always")).arguments == {
        "reasoner.model": "script:one.json", "reasoner.when": "always"
    }  # fmt: skip
