"""Regenerate what the documentation shows of the program: answer, JSON Schema and cue table.

    python docs/generate.py            # from the root of the repository, emer installed
    python docs/generate.py --cues     # the cue table alone

Writes the sample answer in README.md, docs/answer.svg, docs/trace.svg, docs/answer.schema.json and
docs/cues.md.
"""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from rich.console import Console, Group
from rich.text import Text

from emer.agents.lexicon.cue_parser import mentions_in
from emer.agents.lexicon.lexicon import Channel, Cue, lexicon
from emer.agents.rules.passages import markers
from emer.agents.types import Explanation
from emer.app.render.answer import clue_table, explanation_page
from emer.graphs.answer import answer_schema
from emer.tools.cues import cue_names
from emer.tools.types import Clue

ROOT = Path(__file__).parents[1]
WIDTH = 108
"""Characters of a line of the sample in README.md."""
FIGURE_WIDTH = 96
BEGIN, END = "$ emer ask demo.mp4\n", "```\n\n## Set up"

QUOTES = {
    "question": "Are you coming?",
    "rhetorical": "Do you really believe that?",
    "exclamation": "There he is!",
    "thanks": "Thank you for coming.",
    "apology": "I am so sorry.",
    "blame": "This is your fault.",
    "threat": "I'm warning you.",
    "insult": "Shut up.",
    "command": "Come here.",
    "refusal": "Absolutely not.",
    "wish": "I hope it works.",
    "praise": "Well done.",
    "joy_words": "This is great news.",
    "excited_words": "How exciting!",
    "laughter_token": "Haha.",
    "love_words": "I love you.",
    "comfort": "Don't worry.",
    "grief_words": "My father passed away.",
    "fear_words": "Save me.",
    "worry_words": "What if we are late?",
    "surprise_words": "Oh my god.",
    "disgust_words": "How disgusting.",
    "confusion_words": "I don't understand.",
    "regret_words": "If only I had known.",
    "helpless_words": "There's nothing I can do.",
    "complaint": "That is not fair.",
    "shame_words": "This is embarrassing.",
    "tired_words": "This is exhausting.",
    "grievance": "You hurt me.",
    "hate_words": "I hate you.",
    "contempt_words": "Big deal.",
    "irony": "Yeah, right.",
    "insistence": "I am telling you.",
    "plea": "I beg you.",
    "offer": "Let me help you.",
    "greeting": "Good morning.",
    "agreement": "Of course.",
    "hesitation_words": "Um, I don't know how to say this.",
    "interest_words": "Tell me more.",
    "defence": "It wasn't me.",
    "advice": "You should rest.",
    "unpleasant_words": "There was an accident.",
    "pleasant_words": "The wedding is tomorrow.",
}
"""Words of a speaker that are read as each cue of the text channel."""


INTRODUCTION = """# Cues

Every cue of the lexicon (`agents/lexicon/cues.csv`), with a phrase that is read as it and its name
in Chinese (`tools/cues.csv`); made by `docs/generate.py`. The ids are those of typed cues. In a
sentence: "The person shows furrowed brows at 1.2-2.0 s.", "The voice shows a raised pitch.", "The
person says: 'Come here.'". Many other sentences are read as well:
`patterns.csv` holds the patterns of what is seen and heard, in English and Chinese. What a speaker
says is read with its grammar (`agents/utterances`, `words.csv`): a feeling counts where the
speaker says it of oneself, not of others, in a question, a condition or another's words; what is
denied counts against it, and a name is no feeling.
[Writing a tool](tools.md) describes how sentences are read.

## Sentences of our own tools
"""
TITLES = {"visual": "Seen (face and scene)", "audio": "Heard (audio)", "text": "Said (text)"}
SENTENCES: tuple[tuple[str, Channel], ...] = (
    ("The person smiles clearly with the mouth closed at 5.2-7.0 s (AU12).", "visual"),
    ("The person raises the eyebrows clearly at 1.4-3.1 s (AU1+2, intensity C).", "visual"),
    ("The person blinks 2 times in 8.4 s.", "visual"),
    ("The intonation is varied at 1.2-4.9 s (pitch range 6.8 semitones).", "audio"),
    ("The pitch rises sharply at 2.3-5.3 s (+4.8 semitones).", "audio"),
    ("The person speaks at a moderate rate (3.5 syllables per second) at 1.2-4.9 s.", "audio"),
)


def example(cue: Cue) -> str:
    """Return a sentence that is read as the cue; words of the speaker for the text channel."""
    if cue.channel == "text":
        return QUOTES[cue.key]
    subject = "The person shows" if cue.channel == "visual" else "The voice shows"
    return f"{subject} {cue.phrase}."


