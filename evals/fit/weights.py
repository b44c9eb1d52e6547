"""Files of fitted weights (.csv) and their provenance (.json)."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from emer.agents.lexicon.lexicon import FOLDER as LEXICON
from emer.evals.data.types import Dataset
from emer.evals.fit.cross_validation import Calibration
from emer.evals.fit.features import Examples
from emer.evals.fit.logistic import Weights
from emer.evals.metrics.bootstrap import Estimate, Floats
from emer.tools.errors import ConfigError

SCHEMA = 1
WEIGHTS, PROVENANCE = "weights.csv", "weights.json"
ROUNDED_AWAY = 5e-4


def write_weights(
    folder: Path, of: Examples, prior: Floats, fitted: Weights, provenance: Mapping[str, object]
) -> tuple[Path, Path]:
    """Write both files; `ConfigError` if they exist already or cannot be written."""
    table, about = folder / WEIGHTS, folder / PROVENANCE
    if table.exists() or about.exists():
        raise ConfigError(f"{folder} holds weights already; choose another --out, or move them")
    rows = _rows(of, prior, fitted, str(provenance["name"]))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with table.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(rows)
        digest = hashlib.sha256(table.read_bytes()).hexdigest()
        text = json.dumps({**provenance, "weights_sha256": digest}, indent=2, ensure_ascii=False)
        about.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{folder} cannot be written: {error.strerror}") from error
    return table, about


def provenance(
    dataset: Dataset, of: Examples, fitted: Weights, line: Calibration,
    scores: Mapping[str, Estimate], settings: Mapping[str, object],
) -> dict[str, object]:  # fmt: skip
    """Provenance of weights: data, settings, scores of the cross-validation."""
    lexicon = b"".join(path.read_bytes() for path in sorted(LEXICON.glob("*.csv")))
    return {
        "schema": SCHEMA,
        "name": f"fit:{dataset.name}",
        "made": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "emer": version("emer"),
        "lexicon_sha256": hashlib.sha256(lexicon).hexdigest(),
        "data": {
            "set": dataset.name,
            "files": {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in dataset.files},
            "clips": len(of.names),
            "clips_per_family": dict(
                zip(of.families, of.displayed.sum(axis=0).tolist(), strict=True)
            ),
            "labels_of_no_family": dict(sorted(of.unknown.items(), key=lambda x: (-x[1], x[0]))),
        },
        "settings": dict(settings),
        "learnt_families": [f for f, yes in zip(of.families, fitted.learnt, strict=True) if yes],
        "offsets": dict(zip(of.families, fitted.offsets.round(4).tolist(), strict=True)),
        "calibration": {"scale": round(line.scale, 4), "offset": round(line.offset, 4)},
        "cross_validation": {name: list(e._asdict().values()) for name, e in scores.items()},
    }


def _rows(of: Examples, prior: Floats, fitted: Weights, name: str) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [("cue", "family", "log_odds", "source")]
    for i, cue in enumerate(of.cues):
        for j, family in enumerate(of.families):
            moved = abs(fitted.log_odds[i, j] - prior[i, j]) >= ROUNDED_AWAY
            if fitted.learnt[j] and moved:
                rows.append((cue, family, f"{fitted.log_odds[i, j]:.3f}", name))
    return rows
