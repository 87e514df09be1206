"""The constants of ECG paper, each derived from the one before; every name says its unit.

Coordinates on paper are millimetres, x to the right and y *down* from the top left corner of the sheet.
Coordinates in an image are pixels in OpenCV's convention: the centre of the top left pixel is (0, 0).
"""

from __future__ import annotations

MM_PER_INCH = 25.4
SMALL_SQUARE_MM = 1.0
LARGE_SQUARE_MM = 5.0

STANDARD_SPEED_MM_PER_S = 25.0  # paper speed; 12.5, 50 and 100 exist
STANDARD_GAIN_MM_PER_MV = 10.0  # 5 and 20 exist
PAPER_SPEEDS_MM_PER_S = (12.5, 25.0, 50.0, 100.0)
GAINS_MM_PER_MV = (5.0, 10.0, 20.0)
SPEED_RANGE_MM_PER_S, GAIN_RANGE_MM_PER_MV = (5.0, 200.0), (1.0, 80.0)  # beyond, no cart prints

SMALL_SQUARE_S = SMALL_SQUARE_MM / STANDARD_SPEED_MM_PER_S  # 0.04 s
SMALL_SQUARE_MV = SMALL_SQUARE_MM / STANDARD_GAIN_MM_PER_MV  # 0.1 mV

PULSE_MV = 1.0  # calibration pulse, IEC 60601-2-25
PULSE_S = 0.2

OUTPUT_FS = 500.0  # Hz, the rate of every recording read from a page

LIMB_LEADS = ("I", "II", "III", "aVR", "aVL", "aVF")
CHEST_LEADS = ("V1", "V2", "V3", "V4", "V5", "V6")
LEADS = LIMB_LEADS + CHEST_LEADS
CABRERA_LIMB_LEADS = ("aVL", "I", "-aVR", "II", "aVF", "III")


def px_per_mm(dpi: float) -> float:
    """Image pixels per paper millimetre at `dpi` dots per inch."""
    return dpi / MM_PER_INCH


def dpi(px_per_mm: float) -> float:
    """Dots per inch of an image with `px_per_mm` pixels per paper millimetre."""
    return px_per_mm * MM_PER_INCH
