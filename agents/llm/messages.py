"""Messages to the model: the rules, then the clues, then the task.

The rules are the same for every clip, and rules and clues for every task; new clues are
appended to the known ones. So they are a prefix of later requests, which a server has in its
cache, and only the own task's instructions follow. Nothing about the clip's file is sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage

from emer.agents.llm.clue_list import ClueList, quoted
from emer.agents.questions.not_shown import missing_evidence
from emer.agents.types import Ask, Explanation, Hypothesis, Inquiry, Role
from emer.prompts.prompt import Language, Prompt, load

TASKS: dict[Role, str] = {
    "decider": "decide",
    "planner": "plan",
    "writer": "write",
    "critic": "criticise",
}
"""Task of each role: the fixed instructions are in the prompt named after the role, what
changes from clip to clip is in the prompt named after the task."""
TURNS, TURN_TEXT = 4, 400
"""Earlier turns that are sent, and characters of each answer."""
MOST_ASKS = 2
"""Closer looks of one plan: two are enough to separate two readings (chosen by us)."""


def begin(inquiry: Inquiry, language: Language) -> list[BaseMessage]:
    """Return the shared prefix of every task: the rules, and the clues."""
    clues = ClueList(inquiry.clues).lines()
    evidence = _load(language, "clues").substitute(duration=f"{inquiry.duration:g}", clues=clues)
    return [SystemMessage(_load(language, "rules").text), HumanMessage(evidence)]


def decider(inquiry: Inquiry, language: Language, analogies: Sequence[str] = ()) -> HumanMessage:
    """Return the decider's task; `analogies` are notes of the memory."""
    return _reminded(_task("decider", inquiry, language), analogies, language)


def planner(
    inquiry: Inquiry,
    candidates: Sequence[Hypothesis],
    language: Language,
    analogies: Sequence[str] = (),
) -> HumanMessage:
    """Return the planner's task.

    Args:
        inquiry: question, history and tools.
        candidates: the decider's readings.
        language: language of the prompt.
        analogies: notes of the memory.
    """
    also = f" {_load(language, 'asking').text.strip()}"
    tools = "\n".join(
        f"- {tool.name} ({tool.modality}): {tool.description}{also if tool.answers else ''}"
        for tool in inquiry.tools
    )
    task = _task(
        "planner",
        inquiry,
        language,
        candidates=_candidates(candidates, ClueList(inquiry.clues)),
        tools=tools,
        most=str(MOST_ASKS),
        duration=f"{inquiry.duration:g}",
    )
    return _reminded(task, analogies, language)


def writer(inquiry: Inquiry, candidates: Sequence[Hypothesis], language: Language) -> HumanMessage:
    """Return the writer's task."""
    return _task(
        "writer", inquiry, language, candidates=_candidates(candidates, ClueList(inquiry.clues))
    )


def critic(inquiry: Inquiry, draft: Explanation, language: Language) -> HumanMessage:
    """Return the critic's task."""
    clues = ClueList(inquiry.clues)
    lines = (
        f"{n}. {sentence.text} [{clues.cited(sentence.clue_ids)}]"
        for n, sentence in enumerate(draft.sentences, start=1)
    )
    return _task("critic", inquiry, language, sentences="\n".join(lines))


def repair(problem: str, language: Language) -> HumanMessage:
    """Return the message that asks for the same answer once more."""
    return HumanMessage(_load(language, "repair").substitute(problem=problem))


def with_form(task: BaseMessage, form: str, language: Language) -> BaseMessage:
    """The task with the form of its reply, for a server that does not enforce it."""
    return HumanMessage(f"{task.content}\n{_load(language, 'form').substitute(form=form)}")


def probe(language: Language) -> HumanMessage:
    """Return a message that asks for nothing of a clip."""
    return HumanMessage(_load(language, "probe").text)


def _task(role: Role, inquiry: Inquiry, language: Language, **values: str) -> HumanMessage:
    """The role's instructions, then the task of this clip."""
    values["question"] = inquiry.question
    if role != "critic":
        values["context"] = _context(inquiry, language)
    filled = _load(language, TASKS[role]).substitute(**values)
    lines = [_load(language, role).text, *filled.split("\n")]
    return HumanMessage("\n".join(line for line in lines if line.strip()))


def _reminded(task: HumanMessage, analogies: Sequence[str], language: Language) -> HumanMessage:
    """The task after the analogies: behind the prefix that all tasks share."""
    if not analogies:
        return task
    notes = "\n".join(f"- {quoted(text)}" for text in analogies)
    reminder = _load(language, "analogies").substitute(analogies=notes)
    return HumanMessage(f"{reminder}\n{task.content}")


def _context(inquiry: Inquiry, language: Language) -> str:
    """Return earlier turns, missing modalities, refused asks and struck sentences."""
    parts: list[str] = []
    if turns := inquiry.history[-TURNS:]:
        listed = "\n".join(
            f"- {t.question} -> {', '.join(t.labels)}: {t.text[:TURN_TEXT]}" for t in turns
        )
        parts.append(_load(language, "history").substitute(turns=listed))
    if modalities := sorted({record.modality for record in inquiry.missing}):
        parts.append(_load(language, "missing").substitute(modalities=", ".join(modalities)))
    if named := missing_evidence(inquiry):
        reasons = "; ".join(record.why for record in named)
        parts.append(_load(language, "unshown").substitute(reasons=reasons))
    if inquiry.refused:
        asks = "; ".join(f"{_ask(r.ask)} ({r.why})" for r in inquiry.refused)
        parts.append(_load(language, "refused").substitute(asks=asks))
    if inquiry.rejected:
        struck = "\n".join(f"- {r.text} ({r.why})" for r in inquiry.rejected)
        parts.append(_load(language, "struck").substitute(sentences=struck))
    return "\n".join(parts)


def _candidates(candidates: Iterable[Hypothesis], clues: ClueList) -> str:
    listed = [
        f"{c.label} (for: {clues.cited(c.supports)}; against: {clues.cited(c.contradicts)})"
        for c in candidates
    ]
    return "; ".join(listed) or "-"


def _ask(ask: Ask) -> str:
    question = f", {ask.question!r}" if ask.question else ""
    return f"{ask.tool} {ask.span.start:g}-{ask.span.end:g} s{question}"


def _load(language: Language, name: str) -> Prompt:
    return load(f"llm/{language}/{name}")
