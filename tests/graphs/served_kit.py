"""What the tests of the served graph share: settings of fake tools, in words of the environment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from langgraph.checkpoint.memory import InMemorySaver

from emer.graphs.server import graph

TOOLS = {"FACE": "graph_fakes:Smile", "PROSODY": "graph_fakes:Loud", "SCENE": "none"}


def environment(
    home: Path, root: Path, speech: str = "none", reasoner: str = "rules"
) -> dict[str, str]:
    """Return the EMER_ variables of a server that works with fakes."""
    tools = {f"EMER_TOOLS__{slot}__USE": use for slot, use in {**TOOLS, "SPEECH": speech}.items()}
    return {
        **tools,
        "EMER_HOME": str(home),
        "EMER_SERVE_ROOT": str(root),
        "EMER_REASONER__USE": reasoner,
    }


def served() -> Any:
    """Return the served graph with a checkpointer of its own, as a server has it."""
    return graph.copy(update={"checkpointer": InMemorySaver()})


def thread(name: str = "t") -> dict[str, Any]:
    """Return the config of a thread."""
    return {"configurable": {"thread_id": name}}
