import numpy as np
import pytest
from drawn_grid import BLUE_ON_GREEN, GREY, drawn

from ecgdig.degrade import apply
from ecgdig.grid.flat import GeometryError, find_grid
from ecgdig.page import PLAIN, Layout, Page, Paper, Segment, render
from ecgdig.page.strokes import line_profile
from ecgdig.recording import Recording


def beats(rng, seconds=10.0, fs=250.0):
    t = np.arange(int(seconds * fs)) / fs
    wave = np.zeros_like(t)
    for beat in np.arange(0.35, seconds, 0.83):
        wave += 1.1 * np.exp(-(((t - beat) / 0.012) ** 2)) + 0.25 * np.exp(-(((t - beat - 0.25) / 0.05) ** 2))
    return wave + 0.02 * rng.standard_normal(len(t))


def written(image, px_per_mm, rng):
    """The image with three traces and some words' worth of dark boxes."""
    out = image.copy()
    h, w = out.shape[:2]
    for level in (0.3, 0.55, 0.8):
        wave = beats(rng)
        x = np.arange(round(0.05 * w), round(0.95 * w))
        y = level * h - 10 * px_per_mm * np.interp(x / (25 * px_per_mm), np.arange(len(wave)) / 250.0, wave)
        for a, b, c in zip(x[:-1], y[:-1], y[1:], strict=True):
            out[max(int(min(b, c)), 0) : int(max(b, c)) + 2, a] = 25
    for _ in range(12):
        x0, y0 = int(rng.integers(0, w // 2)), int(rng.integers(0, h // 8))
        out[y0 : y0 + round(2.5 * px_per_mm), x0 : x0 + max(round(0.4 * px_per_mm), 1)] = 30
    return out


def drift_mm(grid, matrix, image):
    """Greatest difference of distances over the image, in mm, and distance of the zeros modulo the large square."""
    h, w = image.shape[:2]
    y, x = np.mgrid[0:h:9j, 0:w:9j]
    px = np.stack([x.ravel(), y.ravel()], axis=1)
    true = px @ matrix[:, :2].T + matrix[:, 2]
    off = grid.warp().to_mm(px) - true
    middle = np.median(off, axis=0)
    return float(np.abs(off - middle).max()), float(np.abs((middle + 2.5) % 5 - 2.5).max())


@pytest.mark.parametrize(
    "px_per_mm, angle, options",
    [
        (2.6, 0.0, {"colours": GREY, "size_mm": (250.0, 190.0)}),
        (4.03, 1.3, {}),
        (5.9, -7.7, {"colours": BLUE_ON_GREEN}),
        (7.874, 11.6, {}),
        (7.3, 0.3, {"colours": GREY}),
        (8.0, -0.5, {"stretch": 1.012}),
        (14.2, 2.2, {"size_mm": (120.0, 90.0)}),
        (6.3, 0.8, {"minor_mm": 0.0}),
        (5.1, -3.0, {"minor_mm": 0.0, "colours": GREY, "major_mm": 0.12}),
    ],
)
def test_pitch_angle_and_phase_of_a_drawn_grid_are_found(px_per_mm, angle, options):
    rng = np.random.default_rng(5)
    image, matrix = drawn(px_per_mm, angle_deg=angle, **options)
    grid = find_grid(written(image, px_per_mm, rng))
    drift, phase = drift_mm(grid, matrix, image)
    assert drift < 0.05
    assert phase < max(0.1, 0.5 / px_per_mm)  # of a pixel, where pixels are coarse
    assert grid.lines == ("5 mm" if options.get("minor_mm") == 0.0 else "1 mm and 5 mm")
    assert grid.angle_deg == pytest.approx(angle, abs=0.02)
    assert grid.support > 0.9


def test_lines_all_alike_are_told_apart_by_the_size_of_the_page():
    image, _ = drawn(5.0, (240.0, 180.0), major_mm=0.0)
    grid = find_grid(image)
    assert grid.lines == "1 mm"
    assert grid.px_per_mm == pytest.approx((5.0, 5.0), rel=2e-4)


def test_noise_blur_and_uneven_light_do_not_move_the_grid():
    rng = np.random.default_rng(2)
    image, matrix = drawn(6.7, angle_deg=1.9)
    light = np.linspace(1.0, 0.55, image.shape[1])[None, :, None]
    spoilt = np.clip(image * light + rng.normal(0, 10, image.shape), 0, 255).astype(np.uint8)
    drift, phase = drift_mm(find_grid(spoilt), matrix, image)
    assert drift < 0.05
    assert phase < 0.1


def test_the_origin_is_a_line_and_the_image_lies_below_and_right_of_it():
    image, _ = drawn(6.0, angle_deg=-4.0)
    grid = find_grid(image)
    h, w = image.shape[:2]
    corners = grid.warp().to_mm(np.array([(0, 0), (w - 1, 0), (0, h - 1), (w - 1, h - 1)], float))
    assert (corners.min(axis=0) > -0.1).all()
    assert (corners.min(axis=0) < 5.1).all()
    assert corners.max(axis=0) == pytest.approx(grid.size_mm, abs=0.5)


def test_a_grid_in_a_box_with_white_margins_is_found():
    image, matrix = drawn(6.0, (200.0, 150.0))
    image[:180] = 252
    image[:, :60] = 252
    drift, _ = drift_mm(find_grid(image), matrix, image)
    assert drift < 0.05


@pytest.mark.parametrize("kind", ["blank", "noise", "words", "stripes"])
def test_no_grid_is_said_so(kind):
    rng = np.random.default_rng(4)
    image = np.full((600, 800, 3), 250, np.uint8)
    if kind == "noise":
        image = rng.integers(0, 256, image.shape, dtype=np.uint8)
    if kind == "words":
        for y in range(20, 560, 22):
            for x in np.cumsum(rng.integers(5, 15, 70)):
                image[y : y + int(rng.integers(6, 14)), x : x + int(rng.integers(2, 6))] = 30
    if kind == "stripes":
        image[:, line_profile(800, 3.0, 8.0, 1.0) > 0.5] = 200
    with pytest.raises(GeometryError, match=r"no printed ECG grid|no common pitch|looks like a photo"):
        find_grid(image)


@pytest.mark.parametrize("bend", ["perspective", "curl"])
def test_a_page_that_is_not_flat_is_called_a_photo(bend):
    segment = Segment("II", 0, 0, 0.0, 5.0, 10.0, 60.0, 10.0, 25.0)
    recording = Recording(("II",), 250.0, beats(np.random.default_rng(0), 5.0)[None].astype(np.float32))
    page: Page = render(recording, Layout("1x1", Paper(150, 110), (segment,)), PLAIN, 150, np.random.default_rng(1))
    bent = apply(page, {bend: 0.9}, np.random.default_rng(3))
    with pytest.raises(GeometryError, match="not flat"):
        find_grid(bent.image)


@pytest.mark.parametrize("shape", [(1, 1, 3), (40, 2000, 3), (300, 300)])
def test_what_cannot_be_a_page_is_refused(shape):
    with pytest.raises(GeometryError):
        find_grid(np.zeros(shape, np.uint8))


@pytest.mark.parametrize("px_per_mm", [7.985, 8.4, 9.3, 10.6, 12.1])
@pytest.mark.parametrize("whole", [False, True])
def test_hairlines_of_5_mm_are_told_by_their_pitch_whichever_harmonic_is_strongest(px_per_mm, whole):
    image, _ = drawn(px_per_mm, (230.0, 170.0), minor_mm=0, major_mm=0.06)
    if whole:  # each on the nearest px
        image = np.full_like(image, 252)
        for k in range(46):
            at = round(3.2 + 5 * k * px_per_mm)
            image[:, at : at + 1] = image[at : at + 1] = (235, 200, 200)
    grid = find_grid(written(image, px_per_mm, np.random.default_rng(1)))
    assert grid.lines == "5 mm"
    assert grid.px_per_mm == pytest.approx((px_per_mm, px_per_mm), rel=2e-3)


@pytest.mark.parametrize("px_per_mm", [5.5, 7.5, 7.6943, 7.9])
def test_lines_drawn_on_whole_pixels_keep_their_pitch(px_per_mm):
    image = np.full((1500, 2200, 3), 250, np.uint8)
    for axis, length in ((0, 1500), (1, 2200)):
        for i in range(int(length / px_per_mm)):
            line = (slice(None),) * axis + (slice(round(i * px_per_mm), round(i * px_per_mm) + (1 if i % 5 else 2)),)
            image[line] = np.minimum(image[line], (240, 170, 170) if i % 5 else (230, 120, 120))
    assert find_grid(image).px_per_mm == pytest.approx((px_per_mm, px_per_mm), rel=1e-3)
