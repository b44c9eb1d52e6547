"""Draw the import graph of the installed package as Mermaid text: `python docs/import_graph.py`.

A node is a package (`tools/face`) or a module in a top folder (`tools/registry`). An arrow
is an import; an arrow that a longer way already shows is left out (transitive reduction).
"""

from __future__ import annotations

import grimp

ROOT = "emer"
Graph = dict[str, set[str]]


def node_of(module: str) -> str:
    """The node of a module: two folders deep at most, as in `tools/face` or `tools/registry`."""
    return "/".join(module.split(".")[1:3])


def package_graph() -> Graph:
    """Imports between packages, lazy imports included."""
    modules = grimp.build_graph(ROOT)
    edges: Graph = {}
    for module in sorted(modules.modules):
        for imported in modules.find_modules_directly_imported_by(module):
            start, end = node_of(module), node_of(imported)
            if start and end and start != end:
                edges.setdefault(start, set()).add(end)
    return edges


def reachable(graph: Graph, start: str, without: tuple[str, str] | None = None) -> set[str]:
    """The nodes that can be reached from `start`, one edge left out if given."""
    seen: set[str] = set()
    todo = [start]
    while todo:
        node = todo.pop()
        for end in graph.get(node, set()):
            if (node, end) != without and end not in seen:
                seen.add(end)
                todo.append(end)
    return seen


def reduced(graph: Graph) -> list[tuple[str, str]]:
    """The edges that no longer way replaces."""
    return [
        (start, end)
        for start in sorted(graph)
        for end in sorted(graph[start])
        if end not in reachable(graph, start, without=(start, end))
    ]


def drawing(graph: Graph) -> str:
    """The graph as a Mermaid flow chart."""
    lines = [f"    {a} --> {b}" for a, b in reduced(graph)]
    return "\n".join(["flowchart TD", *lines])


if __name__ == "__main__":
    print(drawing(package_graph()))
