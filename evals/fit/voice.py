"""A light model of labelled voices: folds that leave speakers out, calibrated.

Multinomial logistic regression over standardised eGeMAPS functionals, with balanced classes;
its regularisation is chosen within the training speakers, its temperature on speakers that
were left out (Guo et al. 2017). Score: unweighted average recall (Schuller et al. 2009).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emer.evals.data.speech import Utterance
from emer.evals.metrics.bootstrap import Average, Estimate, Floats, estimate, ratio
from emer.evals.metrics.calibration import Judged
from emer.tools.errors import ConfigError, EmerError, ToolMissing, Unobservable
from emer.tools.media.clip import Clip
from emer.tools.speech.vad import best_detector
from emer.tools.voice.functionals import measured, names
from emer.tools.voice.stretches import heard_voice
from emer.tools.voice.voice_model import VoiceModel

STRENGTHS = (0.003, 0.01, 0.03, 0.1, 0.3)
"""Inverse strengths of the regularisation to choose from (chosen by us)."""
FOLDS, INNER = 10, 3
FEWEST = 5
"""Files of a class that is learnt (chosen by us)."""
Words = NDArray[np.str_]


@dataclass(frozen=True)
class Voices:
    """Functionals of stretches of speech, with their label, speaker and corpus."""

    features: Floats
    """Shape (n, 88)."""
    labels: Words
    speakers: Words
    corpora: Words

    def rows(self, chosen: NDArray[np.bool_]) -> Voices:
        """The chosen stretches."""
        return Voices(self.features[chosen], self.labels[chosen],
                      self.speakers[chosen], self.corpora[chosen])  # fmt: skip

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class Held:
    """Log-odds of stretches whose speaker was left out, and the temperature for them."""

    labels: tuple[str, ...]
    scores: Floats
    truth: Words
    temperature: float

    @property
    def first(self) -> Words:
        """The likeliest label of each."""
        return np.array([self.labels[place] for place in self.scores.argmax(axis=1)])

    @property
    def judged(self) -> Judged:
        """Stated probability of the first label, and whether it is right."""
        raised = np.exp((self.scores - self.scores.max(axis=1, keepdims=True)) / self.temperature)
        stated = (raised / raised.sum(axis=1, keepdims=True)).max(axis=1)
        return Judged(stated, (self.first == self.truth).astype(np.float64))

    def recall(self) -> Estimate:
        """Unweighted average recall with its 95 % interval over stretches."""
        return unweighted_recall(self.truth, self.first)


def measure(
    utterances: Sequence[Utterance], done: Callable[[str], None] = lambda _: None
) -> tuple[Voices, dict[str, str]]:
    """Functionals of every stretch of speech, and why a file has none."""
    rows: list[tuple[Floats, Utterance]] = []
    lost: dict[str, str] = {}
    detector = best_detector()
    for each in utterances:
        try:
            heard = heard_voice(Clip.open(each.path), None, detector)
            rows += [(measured(sound), each) for sound in heard.sounds]
        except Unobservable as error:
            lost[each.path.name] = str(error)
        except EmerError as error:
            raise ConfigError(f"{each.path.name}: {error}") from error
        done(each.path.name)
    if not rows:
        raise ConfigError("no voice is heard in any file")
    labels, speakers, corpora = (
        np.array([getattr(each, name) for _, each in rows])
        for name in ("label", "speaker", "corpus")
    )
    return Voices(np.stack([row for row, _ in rows]), labels, speakers, corpora), lost


def common(voices: Voices) -> Voices:
    """The stretches whose label has enough of them."""
    words, counts = np.unique(voices.labels, return_counts=True)
    kept = words[counts >= FEWEST]
    if len(kept) < 2 or len(set(voices.speakers.tolist())) < 4:
        raise ConfigError(
            f"two labels of at least {FEWEST} files and four speakers are needed to learn from"
        )
    return voices.rows(np.isin(voices.labels, kept))


def leave_speakers_out(voices: Voices, done: Callable[[str], None] = lambda _: None) -> Held:
    """Scores of every stretch by a model that heard none of its speaker."""
    folds = _sklearn("model_selection").GroupKFold
    count = min(FOLDS, len(set(voices.speakers.tolist())))
    labels = tuple(sorted(set(voices.labels.tolist())))
    scores = np.full((len(voices), len(labels)), -np.inf)
    parts = folds(count).split(voices.features, voices.labels, voices.speakers)
    for number, (train, test) in enumerate(parts, start=1):
        fitted = _fitted(voices.rows(_mask(train, len(voices))))
        places = [labels.index(word) for word in fitted.classes_]
        scores[np.ix_(test, places)] = _scores(fitted, voices.features[test])
        done(f"fold {number}")
    scores = np.maximum(scores, scores[np.isfinite(scores)].min() - 1)  # a class not learnt
    return Held(labels, scores, voices.labels, _temperature(scores, voices.labels, labels))


def across(train: Voices, test: Voices) -> tuple[Estimate, int]:
    """Recall on another corpus, over the labels that both have; stretches tested."""
    shared = sorted({*train.labels.tolist()} & {*test.labels.tolist()})
    if len(shared) < 2:
        return Estimate(np.nan, np.nan, np.nan), 0
    train, test = (each.rows(np.isin(each.labels, shared)) for each in (train, test))
    told = _fitted(train).predict(test.features)
    return unweighted_recall(test.labels, told), len(test)


def learn(voices: Voices, held: Held, name: str) -> VoiceModel:
    """Model of all the speech, as the tool `functionals` reads it."""
    fitted = _fitted(voices)
    scaler, regression = fitted[0], fitted[-1]
    weights, offsets = regression.coef_, regression.intercept_
    if len(weights) == 1:  # two classes: scikit-learn keeps the second one's only
        weights, offsets = np.vstack([-weights, weights]) / 2, np.array([-1, 1]) * offsets[0] / 2
    speakers, recall = len(set(voices.speakers.tolist())), held.recall().value
    return VoiceModel(
        schema=1,
        name=name,
        about=f"{len(voices)} stretches of {speakers} speakers; unweighted average recall on "
        f"speakers that were left out: {recall:.3f}",
        labels=tuple(map(str, fitted.classes_)),
        features=names(),
        means=tuple(scaler.mean_.tolist()),
        deviations=tuple(scaler.scale_.tolist()),
        weights=tuple(tuple(row) for row in weights.tolist()),
        offsets=tuple(offsets.tolist()),
        temperature=held.temperature,
    )


def unweighted_recall(truth: Words, told: Words) -> Estimate:
    """Mean over the labels of the share of each that is named."""
    parts = [ratio((truth == word) & (told == word), truth == word) for word in np.unique(truth)]
    return estimate({"recall": Average(parts)}, len(truth))["recall"]


def _fitted(voices: Voices) -> Any:
    """A pipeline of scikit-learn, its regularisation chosen over other speakers."""
    model = _sklearn("pipeline").make_pipeline(
        _sklearn("preprocessing").StandardScaler(),
        _sklearn("linear_model").LogisticRegression(class_weight="balanced", max_iter=3000),
    )
    selection = _sklearn("model_selection")
    search = selection.GridSearchCV(
        model,
        {"logisticregression__C": list(STRENGTHS)},
        scoring="recall_macro",
        cv=selection.GroupKFold(INNER),
    )
    return search.fit(voices.features, voices.labels, groups=voices.speakers).best_estimator_


def _scores(fitted: Any, features: Floats) -> Floats:
    return np.asarray(np.log(np.maximum(fitted.predict_proba(features), 1e-12)))


def _temperature(scores: Floats, truth: Words, labels: Sequence[str]) -> float:
    """The temperature with the least log loss."""
    from scipy.optimize import minimize_scalar

    places = np.array([labels.index(word) for word in truth])

    def loss(log_temperature: float) -> float:
        warm = scores / np.exp(log_temperature)
        top = warm.max(axis=1, keepdims=True)
        total = top[:, 0] + np.log(np.exp(warm - top).sum(axis=1))
        return float((total - warm[np.arange(len(places)), places]).mean())

    return float(np.exp(minimize_scalar(loss, bounds=(-3, 3), method="bounded").x))


def _mask(places: NDArray[np.int64], size: int) -> NDArray[np.bool_]:
    mask = np.zeros(size, dtype=bool)
    mask[places] = True
    return mask


def _sklearn(part: str) -> Any:
    import importlib

    try:
        return importlib.import_module(f"sklearn.{part}")
    except ImportError as error:
        raise ToolMissing(
            "emer-eval fit voice", "scikit-learn", "pip install 'emer[fit]'"
        ) from error
