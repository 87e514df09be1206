"""Line grids drawn with nothing else on them, for tests."""

import numpy as np

PINK = ((250, 205, 205), (235, 150, 150))
GREY = ((120, 120, 120), (70, 70, 70))
BLUE_ON_GREEN = ((190, 205, 235), (120, 150, 220))


def drawn(
    px_per_mm,
    size_mm=(180.0, 140.0),
    *,
    angle_deg=0.0,
    colours=PINK,
    minor_mm=0.12,
    major_mm=0.2,
    phase_mm=(1.7, 3.2),
    stretch=1.0,
):
    """A grid drawn analytically: RGB image, and the true affine map px -> mm as `(2, 3)`, zero on 5 mm lines."""
    w, h = (round(v * px_per_mm) for v in size_mm)
    y, x = np.mgrid[0:h, 0:w].astype(np.float64)
    c, s = np.cos(np.radians(angle_deg)), np.sin(np.radians(angle_deg))
    matrix = np.array(
        [
            [c / px_per_mm, s / px_per_mm, -phase_mm[0]],
            [-s * stretch / px_per_mm, c * stretch / px_per_mm, -phase_mm[1]],
        ]
    )
    image = np.full((h, w, 3), 252.0)
    mm = [row[0] * x + row[1] * y + row[2] for row in matrix]
    for colour, step, width in ((colours[0], 1.0, minor_mm), (colours[1], 5.0, major_mm)):
        if width == 0:
            continue
        cover = np.zeros((h, w))
        for u in mm:
            away = np.abs((u + step / 2) % step - step / 2)
            cover = np.maximum(cover, np.clip((width / 2 - away) * px_per_mm + 0.5, 0, min(1.0, width * px_per_mm)))
        image = image * (1 - cover[..., None]) + np.array(colour) * cover[..., None]
    return np.clip(image + 0.5, 0, 255).astype(np.uint8), matrix
