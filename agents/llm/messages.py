"""What a model is told: the rules, then the clues, then the task at the very end.

The rules are the same for every clip and every task, and clues are only ever added
behind the known ones, so nearly all of a later request is the beginning of an earlier
one and can come from the server's prefix cache. Of the clip's file nothing is told.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import Literal

from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage

from emer.agents.questions.not_shown import missing_evidence
from emer.agents.types import Ask, Explanation, Hypothesis, Inquiry, Role
from emer.prompts.prompt import Prompt, load
from emer.tools.tool import ToolCard
from emer.tools.types import Clue

Language = Literal["en", "zh"]

TASKS: dict[Role, str] = {
    "decider": "decide",
    "planner": "plan",
    "writer": "write",
    "critic": "criticise",
}
"""What each role is given to do: its standing words are in a file of the role's name, what
changes from clip to clip in one of the task's."""
TURNS, TURN_TEXT = 4, 400
"""Earlier turns that are told, and characters of each answer."""
MOST_ASKS = 2
"""Closer looks of one plan: two are enough to part two readings (chosen by us)."""
_CHINESE = re.compile(r"[\u4e00-\u9fff]")


def language_of(question: str) -> Language:
    """Return the language to answer in: Chinese for a question with Chinese characters."""
    return "zh" if _CHINESE.search(question) else "en"


def prompt_of(role: Role, language: Language) -> str:
    """Return the name of the file with a role's standing words."""
    return f"llm/{language}/{role}"


def begin(inquiry: Inquiry, language: Language) -> list[BaseMessage]:
    """Return the messages that every task begins with: the rules of all roles, and the clues."""
    standing = [_load(language, name).text for name in ("rules", *TASKS)]
    clues = "\n".join(clue_line(clue) for clue in inquiry.clues)
    told = _load(language, "clues").substitute(duration=f"{inquiry.duration:g}", clues=clues)
    return [SystemMessage("\n\n".join(standing)), HumanMessage(told)]


def clue_line(clue: Clue) -> str:
    """Return a clue as one line of JSON in which nothing can be taken for a tag."""
    told: dict[str, object] = {"id": clue.id, "modality": clue.modality}
    if clue.span is not None:
        told["span"] = [clue.span.start, clue.span.end]
    if clue.person is not None:
        told["person"] = clue.person
    return _plain(told | {"quality": clue.quality.score, "says": clue.text})


def _plain(told: dict[str, object]) -> str:
    """Return JSON on one line in which nothing can be taken for a tag."""
    return json.dumps(told, ensure_ascii=False).replace("<", "\\u003c").replace(">", "\\u003e")


def decider(inquiry: Inquiry, language: Language, analogies: Sequence[str] = ()) -> HumanMessage:
    """Return the decider's task; `analogies` are what it may be reminded of."""
    context = _context(inquiry, language)
    task = _task("decider", language, question=inquiry.question, context=context)
    return _reminded(task, analogies, language)


def planner(
    inquiry: Inquiry,
    candidates: Sequence[Hypothesis],
    language: Language,
    analogies: Sequence[str] = (),
) -> HumanMessage:
    """Return the planner's task; `analogies` are what it may be reminded of."""
    tools = "\n".join(_tool(tool, language) for tool in inquiry.tools)
    task = _task(
        "planner",
        language,
        question=inquiry.question,
        context=_context(inquiry, language),
        candidates=_candidates(candidates),
        tools=tools,
        most=str(MOST_ASKS),
        duration=f"{inquiry.duration:g}",
    )
    return _reminded(task, analogies, language)


def writer(inquiry: Inquiry, candidates: Sequence[Hypothesis], language: Language) -> HumanMessage:
    """Return the writer's task."""
    return _task(
        "writer",
        language,
        question=inquiry.question,
        context=_context(inquiry, language),
        candidates=_candidates(candidates),
    )


def critic(inquiry: Inquiry, draft: Explanation, language: Language) -> HumanMessage:
    """Return the critic's task."""
    lines = (
        f"{n}. {sentence.text} [{', '.join(sentence.clue_ids)}]"
        for n, sentence in enumerate(draft.sentences, start=1)
    )
    return _task("critic", language, question=inquiry.question, sentences="\n".join(lines))


def repair(problem: str, language: Language) -> HumanMessage:
    """Return the message that asks for the same answer once more."""
    return HumanMessage(_load(language, "repair").substitute(problem=problem))


def _task(role: Role, language: Language, **values: str) -> HumanMessage:
    filled = _load(language, TASKS[role]).substitute(**values)
    return HumanMessage("\n".join(line for line in filled.split("\n") if line.strip()))


def _reminded(task: HumanMessage, analogies: Sequence[str], language: Language) -> HumanMessage:
    """Return the task behind the analogies, if there are any.

    Behind the clues they leave the beginning of the request as it is, and before the task
    they are part of what the decider and the planner of one round share.
    """
    if not analogies:
        return task
    notes = "\n".join(_plain({"note": text}) for text in analogies)
    told = _load(language, "analogies").substitute(analogies=notes)
    return HumanMessage(f"{told}\n{task.content}")


def _context(inquiry: Inquiry, language: Language) -> str:
    """Return what else bears on the task: earlier turns, what is missing, refused or struck."""
    parts: list[str] = []
    if turns := inquiry.history[-TURNS:]:
        told = "\n".join(
            f"- {t.question} -> {', '.join(t.labels)}: {t.text[:TURN_TEXT]}" for t in turns
        )
        parts.append(_load(language, "history").substitute(turns=told))
    if modalities := sorted({record.modality for record in inquiry.missing}):
        parts.append(_load(language, "missing").substitute(modalities=", ".join(modalities)))
    if named := missing_evidence(inquiry):
        told = "; ".join(record.why for record in named)
        parts.append(_load(language, "unshown").substitute(reasons=told))
    if inquiry.refused:
        asks = "; ".join(f"{_ask(r.ask)} ({r.why})" for r in inquiry.refused)
        parts.append(_load(language, "refused").substitute(asks=asks))
    if inquiry.rejected:
        struck = "\n".join(f"- {r.text} ({r.why})" for r in inquiry.rejected)
        parts.append(_load(language, "struck").substitute(sentences=struck))
    return "\n".join(parts)


def _candidates(candidates: Iterable[Hypothesis]) -> str:
    told = [
        f"{c.label} (for: {', '.join(c.supports)}; against: {', '.join(c.contradicts) or '-'})"
        for c in candidates
    ]
    return "; ".join(told) or "-"


def _tool(tool: ToolCard, language: Language) -> str:
    may = f" {_load(language, 'asking').text.strip()}" if tool.answers else ""
    return f"- {tool.name} ({tool.modality}): {tool.description}{may}"


def _ask(ask: Ask) -> str:
    asked = f", {ask.question!r}" if ask.question else ""
    return f"{ask.tool} {ask.span.start:g}-{ask.span.end:g} s{asked}"


def _load(language: Language, name: str) -> Prompt:
    return load(f"llm/{language}/{name}")
