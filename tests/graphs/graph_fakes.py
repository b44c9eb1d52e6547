"""Tools and reasoners that the graph tests name by import string."""

from __future__ import annotations

import os
import threading

from emer.agents.types import (
    Ask,
    Decision,
    Explanation,
    Hypothesis,
    Inquiry,
    Label,
    ModelCall,
    Sentence,
)
from emer.tools.errors import ConfigError, ToolMissing, Unobservable
from emer.tools.media.clip import Clip
from emer.tools.runtime import device as devices
from emer.tools.runtime.cancellation import note, still_wanted
from emer.tools.testing.fakes import FakeTool
from emer.tools.types import Clue, Param, Span

SMILE = ("The person smiles from 0.2-0.8 s.", 0.2, 0.8)
CLOSER = ("The person blinks 2 times at 0.4-0.5 s.", 0.4, 0.5)
LOUD = ("The voice is louder at 0.1-0.9 s.", 0.1, 0.9)
NEVER = threading.Event()


class Smile(FakeTool):
    def __init__(self, version: str = "1", amount: int = 1) -> None:
        super().__init__(
            "smile", "face", [SMILE], closer=[CLOSER], version=version, params={"amount": amount}
        )


class Again(FakeTool):
    """Tells of a smile, and at a closer look of the same one, in other numbers."""

    def __init__(self) -> None:
        first, again = (f"The person smiles ({n} frames)." for n in (18, 16))
        super().__init__("again", "face", [(first, 0.0, 0.5)], closer=[(again, 0.05, 0.5)])


class Described(FakeTool):
    """Describes, and answers what it is asked in words."""

    answers = True

    def __init__(self) -> None:
        told = "A model describes the frame at 0.5 s: a woman sits."
        super().__init__("described", "scene", [(told, 0.5, 0.5)])

    def answer(self, clip: Clip, span: Span, question: str) -> list[Clue]:
        told = f'Asked "{question}", a model answers for 0.2-0.8 s: a letter.'
        return [self.clue(told, span.start, span.end)]


class Many(FakeTool):
    def __init__(self) -> None:
        lines = [(f"The person blinks {n} times at 0.1-0.9 s.", 0.1, 0.9) for n in range(200)]
        super().__init__("many", "face", lines)


class Loud(FakeTool):
    def __init__(self) -> None:
        super().__init__("loud", "audio", [LOUD])


class Sobbing(FakeTool):
    def __init__(self) -> None:
        super().__init__("sobbing", "audio", [("Sobbing is heard at 0.1-0.9 s.", 0.1, 0.9)])


class Softer(FakeTool):
    def __init__(self) -> None:
        super().__init__("softer", "audio", [("The voice is softer at 0.3-0.6 s.", 0.3, 0.6)])


class Fickle(FakeTool):
    """Words the same smile otherwise when it looks closer."""

    def __init__(self) -> None:
        lines = [("The person smiles clearly at 0.2-0.5 s.", 0.2, 0.5)]
        closer = [("The person smiles strongly at 0.1-0.5 s.", 0.1, 0.5)]
        super().__init__("fickle", "face", lines, closer=closer)


class Pair(FakeTool):
    """Two people, told apart by number and place; something more in a closer look."""

    def __init__(self) -> None:
        lines = [
            ("Person 1 (on the left) smiles with the eyes narrowing at 0.1-0.3 s.", 0.1, 0.3),
            ("Person 2 (on the right) furrows the brows strongly at 0.1-0.3 s.", 0.1, 0.3),
        ]
        closer = [("Person 1 (on the left) nods at 0.7-0.9 s.", 0.7, 0.9)]
        super().__init__("pair", "face", lines, closer=closer)


class Tense(FakeTool):
    """A tense voice."""

    def __init__(self) -> None:
        lines = [("The voice sounds tense and sharp at 0.1-0.3 s.", 0.1, 0.3)]
        super().__init__("tense", "audio", lines)


class Crash(FakeTool):
    def __init__(self) -> None:
        super().__init__("crash", "scene", fail=RuntimeError("the lens\nfell off"))


class Refusing(FakeTool):
    def __init__(self) -> None:
        fail = ConfigError("refusing.language: the model does not know it; leave it at auto")
        super().__init__("refusing", "scene", fail=fail)


class FaceCrash(FakeTool):
    def __init__(self) -> None:
        super().__init__("facecrash", "face", fail=RuntimeError("no face"))


class Quit(FakeTool):
    def __init__(self) -> None:
        super().__init__("quit", "scene", fail=SystemExit(3))


class Hang(FakeTool):
    def __init__(self) -> None:
        super().__init__("hang", "scene", gate=NEVER)


class Dark(FakeTool):
    def __init__(self) -> None:
        super().__init__("dark", "scene", fail=Unobservable("the picture is black"))


class Absent(FakeTool):
    def __init__(self) -> None:
        raise ToolMissing("absent", "the package nosuch", "pip install nosuch")


class AbsentLater(FakeTool):
    def __init__(self) -> None:
        missing = ToolMissing("later", "weights", "emer fetch later")
        super().__init__("later", "scene", fail=missing)


