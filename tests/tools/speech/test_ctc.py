"""CTC recognisers: a tiny wav2vec2 whose set weights spell the melody it hears."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from emer.tools.errors import Unobservable, WeightsBroken
from emer.tools.media.clip import Clip
from emer.tools.runtime.model_pool import POOL
from emer.tools.speech.confidence import Verdict, judge
from emer.tools.speech.transcript import AsrOptions, Transcript, Window
from emer.tools.speech.transformers_asr import Asr, kind_of, words_of
from emer.tools.speech.vad import SILERO, best_detector
from emer.tools.testing.clips import noise
from emer.tools.weights.locate import find
from tests.fixtures.checkpoints.ctc import melody, write_ctc
from tests.fixtures.clips import Written, write_clip
from tests.fixtures.packages import needs
from tests.fixtures.sounds import music

pytestmark = [needs("transformers"), pytest.mark.slow]

RUN = AsrOptions("cpu", "float32", 4, 1, True, 1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_ctc(tmp_path_factory.mktemp("ctc") / "model")


def hear(folder: Path, *texts: str | Sequence[str]) -> list[Transcript]:
    windows = [Window(melody(text), str(n)) for n, text in enumerate(texts)]
    return Asr().recogniser(find("asr", str(folder)), RUN)(windows)


def test_what_is_played_is_written_with_the_time_of_each_word(folder):
    (heard,) = hear(folder, "hello all of you")
    assert heard.original.text == "hello all of you" and heard.original.logprob > -0.01
    assert [word.text for word in heard.words] == [" hello", " all", " of", " you"]
    for word, begins in zip(heard.words, (0.0, 0.6, 1.0, 1.3), strict=True):
        assert word.start == pytest.approx(begins, abs=0.03)
        assert word.probability > 0.9


def test_tokens_that_nobody_says_are_left_out_and_keep_their_time(folder):
    (heard,) = hear(folder, [*"HEL", "<unk>", *"LO|", "<unk>", *"ALL"])
    assert heard.original.text == "hello all" and heard.original.logprob > -0.01
    assert [word.text for word in heard.words] == [" hello", " all"]
    assert heard.words[1].start == pytest.approx(0.8, abs=0.03)


@pytest.mark.parametrize("tokens", [["<unk>"] * 3, ["|", "|"], ["<unk>", "|", "<unk>", "|"]])
def test_what_only_such_tokens_were_heard_in_is_no_words(folder, tokens):
    (heard,) = hear(folder, tokens)
    assert heard.original.text == "" and heard.words == ()
    assert judge(heard, 1.0) is Verdict.REJECTED


def test_a_tokenizer_that_knows_no_words_leaves_no_mark_between_them():
    """As those of whole vocabularies, which have no word delimiter of their own."""
    vocabulary = {"<pad>": 0, "<s>": 1, "|": 2, "a": 3, "b": 4}
    from tokenizers import Tokenizer
    from tokenizers.decoders import CTC
    from tokenizers.decoders import Sequence as Sequenced
    from tokenizers.models import WordLevel
    from transformers import PreTrainedTokenizerFast

    made = Tokenizer(WordLevel(vocabulary, unk_token="<s>"))
    made.decoder = Sequenced([CTC("<pad>", "|", cleanup=False)])
    plain = PreTrainedTokenizerFast(tokenizer_object=made, pad_token="<pad>", bos_token="<s>")
    path = [1, 3, 3, 0, 4, 2, 4, 0, 1]
    sure = np.log(np.full((len(path), 5), 0.01, dtype=np.float32))
    sure[range(len(path)), path] = 0.0
    text, words = words_of(sure, plain, 0.02)
    assert text.text == "ab b" and words == ()


def test_a_batch_writes_what_each_alone_writes(folder):
    texts = ("hello all of you", "no", "it's too bad")
    together = hear(folder, *texts)
    assert [heard.original.text for heard in together] == list(texts)
    assert together == [hear(folder, text)[0] for text in texts]


def test_a_model_without_an_attention_mask_hears_nothing_of_the_padding(tmp_path, monkeypatch):
    folder = write_ctc(tmp_path / "model", mask=False)
    run = Asr().recogniser(find("asr", str(folder)), RUN)
    run.load()
    (key,) = POOL.held()
    lengths: list[tuple[int, ...]] = []
    with POOL.borrow(key, object) as loaded:
        hook = loaded.model.register_forward_pre_hook(
            lambda _, args, kwargs: lengths.append(tuple(kwargs["input_values"].shape)),
            with_kwargs=True,
        )
    texts = ("hello all of you", "no")
    assert [h.original.text for h in run([Window(melody(t), t) for t in texts])] == list(texts)
    assert [rows for rows, _ in lengths] == [1, 1]
    hook.remove()


def test_the_tool_is_of_the_kind_that_times_words(folder, spoken):
    tool = Asr(model=str(folder))
    assert kind_of(find("asr", str(folder))) == "ctc" and tool.times_words(find("asr", str(folder)))
    try:
        clues = tool.observe(Clip.open(spoken))
    except Exception as error:  # speech is no melody: what it hears of it is not to be believed
        assert "could not be recognised" in str(error)
    else:
        assert all("may be saying" in clue.text or clue.quality.score < 1 for clue in clues)


@pytest.mark.parametrize("what", ["a slow melody", "noise", "music"])
def test_music_and_noise_are_kept_from_a_model_that_would_spell_them(folder, what, tmp_path):
    """It has no word for "nobody speaks", so that nothing but the voice detector keeps them out."""
    if what == "music" and best_detector() != SILERO:
        pytest.skip("faster-whisper is not installed, with which Silero comes")
    made = {
        "a slow melody": melody("hello all of you", 1.0), "noise": noise(6.0), "music": music(),
    }[what]  # fmt: skip
    heard = Asr().recogniser(find("asr", str(folder)), RUN)([Window(made, "a")])
    assert heard[0].words  # alone, it would write
    clip = write_clip(tmp_path / "clip.wav", Written(sound=made))
    with pytest.raises(Unobservable, match="no speech is heard"):
        Asr(model=str(folder)).observe(Clip.open(clip))


def test_a_model_that_is_no_recogniser_is_refused(tmp_path):
    from transformers import BertConfig, BertModel

    config = BertConfig(
        vocab_size=9, hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8
    )
    BertModel(config).save_pretrained(tmp_path / "bert")
    with pytest.raises(WeightsBroken, match="bert is no speech recogniser"):
        Asr(model=str(tmp_path / "bert")).load()


def tokenizer(offsets: bool) -> object:
    """Return what reads paths of two letters, "a" (1) and a blank (0)."""

    def decode(path: list[int], **asked: bool) -> object:
        text = "".join("a" for before, now in zip([0, *path], path, strict=False) if now > before)
        if not offsets and asked.get("output_word_offsets"):
            raise TypeError("unexpected keyword argument")
        words = [{"word": text, "start_offset": 0, "end_offset": len(path)}] if text else []
        return SimpleNamespace(text=text, word_offsets=words) if offsets else text

    return SimpleNamespace(pad_token_id=0, all_special_ids=[0], decode=decode)


def test_probabilities_are_those_of_the_frames_that_write():
    sure = np.log(np.array([[0.9, 0.1], [0.2, 0.8], [0.4, 0.6]], dtype=np.float32))
    text, (word,) = words_of(sure, tokenizer(True), 0.02)
    assert text.text == "a" and word.text == " a" and word.end == pytest.approx(0.06)
    assert word.probability == pytest.approx(0.7, abs=1e-5)
    assert text.logprob == pytest.approx((np.log(0.8) + np.log(0.6)) / 2, abs=1e-5)


def test_silence_and_tokenizers_without_offsets_give_no_words():
    blank = np.log(np.array([[0.9, 0.1]] * 3, dtype=np.float32))
    assert words_of(blank, tokenizer(True), 0.02) == (words_of(blank, tokenizer(True), 0.02)[0], ())
    assert words_of(blank, tokenizer(True), 0.02)[0].logprob == -100.0
    text, words = words_of(blank[:, ::-1].copy(), tokenizer(False), 0.02)
    assert text.text == "a" and words == ()
