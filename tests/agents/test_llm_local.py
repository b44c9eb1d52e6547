"""The hf: path with a tiny random model: it loads, speaks nonsense, and the rules take over."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from emer.agents.llm.reasoner import Llm
from emer.agents.types import Budget, Fallback, ModelCall
from emer.tools.errors import ConfigError
from tests.fixtures import clues as kit
from tests.fixtures.llm_replies import MIXED
from tests.fixtures.packages import needs

pytestmark = [needs("torch", "transformers"), pytest.mark.slow]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a random two-layer model and a byte-level tokenizer."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

    folder = tmp_path_factory.mktemp("tiny")
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {letter: number for number, letter in enumerate([*letters, "<|end|>"])}
    tokenizer = Tokenizer(models.BPE(vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|end|>")
    fast.chat_template = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}"
    fast.save_pretrained(folder)
    torch.manual_seed(7)
    config = Qwen2Config(
        vocab_size=len(vocabulary),
        hidden_size=32,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=8192,
        eos_token_id=len(vocabulary) - 1,
        bos_token_id=len(vocabulary) - 1,
    )
    Qwen2ForCausalLM(config).save_pretrained(folder, safe_serialization=True)
    return folder


def test_nonsense_ends_in_a_clean_labelled_fallback(tiny: Path) -> None:
    heard: list[ModelCall | Fallback] = []
    llm = Llm(f"hf:{tiny}", when="always", max_tokens=24)
    llm.report_to(heard.append)
    inquiry = kit.inquiry(*MIXED)
    decision = llm.decide(inquiry)
    assert decision == kit.decide(*MIXED)
    assert llm.explain(inquiry, decision) == kit.explain(*MIXED)
    calls = [report for report in heard if isinstance(report, ModelCall)]
    fell = [report for report in heard if isinstance(report, Fallback)]
    assert [f.role for f in fell] == ["decider", "writer"]
    assert {call.outcome for call in calls} == {"faulty"} and len(calls) == 4
    assert all(call.counted and call.tokens_in > 1_000 for call in calls)
    assert all(call.tokens_out <= 24 for call in calls)


def test_the_same_clues_give_the_same_words(tiny: Path) -> None:
    replies = []
    for _ in range(2):
        heard: list[ModelCall] = []
        llm = Llm(f"hf:{tiny}", when="always", max_tokens=8)
        llm.report_to(heard.append)  # type: ignore[arg-type]
        llm.decide(kit.inquiry(*MIXED))
        replies.append([call.reply for call in heard if isinstance(call, ModelCall)])
    assert replies[0] == replies[1] and replies[0][0]


def test_a_prompt_that_does_not_fit_is_said_and_not_cut(tiny: Path, tmp_path: Path) -> None:
    small = tmp_path / "small"
    shutil.copytree(tiny, small)
    config = (small / "config.json").read_text().replace("8192", "64")
    (small / "config.json").write_text(config)
    heard: list[ModelCall | Fallback] = []
    llm = Llm(f"hf:{small}", when="always", max_tokens=8)
    llm.report_to(heard.append)
    assert llm.decide(kit.inquiry(*MIXED)) == kit.decide(*MIXED)
    (fell,) = [report for report in heard if isinstance(report, Fallback)]
    assert "the model reads at most 64" in fell.why


def test_generation_stops_when_the_time_is_up(tiny: Path) -> None:
    heard: list[ModelCall | Fallback] = []
    llm = Llm(f"hf:{tiny}", when="always", max_tokens=6_000)
    llm.report_to(heard.append)
    llm.decide(kit.inquiry(*MIXED, budget=Budget(seconds=0.5)))
    (fell,) = [report for report in heard if isinstance(report, Fallback)]
    assert "no seconds left" in fell.why


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        ("absent", "is not on this machine"),
        ("config", "is not on this machine or not a chat model"),
    ],
)
def test_weights_that_are_missing_or_no_model_are_one_line(
    tiny: Path, tmp_path: Path, damage: str, why: str
) -> None:
    folder = tmp_path / "broken"
    if damage == "config":
        shutil.copytree(tiny, folder)
        (folder / "model.safetensors").unlink()
    llm = Llm(f"hf:{folder}", when="always")
    with pytest.raises(ConfigError, match=why) as caught:
        llm.decide(kit.inquiry(*MIXED))
    assert "hf download" in str(caught.value) and "\n" not in str(caught.value)
