"""From sound to clues, with recognisers that are functions: packing, languages, doubts, times."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from emer.tools.errors import Unobservable
from emer.tools.media.clip import Clip
from emer.tools.runtime.cancellation import Call, in_call
from emer.tools.speech.languages import (
    CLEAR,
    LanguageGuess,
    Task,
    code_of,
    decode_by_language,
    detect_languages,
    languages,
    name_of,
    spoken_language,
)
from emer.tools.speech.transcriber import BLOCK, PACKED, Transcriber
from emer.tools.speech.transcript import ScoredText, TimedWord, Transcript, Window
from emer.tools.speech.vad import SILERO, best_detector, silero_spans
from emer.tools.testing.clips import noise, tone
from emer.tools.types import Source, Span
from tests.fixtures.clips import Written, write_clip
from tests.fixtures.sounds import music

SOURCE = Source(tool="test", version="1")
WORDS = (" I", " can't", " believe", " it.", " This", " is", " wonderful.")


class Recogniser:
    """Hears the same words, evenly spread over each window; remembers its windows."""

    def __init__(self, words: Sequence[str] = WORDS, **more: object) -> None:
        self.words, self.more = words, more
        self.windows: list[Window] = []
        self.calls = 0

    def __call__(self, windows: Sequence[Window]) -> list[Transcript]:
        self.calls += 1
        self.windows += windows
        return [self.hear(window) for window in windows]

    def hear(self, window: Window) -> Transcript:
        step = len(window.sound) / 16_000 / max(1, len(self.words))
        words = tuple(
            TimedWord(text, n * step, (n + 0.9) * step, 0.9) for n, text in enumerate(self.words)
        )
        fields = {
            "original": ScoredText("".join(self.words).strip(), -0.2), "words": words,
            "language": "en", "languages": {"en": 0.9, "de": 0.05}, "no_speech": 0.01,
        }  # fmt: skip
        return Transcript(**{**fields, **self.more})  # type: ignore[arg-type]


def listen(hear: object, path: Path, span: Span | None = None, **more: object) -> list[str]:
    """Return the texts of the clues of a clip."""
    options = {"detector": "webrtc", "language": None, **more}
    transcriber = Transcriber(hear, **options)  # type: ignore[arg-type]
    return [clue.text for clue in transcriber.clues(Clip.open(path), span, SOURCE)]


def test_words_become_the_sentence_that_every_speech_tool_says(spoken):
    (clue,) = Transcriber(Recogniser(), "webrtc", None).clues(Clip.open(spoken), None, SOURCE)
    assert clue.text == 'The person says: "I can\'t believe it. This is wonderful.".'
    assert clue.data["language"] == "en" and clue.data["language_probability"] == 0.9
    assert clue.data["transcript"] == "I can't believe it. This is wonderful."
    assert [w[0] for w in clue.data["words"]][:2] == ["I", "can't"]
    assert clue.quality.score == 0.9 and clue.confidence is None
    assert 0.0 <= clue.span.start < clue.span.end <= 3.75


def test_doubtful_words_are_marked_as_pocketsphinx_marks_them(spoken):
    (text,) = listen(Recogniser(no_speech=0.7), spoken)
    assert text == (
        'The person may be saying: "I can\'t believe it. This is wonderful." '
        "(low recognition confidence)."
    )


def test_rejected_words_are_missing_evidence(spoken):
    with pytest.raises(Unobservable, match=r"speech is heard at .* could not be recognised; give"):
        listen(Recogniser(original=ScoredText("na " * 99, -0.1)), spoken)
    with pytest.raises(Unobservable, match="could not be recognised"):
        listen(Recogniser(words=()), spoken)


class Choosy(Recogniser):
    """Hears words in the first window alone."""

    def hear(self, window: Window) -> Transcript:
        first = window is self.windows[0]
        return super().hear(window) if first else Transcript(ScoredText("", -9.0), ())


def test_a_rejected_part_of_a_clip_is_noted(talk):
    with in_call(Call()) as call:
        found = listen(Choosy(), talk)
    assert found and "could not be recognised" in call.notes[0]


def test_speech_is_packed_into_few_windows_each_decoded_once(talk):
    hear = Recogniser()
    listen(hear, talk)
    lengths = [len(window.sound) / 16_000 for window in hear.windows]
    assert max(lengths) <= PACKED and min(lengths[:-1]) > 5
    assert len(lengths) <= 10 and len({w.clip for w in hear.windows}) == 1


def test_words_of_packed_stretches_find_back_to_their_time(talk):
    transcriber = Transcriber(Recogniser(), "webrtc", None)
    clues = transcriber.clues(Clip.open(talk), None, SOURCE)
    for clue in clues:
        for _, start, end, _ in clue.data["words"]:
            middle = (start + end) / 2 % 5.6
            assert middle <= 3.74 + 0.25, "a word lies in the silence between two sentences"
    assert clues[-1].span.start > 80


def test_without_word_times_each_stretch_is_a_window_of_its_own(talk):
    hear = Recogniser(words=())
    hear.more = {"original": ScoredText("wonderful news", -0.1)}
    transcriber = Transcriber(hear, "webrtc", None, packs=False)
    clues = transcriber.clues(Clip.open(talk), None, SOURCE)
    assert len(hear.windows) >= 16
    assert all(c.span.length < 5 for c in clues) and len(clues) == len(hear.windows)


class Polyglot(Recogniser):
    """Hears German in each second window, English in the others; says what it was told to."""

    def hear(self, window: Window) -> Transcript:
        german = next(n for n, each in enumerate(self.windows) if each is window) % 2
        self.more = {
            "language": window.language or window.expected or ("de" if german else "en"),
            "languages": None if window.language else
            {"de": 0.9, "en": 0.1} if german else {"de": 0.2, "en": 0.8},
        }  # fmt: skip
        return super().hear(window)


def test_the_language_is_decided_over_all_the_speech_of_a_clip(tmp_path, sound):
    """What one window alone sounds like is heard again in the language of the clip."""
    long = np.concatenate([sound] * 30).astype(np.float32)
    path = write_clip(tmp_path / "long.wav", Written(sound=long))
    hear = Polyglot()
    clues = Transcriber(hear, "webrtc", None).clues(Clip.open(path), None, SOURCE)
    assert len({clue.data["language"] for clue in clues}) == 1
    settled = [w for w in hear.windows if w.language]
    others = {w.sound.tobytes() for w in hear.windows if not w.language}
    assert settled and all(w.sound.tobytes() in others for w in settled)
    assert 0.4 < clues[0].data["language_probability"] < 0.7  # type: ignore[operator]
    recogniser = Recogniser()
    listen(recogniser, path, language="fr")
    assert {w.language for w in recogniser.windows} == {"fr"}


def test_after_the_first_windows_a_language_is_expected(tmp_path, sound):
    hours = np.concatenate([sound] * 120).astype(np.float32)
    path = write_clip(tmp_path / "long.wav", Written(sound=hours))
    hear = Recogniser(language="de", languages={"de": 0.9, "en": 0.1})
    listen(hear, path)
    expected = [w.expected for w in hear.windows]
    assert expected[:BLOCK] == [None] * BLOCK and set(expected[BLOCK:]) == {"de"}
    assert not any(w.language for w in hear.windows)


def test_a_language_in_doubt_makes_the_words_doubtful_and_says_so(spoken):
    hear = Recogniser(language="de", languages={"de": 0.51, "nl": 0.4, "en": 0.09})
    with in_call(Call()) as call:
        (text,) = listen(hear, spoken)
    assert text.startswith("The person may be saying: ")
    assert text.endswith("(low recognition confidence: the language may be German or Dutch).")
    assert "the language may be German or Dutch" in call.notes[0]


def test_a_clip_s_language_is_the_mean_by_seconds():
    long, short = {"zh": 0.8, "ko": 0.2}, {"zh": 0.1, "ko": 0.9}
    spoken = spoken_language([(9.0, long), (1.0, short), (5.0, None)])
    assert (spoken.code, spoken.other) == ("zh", "ko")
    assert spoken.probability == pytest.approx(0.73) and not spoken.is_clear
    assert spoken_language([(1.0, {"zh": 1.0})]).is_clear
    lead = {"zh": 0.5 + CLEAR / 2 + 0.01, "ko": 0.5 - CLEAR / 2 - 0.01}
    assert spoken_language([(1.0, lead)]).is_clear
    assert spoken_language([(2.0, None)]) is None and spoken_language([]) is None


def test_progress_is_reported_as_windows_are_decoded(talk):
    shares: list[float] = []
    with in_call(Call(shares.append)):
        listen(Recogniser(), talk, block=2)
    assert len(shares) >= 2 and shares == sorted(shares) and shares[-1] == 1.0


def test_what_the_model_could_not_finish_is_decoded_in_halves(spoken):
    class Short(Recogniser):
        def hear(self, window: Window) -> Transcript:
            self.more = {"unfinished": len(window.sound) > 2.5 * 16_000}
            return super().hear(window)

    hear = Short()
    listen(hear, spoken)
    assert len(hear.windows) == 3
    whole, *halves = [len(window.sound) for window in hear.windows]
    assert sum(halves) == pytest.approx(whole, abs=400)


def test_a_translation_is_a_second_clue_that_says_so(spoken):
    german = {"language": "de", "translation": ScoredText("I am so happy!", -0.2)}
    transcriber = Transcriber(Recogniser((" Wie", " schön!"), **german), "webrtc", None)
    transcribed, english = transcriber.clues(Clip.open(spoken), None, SOURCE)
    assert (
        transcribed.text == 'The person says: "Wie schön!".'
        and transcribed.data["language"] == "de"
    )
    assert english.text == (
        'Translated from German into English, the person says: "I am so happy!".'
    )
    assert (
        english.data["translated_from"] == "de" and "translation_logprob" in english.quality.factors
    )
    doubtful = {**german, "translation": ScoredText("I am so happy!", -1.5)}
    assert listen(Recogniser((" Wie", " schön!"), **doubtful), spoken)[1] == (
        "Translated from German into English, the person may be saying: "
        '"I am so happy!" (low recognition confidence).'
    )


def test_a_closer_look_gives_the_words_inside_it_and_hears_nothing_anew(talk):
    hear = Recogniser()
    transcriber, clip = Transcriber(hear, "webrtc", None), Clip.open(talk)
    transcriber.clues(clip, None, SOURCE)
    calls = hear.calls
    clues = transcriber.clues(clip, Span(start=40, end=50), SOURCE)
    assert hear.calls == calls and clues
    assert all(c.span.start >= 40 and c.span.end <= 50 for c in clues)
    with pytest.raises(Unobservable, match="no speech is heard"):
        transcriber.clues(clip, Span(start=4.2, end=5.2), SOURCE)


def test_two_looks_at_one_clip_hear_it_once(spoken):
    hear = Recogniser()
    transcriber, clip = Transcriber(hear, "webrtc", None), Clip.open(spoken)
    found: list[int] = []
    threads = [
        threading.Thread(target=lambda: found.append(len(transcriber.clues(clip, None, SOURCE))))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert found == [1, 1, 1, 1] and hear.calls == 1


def test_silence_and_hiss_are_not_even_decoded(tmp_path):
    hear = Recogniser()
    silent = write_clip(tmp_path / "silent.wav", Written(sound=np.zeros(32_000, np.float32)))
    with pytest.raises(Unobservable, match="silent"):
        listen(hear, silent)
    for name, heard in (("noise", noise(4.0)), ("tone", tone(4.0))):
        path = write_clip(tmp_path / f"{name}.wav", Written(sound=heard))
        with pytest.raises(Unobservable, match="no speech is heard"):
            listen(hear, path)
    assert hear.calls == 0


@pytest.mark.skipif(best_detector() != SILERO, reason="faster-whisper is not installed")
def test_music_does_not_become_words(tmp_path):
    path = write_clip(tmp_path / "music.wav", Written(sound=music()))
    hear = Recogniser()
    with pytest.raises(Unobservable):
        listen(hear, path, detector="silero")
    heard = sum(len(window.sound) for window in hear.windows) / 16_000
    assert heard < 1.0, "almost nothing of 8 s of music is taken for speech"


@pytest.mark.skipif(best_detector() != SILERO, reason="faster-whisper is not installed")
def test_speech_is_found_in_real_recordings(shared_clip):
    for name, least, most in (("audio/jfk.flac", 6, 11), ("audio/pyannote_sample.wav", 18, 26)):
        found = silero_spans(Clip.open(shared_clip(name)).samples())
        assert least < sum(span.length for span in found) < most
        assert all(a.end <= b.start for a, b in itertools.pairwise(found))


def window(clip: str, language: str | None = None) -> Window:
    return Window(np.zeros(10, np.float32), clip, language)


def test_windows_are_decoded_in_what_is_known_expected_or_heard():
    heard = [{"de": 0.6, "en": 0.4}, {"de": 0.1, "en": 0.9}, {"de": 0.9, "en": 0.1}]
    blank = np.zeros(10, np.float32)
    windows = [window("a"), window("a"), Window(blank, "b", expected="nl"), window("c", "fr")]
    asked: list[list[int]] = []

    def ask(places: list[int]) -> list[dict[str, float]]:
        asked.append(places)
        return [heard[place] for place in places]

    found = detect_languages(windows, ask)
    assert [g.language for g in found] == ["en", "en", "nl", "fr"]
    assert [g.probabilities for g in found] == [*heard, None]
    assert asked == [[0, 1, 2]]
    groups: list[tuple[str, list[int]]] = []

    def write(language: str, places: list[int], task: Task) -> list[Transcript]:
        assert task == "transcribe"
        groups.append((language, places))
        return [Transcript(ScoredText(str(place), 0.0), ()) for place in places]

    transcripts = decode_by_language([found[3], *found[:3]], write)
    assert groups == [("fr", [0]), ("en", [1, 2]), ("nl", [3])]
    assert [each.original.text for each in transcripts] == ["0", "1", "2", "3"]
    assert [each.languages for each in transcripts] == [None, *heard]


def test_a_translation_is_asked_for_where_there_are_words_of_another_language():
    guesses = [LanguageGuess(code, {code: 0.8}) for code in ("en", "de", "fr")]
    transcripts = {"en": "Hello.", "de": "Hallo.", "fr": ""}
    asked: list[tuple[str, Task]] = []

    def write(language: str, places: list[int], task: Task) -> list[Transcript]:
        asked.append((language, task))
        text = transcripts[language] if task == "transcribe" else "Hello."
        return [Transcript(ScoredText(text, -0.1), ()) for _ in places]

    english, german, french = decode_by_language(guesses, write, translate=True)
    assert [language for language, task in asked if task == "translate"] == ["de"]
    assert german.translation == ScoredText("Hello.", -0.1) and german.original.text == "Hallo."
    assert english.translation is None and french.translation is None
    assert (german.language, german.languages) == ("de", {"de": 0.8})
    asked.clear()
    assert not any(each.translation for each in decode_by_language(guesses, write))
    assert all(task == "transcribe" for _, task in asked)


def test_silent_windows_are_not_translated():
    asked: list[list[int]] = []

    def write(_: str, places: list[int], task: Task) -> list[Transcript]:
        if task == "translate":
            asked.append(places)
        texts = ["", "Hallo.", ""] if task == "transcribe" else ["Hello."]
        return [Transcript(ScoredText(text, -0.1), ()) for text in texts]

    guesses = [LanguageGuess("de", {"de": 0.8})] * 3
    written = decode_by_language(guesses, write, translate=True)
    assert asked == [[1]]
    assert [bool(each.translation) for each in written] == [False, True, False]


def test_languages_go_by_code_or_name():
    assert code_of("de", "x") == code_of("German", "x") == code_of(" GERMAN ", "x") == "de"
    assert code_of("auto", "x") is None and name_of("zh") == "Chinese" and name_of("xx") == "xx"
    with pytest.raises(Exception, match=r"x\.language: there is no language 'Klingon'"):
        code_of("Klingon", "x.language")
    whisper = pytest.importorskip("whisper.tokenizer", reason="openai-whisper is not installed")
    assert set(whisper.LANGUAGES) <= set(languages())
