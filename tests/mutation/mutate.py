"""Changes one operator, number, call or return at a time; prints what no test notices.

    python tests/mutation/mutate.py --count 20 agents/rules/labels.py tests/agents/test_labels.py

Modules are mutated, files named `test_*` are run with `-x`, in a copy of the working tree. A run
four times as long as the unmutated one, and ten seconds more, counts as noticed.
"""

import argparse
import ast
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PAIRS: list[tuple[type[ast.AST], type[ast.AST]]] = [
    (ast.Lt, ast.LtE), (ast.Gt, ast.GtE), (ast.Lt, ast.GtE), (ast.Gt, ast.LtE),
    (ast.Eq, ast.NotEq), (ast.In, ast.NotIn), (ast.Is, ast.IsNot), (ast.And, ast.Or),
    (ast.Add, ast.Sub), (ast.Mult, ast.Div),
]  # fmt: skip


def variants(node: Any) -> Iterator[Any]:
    match node:
        case ast.Compare(ops=[op]):
            yield from (ast.Compare(node.left, [o], node.comparators) for o in swapped(op))
        case ast.BoolOp() | ast.BinOp():
            for other in swapped(node.op):
                yield type(node)(**{**dict(ast.iter_fields(node)), "op": other})
        case ast.UnaryOp(op=ast.Not()):
            yield node.operand
        case ast.Return(value=ast.expr() as value) if ast.unparse(value) != "None":
            yield ast.Return(ast.Constant(None))
        case ast.Expr(value=ast.Call()):
            yield ast.Pass()
        case ast.Call(func=ast.Name("abs" | "max" | "min" | "round"), args=[first, *_]):
            yield first
        case ast.Constant():
            yield from map(ast.Constant, other_values(node.value))


def other_values(value: object) -> tuple[float, ...]:
    match value:
        case bool():
            return (not value,)
        case int():
            return value + 1, value - 1
        case float():
            return (value * 0.6, value * 1.5) if value else (0.1, -0.1)
    return ()


def swapped(op: Any) -> list[Any]:
    both = [*PAIRS, *((b, a) for a, b in PAIRS)]
    return [other() for one, other in both if type(op) is one]


def mutants(path: Path) -> list[tuple[str, bytes]]:
    """Where and what was changed, and the module's text with that change."""
    text = path.read_bytes()
    tree, found = ast.parse(text), []
    lines = [0, *(i + 1 for i, byte in enumerate(text) if byte == ord("\n"))]
    fixed: set[ast.AST] = set()  # annotations and decorators
    node: Any
    for node in ast.walk(tree):
        parts = [getattr(node, "annotation", None), getattr(node, "returns", None)]
        for part in filter(None, [*parts, *getattr(node, "decorator_list", [])]):
            fixed.update(ast.walk(part))
    for node in ast.walk(tree):
        for new in variants(node) if node not in fixed else ():
            start = lines[node.lineno - 1] + node.col_offset
            end = lines[node.end_lineno - 1] + node.end_col_offset
            words = f"({ast.unparse(new)})" if isinstance(new, ast.expr) else ast.unparse(new)
            label = f"{path}:{node.lineno}: {text[start:end].decode()} -> {words}"
            found.append((label, text[:start] + words.encode() + text[end:]))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=20)
    arguments = parser.parse_args()
    tests = [str(f) for f in arguments.files if f.name.startswith("test_")]
    modules = [f for f in arguments.files if str(f) not in tests]
    every = [(module, *one) for module in modules for one in mutants(module)]
    chosen = random.Random(arguments.seed).sample(every, min(arguments.count, len(every)))
    noticed = 0
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder, "tree")
        shutil.copytree(ROOT, tree, symlinks=True, ignore=shutil.ignore_patterns(".git", ".venv"))
        env = {**os.environ, "PYTHONPATH": str(tree / ".typing"), "PYTHONDONTWRITEBYTECODE": "1"}
        how: dict[str, Any] = {"cwd": tree, "env": env, "stdout": subprocess.DEVNULL}
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-x", "-q", *tests]
        started = time.monotonic()
        subprocess.run(command, check=True, **how)
        limit = 10 + 4 * (time.monotonic() - started)
        for module, label, changed in chosen:
            (tree / module).write_bytes(changed)
            try:
                survived = not subprocess.run(command, check=False, timeout=limit, **how).returncode
            except subprocess.TimeoutExpired:
                survived = False
            shutil.copy(module, tree / module)
            noticed += not survived
            print("survived" if survived else "noticed ", label.replace("\n", " "), flush=True)
    print(f"{noticed} of {len(chosen)} noticed, of {len(every)} possible; seed {arguments.seed}")


if __name__ == "__main__":
    main()
