from __future__ import annotations

import cv2
import numpy as np
import pytest

from ecgdig.page.codes import _WIDTHS, code_128, qr_code


def test_a_qr_code_can_be_read() -> None:
    code = qr_code("ECG1234567890")
    big = np.kron(np.pad(255 - code, 4, constant_values=255), np.ones((8, 8), np.uint8))
    assert cv2.QRCodeDetector().detectAndDecode(big)[0] == "ECG1234567890"


def test_the_table_of_symbols_is_that_of_the_standard() -> None:
    assert len(_WIDTHS) == len(set(_WIDTHS)) == 107
    for symbol in _WIDTHS[:-1]:
        widths = [int(w) for w in symbol]
        assert sum(widths) == 11
        assert sum(widths[::2]) % 2 == 0  # bars of every symbol have an even sum
    assert _WIDTHS[-1] == "2331112"


def test_a_barcode_can_be_read_back() -> None:
    bars = code_128("PJJ123C") > 0
    edges = np.flatnonzero(np.diff(bars.astype(int))) + 1
    widths = np.diff(np.concatenate([[0], edges, [bars.size]]))
    symbols = ["".join(map(str, widths[i : i + 6])) for i in range(0, widths.size - 7, 6)]
    values = [_WIDTHS.index(symbol) for symbol in symbols]
    assert values[0] == 104
    assert "".join(chr(v + 32) for v in values[1:-1]) == "PJJ123C"
    assert values[-1] == (104 + sum(i * v for i, v in enumerate(values[1:-1], 1))) % 103


@pytest.mark.parametrize("text", ["", "é", "\n"])
def test_what_a_barcode_lacks_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="Code 128"):
        code_128(text)
