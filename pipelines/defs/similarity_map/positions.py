"""The collection laid out in two dimensions by likeness, each work in a cell of its own."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gallery.encoders.base import Vectors

Positions = NDArray[np.float64]
"""float64 [n, 2], x and y, y downwards; only their proportions mean something."""
Cells = NDArray[np.int64]
"""int64 [n, 2], column and row from the upper left; no two rows are the same."""

FILLED = 0.62
"""Share of the grid's cells that have a work. Fewer show more of the islands, more show larger pictures."""
NEIGHBOURS = 30.0
"""t-SNE's perplexity: about how many works each one is to be near."""
DIMENSIONS = 50
"""What rows are reduced to before, as t-SNE's author does: ten times faster, and the layout is as good."""
BLOCK = 24
"""Cells of a block's side; within one, works are assigned to cells in the best way there is (n³)."""


def positions(vectors: Vectors) -> Positions:
    """Where rows of unit length go, similar ones near each other. The same rows give the same positions."""
    # Here, because importing them takes longer than loading all the rest of the code location.
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    count = len(vectors)
    if count < 4:
        return np.stack([np.arange(count), np.zeros(count)], axis=1).astype(np.float64)
    if np.ptp(vectors, axis=0).max() < 1e-6:  # nothing tells these rows apart
        side = int(np.ceil(np.sqrt(count)))
        return np.stack(np.divmod(np.arange(count), side)[::-1], axis=1).astype(np.float64)
    # Several threads would add up in another order each time, which t-SNE makes large differences of.
    with threadpool_limits(1):
        rows = vectors.astype(np.float64)
        reduced = PCA(min(DIMENSIONS, *rows.shape), svd_solver="full").fit_transform(rows)
        model = TSNE(
            perplexity=min(NEIGHBOURS, (count - 1) / 3),
            init=(reduced[:, :2] / reduced[:, 0].std() * 1e-4).astype(np.float32),
            random_state=0,
        )
        return np.asarray(model.fit_transform(reduced.astype(np.float32)), dtype=np.float64)


def assign_to_grid(places: Positions) -> Cells:
    """A cell for each position, near it and near its neighbours', in a grid that has the positions' proportions."""
    if not len(places):
        return np.zeros((0, 2), dtype=np.int64)
    lower, extent = places.min(axis=0), np.ptp(places, axis=0)
    columns, rows = _grid(len(places), extent)
    scale = np.array([columns, rows]) / np.where(extent > 0, extent, 1.0)
    # Into the grid's own units, where cell (c, r) reaches from c to c + 1.
    scaled = (places - lower) * np.where(extent > 0, scale, 0.0) + np.where(extent > 0, 0.0, 0.5)
    cells = np.zeros((len(places), 2), dtype=np.int64)
    _fill(scaled, np.arange(len(places)), (0, 0, columns, rows), cells)
    return cells - cells.min(axis=0)


def _grid(count: int, extent: NDArray[np.float64]) -> tuple[int, int]:
    """Columns and rows for so many works."""
    if not extent.min():
        return (count, 1) if extent[0] >= extent[1] else (1, count)
    ratio = float(np.clip(extent[0] / extent[1], 0.5, 2.0))
    rows = max(1, round((count / FILLED / ratio) ** 0.5))
    return max(-(-count // rows), round(count / FILLED / rows)), rows


def _fill(places: Positions, which: Cells, block: tuple[int, int, int, int], cells: Cells) -> None:
    """Give each of these works a cell of the block (left, upper, columns, rows), which has enough of them.

    The block is halved again and again; a work goes into the half that it lies in while there is room, and otherwise
    those go over the line that are nearest to it.
    """
    from scipy.optimize import linear_sum_assignment

    left, upper, columns, rows = block
    if not len(which):
        return
    if max(columns, rows) <= BLOCK:
        grid = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), axis=-1).reshape(-1, 2)
        grid += [left, upper]
        away = places[which][:, None, :] - (grid + 0.5)[None, :, :]
        taken_by, taken = linear_sum_assignment((away**2).sum(axis=2))
        cells[which[taken_by]] = grid[taken]
        return
    axis = 0 if columns >= rows else 1
    half = block[2 + axis] // 2
    across = rows if axis == 0 else columns
    room, rest = half * across, (block[2 + axis] - half) * across
    ordered = which[np.argsort(places[which, axis], kind="stable")]
    before = int(np.searchsorted(places[ordered, axis], block[axis] + half))
    before = max(len(which) - rest, min(room, before))
    first = (left, upper, half, rows) if axis == 0 else (left, upper, columns, half)
    second = (
        (left + half, upper, columns - half, rows)
        if axis == 0
        else (left, upper + half, columns, rows - half)
    )
    _fill(places, ordered[:before], first, cells)
    _fill(places, ordered[before:], second, cells)


def hilbert_order(cells: Cells) -> NDArray[np.int64]:
    """An order of the works in which neighbours follow each other: along a Hilbert curve through the grid.

    https://en.wikipedia.org/wiki/Hilbert_curve#Applications_and_mapping_algorithms
    """
    if not len(cells):
        return np.zeros(0, dtype=np.int64)
    x, y = cells[:, 0].copy(), cells[:, 1].copy()
    distance = np.zeros(len(cells), dtype=np.int64)
    side = 1 << int(cells.max()).bit_length()
    while side > 1:
        side //= 2
        right, lower = (x & side) > 0, (y & side) > 0
        distance += side * side * ((3 * right) ^ lower)
        mirrored = right & ~lower
        x, y = np.where(mirrored, x ^ (side - 1), x), np.where(mirrored, y ^ (side - 1), y)
        x, y = np.where(lower, x, y), np.where(lower, y, x)
    return np.argsort(distance, kind="stable")
