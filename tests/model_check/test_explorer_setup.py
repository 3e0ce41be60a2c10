"""What a thread does in one piece (bwx_setup_begin) hides nothing of what comes before it."""

from __future__ import annotations

import pytest

from model_check.explorer import Options
from tests.exploring import explored

# The reader may come between the two stores, or after both: that the last store to x is in one
# piece with the one before must not keep the search from the first.
LAST_STORE_IN_A_PIECE = """
static atomic_int x; static int a;
THREAD(writer) {
    STORE(x, 1, release);
    STORE(x, 2, release);
    bwx_setup_begin(); STORE(x, 3, release); bwx_setup_end();
    END;
}
THREAD(reader) { a = LOAD(x, acquire); END; }
int main(void) { RUN(writer, reader); bwx_outcome("%d", a); return 0; }
"""


@pytest.mark.parametrize("order", ["writer, reader", "reader, writer"])
def test_a_store_before_a_piece_that_stores_again_can_be_read_in_sc(order: str) -> None:
    text = LAST_STORE_IN_A_PIECE.replace("writer, reader", order)
    result = explored(text, Options(model="sc"))
    assert result.exhaustive
    assert set(result.outcomes) == {"0", "1", "3"}


def test_in_rc11_what_is_in_a_piece_can_be_seen_one_by_one() -> None:
    result = explored(LAST_STORE_IN_A_PIECE, Options(model="rc11"))
    assert result.exhaustive
    assert set(result.outcomes) == {"0", "1", "2", "3"}