def cue_table() -> str:
    """Return docs/cues.md: every cue, how it is named, and sentences that are read as cues."""
    lines = [INTRODUCTION, "| sentence | cues |", "|---|---|"]
    for sentence, channel in SENTENCES:
        found = ", ".join(f"`{m.cue}`" for m in mentions_in(sentence, channel)) or "none"
        lines.append(f"| {sentence} | {found} |")
    own = [cue for cue in lexicon().cues.values() if not is_emotion_word(cue)]
    for channel, title in TITLES.items():
        lines += ["", f"## {title}", "", "| cue | phrase | in Chinese |", "|---|---|---|"]
        lines += [
            f"| `{cue.key}` | {QUOTES.get(cue.key, cue.phrase)} | {cue_names()[cue.key].chinese} |"
            for cue in own
            if cue.channel == channel
        ]
    return "\n".join([*lines, "", *families(), *neutral(), ""])


def is_emotion_word(cue: Cue) -> bool:
    """Tell whether the cue is an emotion word, of which each family has three."""
    return cue.key.startswith(("named_", "heard_", "said_"))


def families() -> list[str]:
    """Return the lines of the families and their labels."""
    words = lexicon()
    lines = [
        "## Emotion words",
        "",
        "Each family has the cues `named_FAMILY` (seen), `heard_FAMILY`",
    ]
    lines += [
        "(heard) and `said_FAMILY` (said of oneself).",
        "",
        "| family | labels |",
        "|---|---|",
    ]
    for family in words.families:
        labels = ", ".join(label.name for label in words.labels if label.family == family)
        lines.append(f"| `{family}` | {labels} |")
    return lines


def neutral() -> list[str]:
    """Return the lines of the cues that are not weighed."""
    lines = ["", "## Neutral", "", "Stated by our tools, and evidence of nothing.", ""]
    lines += ["| cue | name | in Chinese |", "|---|---|---|"]
    names = {key: name for key, name in cue_names().items() if key not in lexicon().cues}
    return lines + [f"| `{key}` | {n.english} | {n.chinese} |" for key, n in names.items()]


def check_examples() -> None:
    """Exit where a sentence of the table is not read as its cue."""
    wrong = [
        cue.key
        for cue in lexicon().cues.values()
        if not is_emotion_word(cue)
        and cue.key not in {m.cue for m in mentions_in(example(cue), cue.channel, exact=False)}
    ]
    if wrong:
        sys.exit(f"not read as their cues: {', '.join(wrong)}")


def figure(record: dict[str, Any]) -> str:
    """Return the answer with the clues that it cites as SVG."""
    written = Explanation.model_validate(record["explanation"])
    cited = {i for label in written.labels for i in label.clue_ids}
    short = written.model_copy(update={"alternatives": ()})
    clues = [clue for clue in map(Clue.model_validate, record["clues"]) if clue.id in cited]
    console = Console(record=True, width=FIGURE_WIDTH, file=io.StringIO(), force_terminal=True)
    question = Text(str(record["question"]), style="italic")
    console.print(
        Group(question, Text(), explanation_page(short), clue_table(clues, markers(short)))
    )
    svg = console.export_svg(title="emer ask demo.mp4", unique_id="emer-answer")
    return re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL)  # fonts of another host


def run(folder: Path, *arguments: str) -> str:
    """Return what a command of emer prints."""
    environment = {**os.environ, "COLUMNS": str(WIDTH), "EMER_HOME": str(folder / "home")}
    command = [sys.executable, "-m", "emer.app", *arguments]
    done = subprocess.run(
        command, cwd=folder, env=environment, check=True, stdout=subprocess.PIPE, text=True
    )
    return done.stdout


def sample(printed: str) -> str:
    """Return the printed answer without its last line, the run, and without blanks at line ends."""
    lines = [line.rstrip() for line in printed.strip().splitlines()]
    return "\n".join(lines[:-1]).strip() + "\n"


def demo_answer(folder: Path) -> tuple[str, dict[str, Any]]:
    """Return the demo's answer as it is printed, and as JSON."""
    shutil.copy(ROOT / "app" / "assets" / "demo.mp4", folder)
    printed = sample(run(folder, "ask", "demo.mp4"))
    return printed, json.loads(run(folder, "ask", "demo.mp4", "--json"))


def main() -> None:
    """Write the files."""
    check_examples()
    (ROOT / "docs" / "cues.md").write_text(cue_table(), encoding="utf-8")
    if "--cues" in sys.argv:
        return
    with tempfile.TemporaryDirectory(prefix="emer-docs-") as folder:
        printed, record = demo_answer(Path(folder))
        run(Path(folder), "trace", "show", "last", "--svg", str(ROOT / "docs" / "trace.svg"))
    schema = json.dumps(answer_schema(), indent=2, ensure_ascii=False)
    (ROOT / "docs" / "answer.schema.json").write_text(schema + "\n", encoding="utf-8")
    readme = ROOT / "README.md"
    before, _, rest = readme.read_text(encoding="utf-8").partition(BEGIN)
    readme.write_text(before + BEGIN + printed + rest[rest.index(END) :], encoding="utf-8")
    (ROOT / "docs" / "answer.svg").write_text(figure(record), encoding="utf-8")


if __name__ == "__main__":
    main()
