"""The table of environments met: what was put in is found, and what is kept on forgetting is the most used."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from drylab.kernels.recall import forgotten, found_or_added

SLOTS, START = 64, 16  # a table of its own between others
WORD = st.integers(0, 2**64 - 1)
KEYS = st.lists(st.tuples(WORD, WORD), min_size=1, max_size=40, unique_by=lambda key: key[1])


def look(table: np.ndarray, key: tuple[int, int], following: int) -> int:
    return int(found_or_added(table, START, SLOTS, np.uint64(key[0]), np.uint64(key[1]), following))


def filled(keys: list[tuple[int, int]]) -> tuple[np.ndarray, dict[tuple[int, int], int]]:
    table, rows = np.zeros((START + SLOTS + 8, 2), np.uint64), dict[tuple[int, int], int]()
    for key in keys:
        row = look(table, key, len(rows))
        assert row == rows.get(key, -1)
        rows.setdefault(key, len(rows))
    return table, rows


@settings(max_examples=60, deadline=None)
@given(KEYS, st.booleans())
def test_what_was_put_in_is_found(keys: list[tuple[int, int]], crowded: bool) -> None:
    keys = [(low % 4 if crowded else low, high) for low, high in [*keys, *keys[:5]]]  # crowded: all begin in four slots
    table, rows = filled(keys)
    assert all(look(table, key, 99) == row for key, row in rows.items())
    assert not table[:START].any()
    assert not table[START + SLOTS :].any()


@settings(max_examples=60, deadline=None)
@given(KEYS, st.data())
def test_forgetting_keeps_the_most_used_where_they_are(keys: list[tuple[int, int]], data: st.DataObject) -> None:
    table, rows = filled(list(dict.fromkeys(keys)))
    uses = {key: data.draw(st.integers(0, 5)) for key in rows}
    for key, count in uses.items():
        for _ in range(count):
            look(table, key, 99)
    keep = data.draw(st.integers(0, len(rows)))
    places, order = np.zeros(40, np.uint64), np.arange(40, dtype=np.int32)
    for key, row in rows.items():
        places[row] = key[0]
    kept = forgotten(table, places, order, START, SLOTS, keep)
    assert kept <= keep
    left = {key: row for key in rows if (row := look(table.copy(), key, 99)) >= 0}
    assert all(row == rows[key] for key, row in left.items())
    assert sorted(left.values()) == order[:kept].tolist()  # those in use come first, and all others are free
    assert sorted(order.tolist()) == list(range(40))
    gone = [uses[key] for key in rows if key not in left]
    assert not gone or all(uses[key] > max(gone) for key in left)
    assert kept == keep or len({uses[key] for key in rows if uses[key] == max(gone, default=0)}) <= 1


def test_a_use_counts_no_higher_than_its_field() -> None:
    table, _ = filled([(1, 2)])
    for _ in range(1000):
        assert look(table, (1, 2), 99) == 0
    assert (table[START + 1, 1] >> np.uint64(32)) == 255
