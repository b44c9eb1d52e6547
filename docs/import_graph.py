"""Import levels of the installed package: `python docs/import_graph.py` prints them.

A name is a package (`tools/face`) or a module in a top folder (`tools/registry`). A level is the
longest way down, lazy imports included: each line imports lines below it only.
"""

from __future__ import annotations

from collections.abc import Mapping
from graphlib import TopologicalSorter

import grimp

ROOT = "emer"
Graph = Mapping[str, set[str]]


def name_of(module: str) -> str:
    """The name of a module: two folders deep at most."""
    return "/".join(module.split(".")[1:3])


def package_graph() -> Graph:
    """What each package or module in a top folder imports."""
    modules = grimp.build_graph(ROOT)
    edges: dict[str, set[str]] = {}
    for module in modules.modules:
        start = name_of(module)
        imported = map(name_of, modules.find_modules_directly_imported_by(module))
        edges.setdefault(start, set()).update(name for name in imported if name not in ("", start))
    return {name: names for name, names in edges.items() if "/" in name}


def levels(graph: Graph) -> list[list[str]]:
    """Names by level, the highest first; `graphlib.CycleError` where there is a circle."""
    depths: dict[str, int] = {}
    for name in TopologicalSorter(graph).static_order():
        depths[name] = 1 + max((depths[other] for other in graph.get(name, ())), default=-1)
    return [
        sorted(name for name in graph if depths[name] == depth)
        for depth in range(max(depths.values()), -1, -1)
    ]


def drawing(graph: Graph) -> str:
    """One line per level."""
    return "\n".join("  ".join(names) for names in levels(graph) if names)


if __name__ == "__main__":
    print(drawing(package_graph()))
