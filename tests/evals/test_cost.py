"""What a model would cost: requests, plans and shared prompts, counted on a model that echoes."""

from __future__ import annotations

import json
from pathlib import Path

import data_kit
import pytest
from typer.testing import CliRunner

from emer.agents.types import ModelCall, Role
from emer.evals.cli import app
from emer.evals.cost.measures import calls_per_clip, measures, planned, shared
from emer.evals.cost.runs import Spent, cards_only, common, spend, write_silence
from emer.evals.data.types import Described, Sample

ANGRY = Described(
    language="en",
    masked=False,
    visual="He furrows his brows and presses his lips together. He glares at her.",
    acoustic="His voice is loud, sharp and accusing.",
    subtitle="How dare you! It is all your fault!",
)
MIXED = Described(
    language="en",
    masked=False,
    visual="She smiles. Then she looks down.",
    acoustic="Her tone is low and she sighs.",
    subtitle="Thank you.",
)


def call(role: Role, written: int) -> ModelCall:
    return ModelCall(
        role=role, model="m", prompt="p", tokens_in=9, tokens_out=written, counted=False,
        seconds=0.0, outcome="ok",
    )  # fmt: skip


def test_counts_have_known_answers() -> None:
    spent = [
        Spent((call("decider", 30), call("planner", 10), call("writer", 60)), ("abcd", "abxy"), 0),
        Spent((), (), 0),
    ]
    assert calls_per_clip(spent) == 1.5
    assert planned(spent) == pytest.approx(10.0)
    assert shared(spent) == pytest.approx(50.0)
    assert shared([Spent((), (), 0)]) == 100.0
    assert common("abc", "abd") == 2 and common("ab", "abc") == 2
    held = {m.name.split(",")[0]: m.held for m in measures(spent, spent)}
    assert list(held.values()) == [True, True, False]


def test_the_cascade_asks_where_the_rules_are_unsure_and_shares_its_prompts(tmp_path: Path) -> None:
    silence, memory = write_silence(tmp_path / "silence.wav"), cards_only(tmp_path)
    sure = spend(Sample(name="sure", described=(ANGRY,)), silence, "unsure", memory)
    unsure = spend(Sample(name="unsure", described=(MIXED,)), silence, "unsure", memory)
    always = spend(Sample(name="sure", described=(ANGRY,)), silence, "always", memory)
    assert sure.calls == ()
    roles = [call.role for call in unsure.calls]
    assert roles[0] == "decider" and roles[-1] == "writer" and unsure.fell == 0
    assert all(call.outcome == "ok" for call in unsure.calls)
    assert [call.role for call in always.calls] == ["writer"]
    assert shared([unsure]) > 80
    assert "<analogies>" in unsure.prompts[0] and "<analogies>" not in unsure.prompts[-1]


def test_steps_that_the_rules_took_are_not_counted_in_silence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("emer.evals.cost.runs.Echo", lambda *_: "no JSON")
    data = data_kit.write_folder(tmp_path)
    done = CliRunner().invoke(app, ["cost", "--data", str(data), "--limit", "1"])
    assert "steps instead of the model: those are not counted" in done.stderr


def test_the_command_counts_a_data_folder(shared: Path) -> None:
    done = CliRunner().invoke(
        app, ["cost", "--data", str(shared / "data" / "emer"), "--limit", "12", "--json"]
    )
    told = json.loads(done.stdout)
    assert [m["unit"] for m in told] == ["calls", "%", "%"]
    assert all(m["held"] for m in told) and done.exit_code == 0
