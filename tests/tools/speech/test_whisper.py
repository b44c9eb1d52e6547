"""openai-whisper, faster-whisper and transformers on tiny checkpoints in the models' own formats.

The checkpoints say what their script spells (see `whisper_kit`), so the real libraries load them,
detect the language, decode, align and translate, with a known answer.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from emer.graphs.settings import load_settings
from emer.tools import devices
from emer.tools.call import Abandoned, Call, at_work
from emer.tools.clip import Clip
from emer.tools.conformance import check_tool
from emer.tools.errors import ConfigError, ToolMissing, Unobservable, WeightsBroken
from emer.tools.machine import Machine, forget, use
from emer.tools.models import SHELF
from emer.tools.speech import openai_whisper, transformers_asr
from emer.tools.speech.heard import Run, Window
from emer.tools.speech.whisper import Whisper
from emer.tools.tool import Heavy, Tool, load_tool
from emer.tools.types import Span
from emer.tools.weights.need import find
from tests.tools.speech.conftest import GERMAN, needs
from tests.whisper_kit import DIMS, Script

KINDS = [
    pytest.param("whisper", "openai", marks=needs("whisper")),
    pytest.param("faster-whisper", "ctranslate", marks=needs("whisper", "faster_whisper")),
    pytest.param("asr", "transformers", marks=needs("whisper", "transformers")),
]
RUNS = {"auto": "float32", "float16": "float16"}
"""What runs on a CPU where the process asks for bfloat16, by what the tool asks for."""
ENGLISH = "I can't believe it. This is wonderful news."


def made(name: str, path: Path, **arguments: object) -> Tool:
    return load_tool(name, {"model": str(path), **arguments})  # type: ignore[dict-item]


@pytest.mark.parametrize(("name", "kind"), KINDS)
def test_it_says_what_the_weights_say(name, kind, checkpoint, spoken):
    tool = made(name, checkpoint(kind))
    clues = tool.observe(Clip.open(spoken))
    assert " ".join(str(clue.data["transcript"]) for clue in clues) == ENGLISH
    assert all(clue.text.startswith('The person says: "') for clue in clues)
    assert all(clue.data["language"] == "en" and clue.quality.score > 0.9 for clue in clues)
    assert all(clue.source == tool.source and clue.modality == "text" for clue in clues)


@pytest.mark.parametrize(("name", "kind"), KINDS[:2])
def test_words_have_the_times_at_which_the_model_hears_them(name, kind, checkpoint, spoken):
    script = Script(begins=0.6, step=0.2)
    (clue,) = made(name, checkpoint(kind, script)).observe(Clip.open(spoken))
    words = {w[0]: (w[1], w[2]) for w in clue.data["words"]}
    assert list(words) == ENGLISH.split()
    for number, word in ((3, "believe"), (6, "is"), (7, "wonderful")):
        token = number + 1  # " can't" is two tokens
        begins = 0.6 + 0.2 * (token - 1)
        assert words[word][0] == pytest.approx(begins, abs=0.35), word
    starts = [start for start, _ in words.values()]
    assert starts == sorted(starts)


@pytest.mark.parametrize(("name", "kind"), KINDS)
def test_another_language_is_kept_and_translated(name, kind, checkpoint, spoken):
    tool = made(name, checkpoint(kind, GERMAN))
    clues = tool.observe(Clip.open(spoken))
    said = [clue for clue in clues if "translated_from" not in clue.data]
    english = [clue for clue in clues if "translated_from" in clue.data]
    assert said[0].text == 'The person says: "Das ist ja eine wunderbare Nachricht.".'
    assert {clue.data["language"] for clue in said} == {"de"}
    assert english[0].text == (
        'Translated from German into English, the person says: "This news makes me so happy!".'
    )
    without = made(name, checkpoint(kind, GERMAN), translate=False)
    assert not [c for c in without.observe(Clip.open(spoken)) if "translated_from" in c.data]


@needs("whisper", "transformers")
def test_asr_searches_wider_for_the_words_and_for_their_translation(checkpoint, spoken):
    tool = made("asr", checkpoint("transformers", GERMAN), beam=2)
    said = [clue.text for clue in tool.observe(Clip.open(spoken))]
    assert 'The person says: "Das ist ja eine wunderbare Nachricht.".' in said
    assert any(text.startswith("Translated from German into English") for text in said)


@needs("whisper", "faster_whisper")
def test_who_asks_for_a_translation_hears_why_there_is_none(checkpoint, spoken, monkeypatch):
    def unreadable(_: Path) -> None:
        raise ValueError("model.bin is of an old format")

    monkeypatch.setattr("emer.tools.speech.ctranslate.layers", unreadable)
    path, notes = checkpoint("ctranslate", GERMAN), []
    for translate in (False, True):
        with at_work(Call()) as call:
            made("faster-whisper", path, translate=translate).observe(Clip.open(spoken))
        notes.append([note for note in call.notes if note.startswith("no translation: ")])
    assert notes[0] == [] and "old format" in notes[1][0]


@pytest.mark.parametrize(("name", "kind"), KINDS)
def test_a_language_that_is_given_is_not_guessed(name, kind, checkpoint, spoken):
    tool = made(name, checkpoint(kind, GERMAN), language="French")
    clue = tool.observe(Clip.open(spoken))[0]
    assert clue.data["language"] == "fr" and "language_probability" not in clue.data
    assert tool.source.params["language"] == "fr"


@pytest.mark.parametrize(("name", "kind"), KINDS)
def test_a_language_that_the_model_lacks_is_one_line(name, kind, checkpoint, spoken):
    """Cantonese came with large-v3; what ends in .en knows English alone."""
    way_out = 'leave language = "auto" or take'
    for what, language, lacks in (
        (Script(), "yue", f"does not know Cantonese; {way_out} one that does"),
        ("English only", "de", f"does not know German, only English; {way_out} a multilingual"),
    ):
        path = checkpoint(kind, what)
        tool = made(name, path, language=language)
        for look in (tool.load, lambda tool=tool: tool.observe(Clip.open(spoken))):
            with pytest.raises(ConfigError) as error:
                look()
            assert str(error.value).startswith(f"{name}.language: the model {path.name} {lacks}")
            assert "\n" not in str(error.value)
        made(name, path, language="English").load()  # the model is no other tool's fault


@pytest.mark.parametrize(("name", "kind"), KINDS)
def test_a_model_with_fewer_layers_to_write_is_not_asked_to_translate(
    name, kind, checkpoint, spoken, tmp_path
):
    """Whatever the user calls it: turbo was not trained to, others were."""
    thinned = made(name, checkpoint(kind, replace(GERMAN, hears=3)))
    assert thinned.observe(Clip.open(spoken))[0].data["language"] == "de"
    assert not [c for c in thinned.observe(Clip.open(spoken)) if "translated_from" in c.data]
    whole = tmp_path / ("my-turbo.pt" if kind == "openai" else "my-turbo")
    whole.symlink_to(checkpoint(kind, GERMAN))
    assert [c for c in made(name, whole).observe(Clip.open(spoken)) if "translated_from" in c.data]


@pytest.mark.parametrize(("name", "kind"), KINDS)
def test_a_model_that_hears_no_speech_and_is_unsure_is_not_believed(name, kind, checkpoint, spoken):
    doubting = Script(no_speech=1.5, fog=180.0)
    with pytest.raises(Unobservable, match="could not be recognised"):
        made(name, checkpoint(kind, doubting)).observe(Clip.open(spoken))
    silent = Script(no_speech=1.5)
    (clue,) = made(name, checkpoint(kind, silent)).observe(Clip.open(spoken))
    assert clue.text.startswith('The person may be saying: "')
    assert clue.quality.factors["no_speech_probability"] > 0.6


@needs("whisper", "transformers")
def test_asr_doubts_as_openai_whisper_does_with_the_same_weights(checkpoint, sound):
    """Who speaks at all, and in which language: from the same step, among the same tokens."""
    hedging = Script(no_speech=0.98, language="de")
    run, windows = Run("cpu", "float32", 4, 1, False, 2), [Window(sound, "a")]
    (theirs,) = openai_whisper.recogniser(find("whisper", str(checkpoint("openai", hedging))), run)(
        windows
    )
    folder = checkpoint("transformers", hedging)
    (ours,) = transformers_asr.recogniser(find("asr", str(folder)), run)(windows)
    assert 0.05 < theirs.no_speech < 0.95  # type: ignore[operator]
    assert ours.no_speech == pytest.approx(theirs.no_speech, abs=1e-3)
    assert ours.language == theirs.language == "de"
    assert ours.language_probability == pytest.approx(theirs.language_probability, abs=1e-3)


@needs("whisper", "transformers")
def test_asr_hears_a_window_once_whatever_it_writes_of_it(checkpoint, spoken):
    tool = made("asr", checkpoint("transformers", GERMAN))
    tool.load()
    (key,) = SHELF.held()
    passes: list[int] = []
    with SHELF.borrow(key, object) as loaded:
        encoder = loaded.model.get_encoder()
    with encoder.register_forward_hook(lambda *_: passes.append(1)):
        clues = tool.observe(Clip.open(spoken))
    assert len(clues) == 2 and passes == [1]  # said, translated


@pytest.mark.parametrize(("name", "kind"), KINDS)
def test_it_keeps_the_contract(name, kind, checkpoint, spoken):
    path = checkpoint(kind)
    findings = check_tool(made(name, path), Clip.open(spoken), again=lambda: made(name, path))
    assert [f"{f.check}: {f.why}" for f in findings if not f.ok] == []
    assert any(f.check == "it loads and unloads" for f in findings)


@pytest.mark.parametrize(("name", "kind"), KINDS)
def test_one_model_serves_all_tools_until_it_is_let_go(name, kind, checkpoint, spoken):
    path = checkpoint(kind)
    tools = [made(name, path) for _ in range(3)]
    for tool in tools:
        tool.observe(Clip.open(spoken))
    (key,) = SHELF.held()
    share = 0.5 if name == "faster-whisper" else 1.0  # 8 bit where the files have 16
    assert key.kind == name and SHELF.held()[key] == pytest.approx(
        share * find(name, str(path)).gigabytes, rel=0.2
    )
    assert isinstance(tools[0], Heavy)
    tools[0].unload()
    assert not SHELF.held()
    tools[1].load()
    assert len(SHELF.held()) == 1


@pytest.mark.parametrize(("name", "kind"), KINDS)
def test_a_call_that_is_given_up_ends_between_two_steps(name, kind, checkpoint, spoken):
    tool, call = made(name, checkpoint(kind)), Call()
    assert isinstance(tool, Heavy)
    tool.load()
    call.give_up()
    with at_work(call), pytest.raises(Abandoned):
        tool.observe(Clip.open(spoken))
    assert tool.observe(Clip.open(spoken))  # the device is free again


@needs("whisper")
def test_a_call_is_given_up_in_the_middle_of_a_text(checkpoint, spoken):
    tool, call, steps = made("whisper", checkpoint()), Call(), []
    assert isinstance(tool, Whisper)
    tool.load()
    (key,) = SHELF.held()
    with SHELF.borrow(key, object) as model:
        decoder = model.decoder

    def count(*_: object) -> None:
        steps.append(1)
        if len(steps) == 4:
            call.give_up()

    with decoder.register_forward_hook(count), at_work(call), pytest.raises(Abandoned):
        tool.observe(Clip.open(spoken))
    assert len(steps) == 4


@needs("whisper")
def test_a_call_that_is_given_up_while_words_are_timed_leaves_the_model_whole(checkpoint, spoken):
    path, call, steps = checkpoint(), Call(), []
    made("whisper", path).observe(Clip.open(spoken))
    (key,) = SHELF.held()
    with SHELF.borrow(key, object) as model:
        decoder = model.decoder
    with decoder.register_forward_hook(lambda *_: steps.append(1)):
        heard = made("whisper", path).observe(Clip.open(spoken))
    last = len(steps)  # when the words are timed
    steps.clear()

    def count(*_: object) -> None:
        steps.append(1)
        if len(steps) == last - 1:
            call.give_up()

    with decoder.register_forward_hook(count), at_work(call), pytest.raises(Abandoned):
        made("whisper", path).observe(Clip.open(spoken))
    assert made("whisper", path).observe(Clip.open(spoken)) == heard


def damaged(kind: str, path: Path, folder: Path, how: str) -> Path:
    """Return a copy of a checkpoint that is cut short, or no model at all."""
    import shutil

    if path.is_file():
        copy = folder / path.name
        shutil.copy(path, copy)
        weights = copy
    else:
        copy = folder / "model"
        shutil.copytree(path, copy)
        weights = next(f for f in copy.iterdir() if f.suffix in (".bin", ".safetensors"))
    content = weights.read_bytes()
    weights.write_bytes(content[: len(content) // 3] if how == "cut short" else b"no weights")
    return copy


@pytest.mark.parametrize("how", ["cut short", "another format"])
@pytest.mark.parametrize(("name", "kind"), KINDS)
def test_weights_that_cannot_be_read_are_told_on_one_line(
    name, kind, how, checkpoint, spoken, tmp_path
):
    path = damaged(kind, checkpoint(kind), tmp_path, how)
    tool = made(name, path)
    with pytest.raises(WeightsBroken) as error:
        tool.observe(Clip.open(spoken))
    text = str(error.value)
    assert text.startswith(f"{name} cannot load {path}: ") and "\n" not in text
    assert "give other weights" in text and not SHELF.held()


@needs("whisper")
def test_weights_of_another_kind_are_said_to_be_so(spoken, tmp_path):
    import torch

    torch.save({"layer.weight": torch.zeros(2)}, tmp_path / "other.pt")
    with pytest.raises(WeightsBroken, match=r"no weights of the kind that it loads: KeyError"):
        made("whisper", tmp_path / "other.pt").observe(Clip.open(spoken))


@needs("whisper")
def test_a_checkpoint_that_lacks_weights_is_not_filled_with_chance(checkpoint, spoken, tmp_path):
    import torch

    whole = torch.load(checkpoint(), weights_only=True)
    del whole["model_state_dict"]["decoder.ln.weight"]
    torch.save(whole, tmp_path / "lacking.pt")
    with pytest.raises(WeightsBroken, match=r"Missing key.*decoder\.ln\.weight"):
        made("whisper", tmp_path / "lacking.pt").observe(Clip.open(spoken))


@needs("whisper", "transformers")
def test_a_folder_that_lacks_weights_is_not_filled_with_chance(checkpoint, spoken, tmp_path):
    import shutil

    from safetensors.torch import load_file, save_file

    folder = shutil.copytree(checkpoint("transformers"), tmp_path / "lacking")
    weights = load_file(folder / "model.safetensors")
    del weights["model.decoder.layer_norm.weight"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(WeightsBroken, match=r"it lacks model\.decoder\.layer_norm\.weight"):
        made("asr", folder).observe(Clip.open(spoken))


@needs("whisper")
def test_a_pickle_that_would_run_code_is_not_run(tmp_path, spoken):
    import pickle

    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (Path.touch, (Path(tmp_path / "owned"),))  # type: ignore[return-value]

    import zipfile

    with zipfile.ZipFile(tmp_path / "evil.pt", "w") as archive:
        archive.writestr(
            "archive/data.pkl", pickle.dumps({"dims": DIMS, "model_state_dict": Evil()})
        )
        archive.writestr("archive/version", "3")
    with pytest.raises(WeightsBroken):
        made("whisper", tmp_path / "evil.pt").observe(Clip.open(spoken))
    assert not (tmp_path / "owned").exists()


@needs("whisper")
def test_equal_text_in_a_batch_and_alone(checkpoint, sound):
    """Random weights: what they write is nonsense, but depends on the sound."""
    from emer.tools.speech.openai_whisper import recogniser

    need = find("whisper", str(checkpoint("random", 3)))
    made = np.random.default_rng(0)
    sounds = [
        sound,
        sound[::-1].copy(),
        made.normal(0, 0.1, 40_000).astype(np.float32),
        sound[:20_000],
    ]
    windows = [Window(heard, str(n), "en") for n, heard in enumerate(sounds)]

    def run(batch: int) -> list[str]:
        hear = recogniser(need, Run("cpu", "float32", batch, 1, False, 2))
        return [heard.said.text for heard in hear(windows)]

    together, alone = run(4), run(1)
    assert together == alone and len({*alone}) >= 2


@needs("whisper")
def test_the_text_is_that_of_the_library_s_own_transcribe(checkpoint, sound):
    import whisper

    from emer.tools.speech.openai_whisper import recogniser

    path = checkpoint("random", 3)
    (heard,) = recogniser(find("whisper", str(path)), Run("cpu", "float32", 4, 1, False, 2))(
        [Window(sound, "a", "en")]
    )
    theirs = whisper.load_model(str(path)).transcribe(
        sound, language="en", temperature=0.0, without_timestamps=True, fp16=False,
        condition_on_previous_text=False, compression_ratio_threshold=None,
        logprob_threshold=None, no_speech_threshold=None,
    )  # fmt: skip
    assert heard.said.text == theirs["text"].strip()


@needs("whisper")
def test_16_bit_gives_what_32_bit_gives_within_a_thousandth(checkpoint, spoken):
    full = made("whisper", checkpoint("openai", GERMAN)).observe(Clip.open(spoken))
    half = made("whisper", checkpoint("openai", GERMAN), dtype="float16").observe(Clip.open(spoken))
    assert [c.text for c in full] == [c.text for c in half]
    for a, b in zip(full, half, strict=True):
        assert a.quality.factors["asr_logprob"] == pytest.approx(
            b.quality.factors["asr_logprob"], abs=2e-3
        )


@needs("whisper")
@pytest.mark.parametrize("own", ["auto", "float16"])
def test_bfloat16_of_the_process_is_what_the_library_can_and_noted(own, checkpoint, spoken):
    path = checkpoint()
    plain = made("whisper", path).observe(Clip.open(spoken))
    use(Machine(dtype="bfloat16"))
    try:
        tool = made("whisper", path, dtype=own)
        with at_work(Call()) as call:
            clues = tool.observe(Clip.open(spoken))
        assert RUNS[own] in [dict(key.options)["precision"] for key in SHELF.held()]
    finally:
        forget()
    assert isinstance(tool, Heavy) and tool.hardware["dtype"] == RUNS[own]
    told = ("openai-whisper decodes in no bfloat16; it ran in float32",)
    assert call.notes == (told if own == "auto" else ())
    assert [clue.text for clue in clues] == [clue.text for clue in plain]


@needs("whisper", "faster_whisper")
def test_what_a_cpu_cannot_compute_is_refused_before_anything_is_loaded(checkpoint):
    """By what says how it runs, which a run asks before its trace begins."""
    import ctranslate2

    known = ctranslate2.get_supported_compute_types("cpu")
    for compute in {"float16", "bfloat16"} - known:
        tool = made("faster-whisper", checkpoint("ctranslate"), compute=compute, device="cpu")
        with pytest.raises(
            ConfigError, match=rf"compute: cpu cannot do {compute}; it can do .*int8"
        ):
            _ = tool.hardware  # type: ignore[attr-defined]
    assert not SHELF.held()


@needs("whisper", "faster_whisper")
def test_a_file_of_16_bit_that_computes_in_32_takes_twice_its_room(checkpoint):
    path = checkpoint("ctranslate")
    tool = made("faster-whisper", path, compute="float32", device="cpu")
    assert isinstance(tool, Heavy)
    tool.load()
    assert [*SHELF.held().values()] == [2 * find("faster-whisper", str(path)).gigabytes]


@needs("whisper")
def test_a_batch_that_does_not_fit_is_halved_and_noted(checkpoint, talk, monkeypatch):
    import torch
    import whisper.model

    forward = whisper.model.AudioEncoder.forward

    def cramped(self: object, x: torch.Tensor) -> torch.Tensor:
        if len(x) > 1:
            raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return forward(self, x)

    tool = made("whisper", checkpoint())
    plain = [clue.id for clue in tool.observe(Clip.open(talk))]
    monkeypatch.setattr(whisper.model.AudioEncoder, "forward", cramped)
    with at_work(Call()) as call:
        again = [clue.id for clue in made("whisper", checkpoint()).observe(Clip.open(talk))]
    assert again == plain
    assert call.notes[0] == "cpu has no memory for 3 at a time; went on with 1"


@needs("whisper")
def test_several_clips_at_once_share_batches(checkpoint, spoken, monkeypatch):
    import whisper.model

    sizes: list[int] = []
    forward = whisper.model.AudioEncoder.forward

    def counting(self: object, x: object) -> object:
        sizes.append(len(x))  # type: ignore[arg-type]
        return forward(self, x)

    monkeypatch.setattr(whisper.model.AudioEncoder, "forward", counting)
    tools = [made("whisper", checkpoint(), batch=8) for _ in range(8)]
    threads = [
        threading.Thread(target=lambda tool=tool: tool.observe(Clip.open(spoken))) for tool in tools
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sum(sizes) == 8 and len(sizes) < 8


@needs("whisper")
def test_how_it_runs_is_told_and_is_no_part_of_the_evidence(checkpoint):
    one = made("whisper", checkpoint(), batch=2, device="cpu")
    other = made("whisper", checkpoint(), batch=7)
    assert one.source == other.source
    assert isinstance(one, Heavy) and isinstance(other, Heavy)
    assert (one.hardware["batch"], other.hardware["batch"]) == (2, 7)
    assert one.hardware["device"] == "cpu" and one.hardware["threads"] == devices.threads()
    assert made("whisper", checkpoint("openai", GERMAN)).source != one.source


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("whisper", {"beam": 0}, "beam must be at least 1"),
        ("whisper", {"language": "Klingon"}, r"whisper\.language: there is no language 'Klingon'"),
        ("whisper", {"model": "huge"}, "whisper has no model 'huge'; known: large-v3"),
        ("faster-whisper", {"compute": "int3"}, r"faster-whisper\.compute: 'int3'; write int8"),
        (
            "whisper",
            {"dtype": "bfloat16"},
            "whisper.dtype: openai-whisper decodes in no bfloat16; w",
        ),
        ("whisper", {"dtype": "int8"}, "dtype 'int8': write auto, float32, float16 or bfloat16"),
        ("asr", {"dtype": "int8"}, "dtype 'int8': write auto, float32, float16 or bfloat16"),
        ("speech-emotion", {"dtype": "int8"}, "dtype 'int8': write auto, float32, float16 or"),
        ("captioner", {"dtype": "int8"}, "dtype 'int8': write auto, float32, float16 or"),
    ],
)
def test_arguments_that_cannot_be_are_one_line(name, arguments, said):
    pytest.importorskip("whisper", reason="openai-whisper is not installed")
    pytest.importorskip("faster_whisper", reason="faster-whisper is not installed")
    with pytest.raises(ConfigError, match=said):
        load_tool(name, arguments)


def test_without_weights_each_names_the_command_that_gets_them():
    for name in ("whisper", "faster-whisper", "asr"):
        with pytest.raises(ToolMissing) as error:
            load_tool(name)
        assert error.value.install.startswith(("emer models pull ", "pip install "))


@needs("whisper")
def test_the_settings_choose_it_with_its_arguments(checkpoint, spoken, tmp_path):
    from emer.graphs.choosing import choose
    from emer.graphs.loading import load_tools

    file = tmp_path / "emer.toml"
    file.write_text(
        f'profile = "models"\n[tools.speech]\nmodel = "{checkpoint()}"\nbeam = 1\nbatch = 2\n'
    )
    tools, _ = load_tools(choose(load_settings(file)).settings)
    assert isinstance(tools["speech"], Whisper) and tools["speech"].hardware["batch"] == 2
    (clue,) = tools["speech"].observe(Clip.open(spoken), Span(start=0.0, end=3.7))
    assert clue.data["transcript"] == ENGLISH
