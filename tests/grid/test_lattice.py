import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from ecgdig.grid.lattice import (
    common_angle,
    cut_tiles,
    fit_wave,
    line_profile,
    phasors,
    power_of,
    radial,
    thin,
)


def waves(shape, k, phase, noise=0.0):
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]]
    rng = np.random.default_rng(1)
    return (np.cos(2 * np.pi * (k[0] * x + k[1] * y + phase)) + noise * rng.standard_normal(shape)).astype(np.float32)


def test_phasors_agree_with_the_direct_sum():
    dark = np.random.default_rng(0).standard_normal((64, 90)).astype(np.float32)
    window = np.hanning(34)[1:-1].astype(np.float32)
    corners = np.array([(0, 0), (40, 20)])
    got = phasors(dark, corners, 32, window, 0.11, -0.03)
    y, x = np.mgrid[0:64, 0:90]
    turned = dark * np.exp(-2j * np.pi * (0.11 * x - 0.03 * y))
    want = [(turned[b : b + 32, a : a + 32] * window[:, None] * window).sum() for a, b in corners]
    assert got == pytest.approx(np.array(want), abs=1e-3)


@pytest.mark.parametrize("noise", [0.0, 2.0])
def test_a_wave_is_fitted_far_below_a_pixel(noise):
    k, phase = (0.1613, 0.0147), 0.37
    dark = waves((500, 700), k, phase, noise)
    wave = fit_wave(dark, cut_tiles(dark), (k[0] + 0.0008, k[1] - 0.0008))
    assert wave.k == pytest.approx(k, abs=1e-5)
    assert abs((wave.phase - phase + 0.5) % 1 - 0.5) < 0.02
    assert wave.coherence > 0.95


def test_the_common_angle_of_two_families_is_found():
    a = np.radians(5.3)
    dark = waves((512, 512), (0.15 * np.cos(a), 0.15 * np.sin(a)), 0.1)
    dark = dark + waves((512, 512), (-0.15 * np.sin(a), 0.15 * np.cos(a)), 0.6)
    tiles = cut_tiles(dark)
    assert np.degrees(common_angle(tiles.mean_excess(), tiles.size)) == pytest.approx(5.3, abs=0.4)


def test_the_profile_across_lines_peaks_on_them():
    dark = waves((200, 300), (0.05, 0.0), 0.0)
    profile, first = line_profile(dark, fit_wave(dark, cut_tiles(dark), (0.05, 0.0)))
    peak = first + 0.5 * float(np.argmax(profile[80:120]) + 80)
    assert abs((peak * 0.05 + 0.5) % 1 - 0.5) < 0.05


def test_lines_stay_and_edges_go() -> None:
    x = np.arange(200)
    edge = np.where(x > 90, 0.8, 0.0) + 0.002 * x
    line = np.exp(-(((x - 60.3) / 1.5) ** 2)) + np.exp(-(((x - 120.6) / 1.5) ** 2))
    out = thin(np.tile(edge + line, (5, 1)), 9)[2]
    for at in (60.3, 120.6):
        near = slice(round(at) - 4, round(at) + 5)
        assert abs((out[near] * x[near]).sum() / out[near].sum() - at) < 0.1
        assert out[near].max() > 0.9
    assert out[80:110].max() < 0.03


@pytest.mark.parametrize("side", [64, 192])
def test_the_power_of_a_tile_is_that_of_its_spectrum(side: int) -> None:
    tile = np.random.default_rng(side).standard_normal((side, side)).astype(np.float32)
    assert power_of(tile) == pytest.approx(np.abs(np.fft.rfft2(tile)) ** 2, abs=1e-3 * side**2)


def test_a_spectrum_is_sampled_as_scipy_samples_it() -> None:
    spectrum = np.random.default_rng(0).standard_normal((64, 33)).astype(np.float32)
    angles, radii = np.radians(np.arange(-60, 150, 7.0)), np.arange(3.0, 30.0, 0.7)
    x, y = np.cos(angles)[:, None] * radii, np.sin(angles)[:, None] * radii
    at = [np.where(x < 0, -y, y) % 64, np.abs(x)]
    expected = map_coordinates(spectrum, at, order=1, mode="grid-wrap", prefilter=False)
    np.testing.assert_allclose(radial(spectrum, angles, radii), expected, atol=1e-5)
