from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial import cKDTree

from ecgdig.degrade.crumple import Facets, Wrinkles, crumple, wrinkles
from ecgdig.page import Paper

LETTER = Paper(279.4, 215.9)
X, Y = np.arange(0.0, 279.0, 1.5), np.arange(0.0, 215.0, 1.5)


def facets(seed: int, strength: float = 1.0) -> list[Facets]:
    reliefs = crumple(LETTER, strength, np.random.default_rng(seed)).reliefs
    return [relief for relief in reliefs if isinstance(relief, Facets)]


@pytest.mark.parametrize("seed", range(3))
def test_facets_are_half_the_difference_of_squared_distances(seed: int) -> None:
    """Against a k-d tree; edges sharp, no bend, equally strong everywhere."""
    for drawn in facets(seed):
        plain = replace(drawn, bend=drawn.bend * 0, soft=1e-9, patch=np.array([[0.0, 0.0], [0.0, 0.0], [1.0, 0.0]]))
        z = plain.displace(X, Y)[..., 2]
        at = np.stack(np.meshgrid(X, Y), -1).reshape(-1, 2) @ plain.matrix[:, :2].T + plain.matrix[:, 2]
        first, second = (cKDTree(sites.reshape(-1, 2)).query(at)[0] ** 2 for sites in plain.sites)
        cell_mm = 1 / np.sqrt(np.linalg.det(plain.matrix[:, :2]))
        np.testing.assert_allclose(z.ravel(), 0.5 * plain.steep * cell_mm**2 * (first - second), atol=1e-4)


@pytest.mark.parametrize("seed", range(5))
def test_crumples_are_continuous_and_as_steep_as_they_say(seed: int) -> None:
    x, y = np.arange(0.0, 280.0, 0.25), np.arange(100.0, 110.0, 0.25)
    z = sum(relief.displace(x, y)[..., 2].astype(float) for relief in facets(seed))
    assert np.abs(np.diff(z, axis=1)).max() / 0.25 < 1.2
    assert 0.02 < np.std(np.diff(z, axis=1)) / 0.25 < 0.4
    weak = sum(relief.displace(x, y)[..., 2].astype(float) for relief in facets(seed, 0.25))
    np.testing.assert_allclose(weak, 0.25 * z, atol=1e-3)


def test_facets_are_flat_between_their_edges() -> None:
    for drawn in facets(1)[:2]:
        plain = replace(drawn, bend=drawn.bend * 0, soft=1e-9, patch=np.array([[0.0, 0.0], [0.0, 0.0], [1.0, 0.0]]))
        z = plain.displace(np.arange(50.0, 200.0, 0.5), np.arange(50.0, 150.0, 0.5))[..., 2].astype(float)
        curved = np.abs(np.diff(z, 2, axis=1)) > 1e-4
        assert 0.001 < curved.mean() < 0.2


def test_a_ripple_dies_out() -> None:
    waves = Wrinkles(((100.0, 80.0, 0.0, 20.0, 8.0, 12.0, 0.5, 0.4, 0.0),)).displace(X, Y)[..., 2]
    away = np.hypot(X[None] - 100, Y[:, None] - 80)
    assert np.abs(waves[away < 10]).max() > 0.3
    assert np.abs(waves).max() <= 0.4 + 1e-6
    assert np.abs(waves[away > 60]).max() < 5e-3
    assert np.abs(waves[away > 100]).max() == 0


@pytest.mark.parametrize("seed", range(5))
def test_wrinkles_are_as_steep_as_they_say(seed: int) -> None:
    (relief,) = wrinkles(LETTER, 0.5, np.random.default_rng(seed)).reliefs
    assert isinstance(relief, Wrinkles)
    assert 2 <= len(relief.ripples) <= 9
    for ripple in relief.ripples:
        assert ripple[7] * 2 * np.pi / ripple[5] <= 0.175 + 1e-9