class Nonsense(FakeTool):
    def __init__(self) -> None:
        super().__init__("nonsense", "scene")

    def observe(self, clip: Clip, span: Span | None = None) -> list[Clue]:
        return ["not a clue"]  # type: ignore[list-item]


class Together(FakeTool):
    """Waits until four of its kind are at work at once; alone it would wait for ever."""

    barrier = threading.Barrier(4)

    def __init__(self, number: int = 0) -> None:
        super().__init__(f"together{number}", "scene")
        self.number = number

    def observe(self, clip: Clip, span: Span | None = None) -> list[Clue]:
        self.barrier.wait(20)
        return []


class Interrupting(FakeTool):
    """Sends this process what Ctrl-C sends, then hangs."""

    def __init__(self) -> None:
        super().__init__("interrupting", "scene")

    def observe(self, clip: Clip, span: Span | None = None) -> list[Clue]:
        os.kill(os.getpid(), 2)
        NEVER.wait()
        return []


class Plain:
    """Stops at once and cites every clue."""

    name = "plain"

    def decide(self, inquiry: Inquiry) -> Decision:
        ids = tuple(clue.id for clue in inquiry.clues)
        return Decision(
            hypotheses=(Hypothesis(label="happy", probability=0.75, supports=ids),),
            stop_reason="sure",
        )

    def explain(self, inquiry: Inquiry, decision: Decision) -> Explanation:
        blocks = {"face": "video", "scene": "video", "audio": "audio", "text": "text"}
        return Explanation(
            sentences=tuple(
                Sentence(block=blocks[clue.modality], text=clue.text, clue_ids=(clue.id,))  # type: ignore[arg-type]
                for clue in inquiry.clues
            ),
            labels=(Label(name="happy", band="medium", clue_ids=(inquiry.clues[0].id,)),),
        )


class Asking(Plain):
    """Asks the first tool to look at another second each round, for ever."""

    name = "asking"

    def __init__(self, same: bool = False) -> None:
        self.same = same

    def decide(self, inquiry: Inquiry) -> Decision:
        at = 0.0 if self.same else len(inquiry.asked) / 10
        span = Span(start=at, end=at + 0.6)
        asks = [Ask(tool=t.name, span=span, why="closer") for t in inquiry.tools]
        stand = super().decide(inquiry)
        return stand.model_copy(update={"asks": tuple(asks), "stop_reason": None})


class Lying(Plain):
    """Adds a sentence that no clue carries, again and again."""

    def explain(self, inquiry: Inquiry, decision: Decision) -> Explanation:
        told = super().explain(inquiry, decision)
        lie = Sentence(block="video", text="The person cries.", clue_ids=(inquiry.clues[0].id,))
        return told.model_copy(update={"sentences": (*told.sentences, lie)})


class Costly(Plain):
    """Reports a request of 100 tokens and 0.5 of money at each decision; may break off after."""

    name = "costly"

    def __init__(self, breaks: bool = False) -> None:
        self.breaks = breaks

    def prepare(self) -> None:
        pass

    def report_to(self, hear):  # type: ignore[no-untyped-def]
        self.hear = hear

    def decide(self, inquiry: Inquiry) -> Decision:
        Costly.left = inquiry.budget
        call = {"role": "decider", "model": "m", "prompt": "", "outcome": "ok", "counted": True}
        spent = {"tokens_in": 60, "tokens_out": 40, "money": 0.5, "seconds": 0.0}
        self.hear(ModelCall(**call, **spent))
        if self.breaks and os.environ.get("COSTLY_BREAKS"):
            raise ZeroDivisionError
        return super().decide(inquiry)


class Broken(Plain):
    def decide(self, *args, **named):  # type: ignore[no-untyped-def]
        raise ZeroDivisionError


class Modelled(Loud):
    """Has a model that it loads and lets go, and something to say of how it went."""

    loads = 0

    def __init__(self, device: str = "auto", noted: bool = True) -> None:
        super().__init__()
        self._device, self._noted = device, noted

    @property
    def hardware(self) -> dict[str, Param]:
        return {"device": devices.pick(self._device), "dtype": "float32", "batch": 4}

    def load(self) -> None:
        type(self).loads += 1

    def unload(self) -> None:
        pass

    def observe(self, clip: Clip, span: Span | None = None) -> list[Clue]:
        if self._noted:
            note("cpu has no memory for 4 at a time; went on with 2")
        return super().observe(clip, span)


class Patient(FakeTool):
    """Works in steps and asks between them whether anybody waits."""

    ended = threading.Event()

    def __init__(self) -> None:
        super().__init__("patient", "scene")

    def observe(self, clip: Clip, span: Span | None = None) -> list[Clue]:
        try:
            while True:
                still_wanted()
                NEVER.wait(0.01)
        finally:
            self.ended.set()


class Weightless(FakeTool):
    def __init__(self) -> None:
        raise ToolMissing("weightless", "the weights w (2 GB)", "emer models pull w")
