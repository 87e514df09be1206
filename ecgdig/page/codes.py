"""QR codes and Code 128 barcodes as matrices of dark modules."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

QUIET_MODULES = 2  # white modules around a QR code that the encoder leaves
_START_B, _STOP = 104, 106
# widths of bars and spaces in modules, bar first, for each of the 107 symbols: ISO/IEC 15417
_WIDTHS = [
    "212222",
    "222122",
    "222221",
    "121223",
    "121322",
    "131222",
    "122213",
    "122312",
    "132212",
    "221213",
    "221312",
    "231212",
    "112232",
    "122132",
    "122231",
    "113222",
    "123122",
    "123221",
    "223211",
    "221132",
    "221231",
    "213212",
    "223112",
    "312131",
    "311222",
    "321122",
    "321221",
    "312212",
    "322112",
    "322211",
    "212123",
    "212321",
    "232121",
    "111323",
    "131123",
    "131321",
    "112313",
    "132113",
    "132311",
    "211313",
    "231113",
    "231311",
    "112133",
    "112331",
    "132131",
    "113123",
    "113321",
    "133121",
    "313121",
    "211331",
    "231131",
    "213113",
    "213311",
    "213131",
    "311123",
    "311321",
    "331121",
    "312113",
    "312311",
    "332111",
    "314111",
    "221411",
    "431111",
    "111224",
    "111422",
    "121124",
    "121421",
    "141122",
    "141221",
    "112214",
    "112412",
    "122114",
    "122411",
    "142112",
    "142211",
    "241211",
    "221114",
    "413111",
    "241112",
    "134111",
    "111242",
    "121142",
    "121241",
    "114212",
    "124112",
    "124211",
    "411212",
    "421112",
    "421211",
    "212141",
    "214121",
    "412121",
    "111143",
    "111341",
    "131141",
    "114113",
    "114311",
    "411113",
    "411311",
    "113141",
    "114131",
    "311141",
    "411131",
    "211412",
    "211214",
    "211232",
    "2331112",
]


def qr_code(text: str) -> NDArray[np.uint8]:
    """QR code of `text` (without the quiet zone), uint8 `(n, n)`: 255 where a module is dark."""
    code = np.asarray(cv2.QRCodeEncoder.create().encode(text), np.uint8)
    inner = code[QUIET_MODULES:-QUIET_MODULES, QUIET_MODULES:-QUIET_MODULES]
    return np.asarray(255 - inner, np.uint8)


def code_128(text: str) -> NDArray[np.uint8]:
    """Code 128 (set B) of printable ASCII `text`, uint8 `(n,)`: 255 where a module is dark.

    Raises:
        ValueError: a character that set B lacks.
    """
    values = [ord(sign) - 32 for sign in text]
    if not text or not all(0 <= value <= 94 for value in values):
        raise ValueError(f"barcode of {text!r}; Code 128 B holds the printable ASCII characters, at least one")
    check = (_START_B + sum(i * value for i, value in enumerate(values, 1))) % 103
    widths = "".join(_WIDTHS[value] for value in (_START_B, *values, check, _STOP))
    return np.concatenate([np.full(int(w), 255 * (i % 2 == 0), np.uint8) for i, w in enumerate(widths)])
