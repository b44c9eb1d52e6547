"""Explain one clip and print the most memory it took: `python -m emer.evals.peak CLIP`."""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path


def main() -> None:
    """Print the clip's length (s) and the peak memory (MB) of this process and its children."""
    from emer.graphs.ask import ask
    from emer.tools.clip import Clip

    path = Path(sys.argv[1])
    ask(path)
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    found = {"seconds": Clip.open(path).duration, "megabytes": (own + children) / 1024}
    print(json.dumps(found))


if __name__ == "__main__":
    main()
