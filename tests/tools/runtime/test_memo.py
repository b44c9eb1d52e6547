"""A memo computes what it keeps once, and what it may not keep each time."""

from __future__ import annotations

from emer.tools.runtime.memo import Memo


def test_a_value_that_may_not_be_kept_is_computed_again() -> None:
    memo: Memo[int] = Memo(4)
    numbers = iter(range(10))
    asked: list[int] = []

    def keep() -> bool:
        asked.append(1)
        return len(asked) > 2

    assert [memo.get("a", lambda: next(numbers), keep) for _ in range(5)] == [0, 1, 2, 2, 2]
    assert len(asked) == 3
