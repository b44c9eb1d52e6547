"""openai-whisper, faster-whisper and transformers on tiny checkpoints in the models' own formats.

The checkpoints say what their script spells (see `whisper_kit`), so the real libraries load them,
detect the language, decode, align and translate, with a known answer.
"""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from emer.tools.errors import ConfigError, Unobservable
from emer.tools.media.clip import Clip
from emer.tools.runtime.cancellation import Call, Cancelled, in_call
from emer.tools.runtime.model_pool import POOL
from emer.tools.speech.faster_whisper import translates
from emer.tools.speech.openai_whisper import Whisper
from emer.tools.speech.transcript import AsrOptions, Window
from emer.tools.speech.transformers_asr import Asr
from emer.tools.testing.conformance import check_tool
from emer.tools.tool import Heavy
from emer.tools.weights.locate import find
from tests.fixtures.checkpoints.whisper import Script
from tests.fixtures.packages import needs
from tests.tools.speech.conftest import ENGLISH, GERMAN, KINDS, made

pytestmark = pytest.mark.slow


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


@needs("whisper")
def test_whisper_decodes_a_window_once(checkpoint, spoken, monkeypatch):
    """A text without an end timestamp has the library decode the silence after it, too."""
    from whisper.model import Whisper as Model

    decode, passes = Model.decode, []

    def counted(self: object, *arguments: object) -> object:
        passes.append(1)
        return decode(self, *arguments)

    monkeypatch.setattr(Model, "decode", counted)
    (clue,) = made("whisper", checkpoint()).observe(Clip.open(spoken))
    assert clue.data["transcript"] == ENGLISH and passes == [1]


@pytest.mark.parametrize(("name", "kind"), KINDS)
def test_another_language_is_kept_and_translated(name, kind, checkpoint, spoken):
    tool = made(name, checkpoint(kind, GERMAN))
    clues = tool.observe(Clip.open(spoken))
    transcribed = [clue for clue in clues if "translated_from" not in clue.data]
    english = [clue for clue in clues if "translated_from" in clue.data]
    assert transcribed[0].text == 'The person says: "Das ist ja eine wunderbare Nachricht.".'
    assert {clue.data["language"] for clue in transcribed} == {"de"}
    assert english[0].text == (
        'Translated from German into English, the person says: "This news makes me so happy!".'
    )
    without = made(name, checkpoint(kind, GERMAN), translate=False)
    assert not [c for c in without.observe(Clip.open(spoken)) if "translated_from" in c.data]


@needs("whisper", "transformers")
def test_asr_searches_wider_for_the_words_and_for_their_translation(checkpoint, spoken):
    tool = made("asr", checkpoint("transformers", GERMAN), beam=2)
    texts = [clue.text for clue in tool.observe(Clip.open(spoken))]
    assert 'The person says: "Das ist ja eine wunderbare Nachricht.".' in texts
    assert any(text.startswith("Translated from German into English") for text in texts)


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


@pytest.mark.parametrize(("name", "kind"), [KINDS[0], KINDS[2]])
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


@pytest.mark.parametrize(
    ("width", "deepest", "can"),
    [(384, 3, True), (1280, 25, True), (1280, 3, False), (1280, 1, False), (96, 1, True)],
    ids=["tiny", "large-v3", "large-v3-turbo", "distil-large-v3", "unknown"],
)
def test_a_converted_model_translates_by_the_depth_of_its_alignment_heads(
    width, deepest, can, tmp_path
):
    """The deepest heads are those of the published folders' config.json."""
    (tmp_path / "config.json").write_text(json.dumps({"alignment_heads": [[0, 1], [deepest, 3]]}))
    assert translates(True, tmp_path, width) is can
    assert not translates(False, tmp_path, width)
    assert translates(True, tmp_path / "absent", width)


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
    run, windows = AsrOptions("cpu", "float32", 4, 1, False, 2), [Window(sound, "a")]
    file, folder = checkpoint("openai", hedging), checkpoint("transformers", hedging)
    (theirs,) = Whisper().recogniser(find("whisper", str(file)), run)(windows)
    (ours,) = Asr().recogniser(find("asr", str(folder)), run)(windows)
    assert 0.05 < theirs.no_speech < 0.95  # type: ignore[operator]
    assert ours.no_speech == pytest.approx(theirs.no_speech, abs=1e-3)
    assert ours.language == theirs.language == "de"
    assert ours.languages["de"] == pytest.approx(theirs.languages["de"], abs=1e-3)  # type: ignore[index]


@needs("whisper", "transformers")
def test_asr_hears_a_window_once_whatever_it_writes_of_it(checkpoint, spoken):
    tool = made("asr", checkpoint("transformers", GERMAN))
    tool.load()
    (key,) = POOL.held()
    passes: list[int] = []
    with POOL.borrow(key, object) as loaded:
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
    (key,) = POOL.held()
    share = 0.5 if name == "faster-whisper" else 1.0  # 8 bit where the files have 16
    assert key.kind == name and POOL.held()[key] == pytest.approx(
        share * find(name, str(path)).gigabytes, rel=0.2
    )
    assert isinstance(tools[0], Heavy)
    tools[0].unload()
    assert not POOL.held()
    tools[1].load()
    assert len(POOL.held()) == 1


@pytest.mark.parametrize(("name", "kind"), KINDS)
def test_a_call_that_is_given_up_ends_between_two_steps(name, kind, checkpoint, spoken):
    tool, call = made(name, checkpoint(kind)), Call()
    assert isinstance(tool, Heavy)
    tool.load()
    call.cancel()
    with in_call(call), pytest.raises(Cancelled):
        tool.observe(Clip.open(spoken))
    assert tool.observe(Clip.open(spoken))  # the device is free again


@needs("whisper")
def test_a_call_is_given_up_in_the_middle_of_a_text(checkpoint, spoken):
    tool, call, steps = made("whisper", checkpoint()), Call(), []
    assert isinstance(tool, Whisper)
    tool.load()
    (key,) = POOL.held()
    with POOL.borrow(key, object) as model:
        decoder = model.decoder

    def count(*_: object) -> None:
        steps.append(1)
        if len(steps) == 4:
            call.cancel()

    with decoder.register_forward_hook(count), in_call(call), pytest.raises(Cancelled):
        tool.observe(Clip.open(spoken))
    assert len(steps) == 4


@needs("whisper")
def test_a_call_that_is_given_up_while_words_are_timed_leaves_the_model_whole(checkpoint, spoken):
    path, call, steps = checkpoint(), Call(), []
    made("whisper", path).observe(Clip.open(spoken))
    (key,) = POOL.held()
    with POOL.borrow(key, object) as model:
        decoder = model.decoder
    with decoder.register_forward_hook(lambda *_: steps.append(1)):
        heard = made("whisper", path).observe(Clip.open(spoken))
    last = len(steps)  # when the words are timed
    steps.clear()

    def count(*_: object) -> None:
        steps.append(1)
        if len(steps) == last - 1:
            call.cancel()

    with decoder.register_forward_hook(count), in_call(call), pytest.raises(Cancelled):
        made("whisper", path).observe(Clip.open(spoken))
    assert made("whisper", path).observe(Clip.open(spoken)) == heard
