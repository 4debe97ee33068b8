"""Positions of works on the map: similar works are close to each other, each in its own grid cell."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gallery.encoders.base import Vectors

Positions = NDArray[np.float64]
"""float64 [n, 2], x and y, y downwards, in arbitrary units."""
Cells = NDArray[np.int64]
"""int64 [n, 2], column and row from the upper left; no two rows are equal."""

FILL_RATIO = 0.62
"""Share of the grid's cells that have a work. Fewer show clusters more clearly; more give larger images."""
PERPLEXITY = 30.0
"""t-SNE's perplexity: roughly the number of neighbours of a work that count."""
PCA_DIMENSIONS = 50
"""Dimensions after PCA and before t-SNE, as its author recommends: ten times faster, with as good a
layout."""
MIN_TSNE_WORKS = 16
"""Fewer works are placed by their first two principal components: t-SNE needs several neighbours of each."""
BLOCK_CELLS = 24
"""Side of a block in which the assignment to cells is optimal, in cells; the time is cubic in their
number."""


def positions(vectors: Vectors) -> Positions:
    """Return positions for unit vectors [n, dim], always the same for the same vectors."""
    count = len(vectors)
    if count < 4:
        return np.stack([np.arange(count), np.zeros(count)], axis=1).astype(np.float64)
    if np.ptp(vectors, axis=0).max() < 1e-6:  # all the same
        side = int(np.ceil(np.sqrt(count)))
        return np.stack(np.divmod(np.arange(count), side)[::-1], axis=1).astype(np.float64)
    rows = vectors.astype(np.float64)
    return _tsne(rows) if count >= MIN_TSNE_WORKS else _principal_components(rows)


def _principal_components(rows: NDArray[np.float64]) -> Positions:
    centred = rows - rows.mean(axis=0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    return np.asarray(centred @ axes[:2].T)


def _tsne(rows: NDArray[np.float64]) -> Positions:
    # Imported here: they take longer to import than the rest of the code location.
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    # With several threads the order of additions varies, and t-SNE amplifies the differences.
    with threadpool_limits(1):
        reduced = PCA(min(PCA_DIMENSIONS, *rows.shape), svd_solver="full").fit_transform(rows)
        model = TSNE(
            perplexity=min(PERPLEXITY, (len(rows) - 1) / 3),
            init=(reduced[:, :2] / reduced[:, 0].std() * 1e-4).astype(np.float32),
            random_state=0,
        )
        return np.asarray(model.fit_transform(reduced.astype(np.float32)), dtype=np.float64)


def assign_to_grid(places: Positions) -> Cells:
    """Return a different cell near each position, in a grid with the proportions of the positions."""
    if not len(places):
        return np.zeros((0, 2), dtype=np.int64)
    lower, extent = places.min(axis=0), np.ptp(places, axis=0)
    columns, rows = _grid_size(len(places), extent)
    scale = np.array([columns, rows]) / np.where(extent > 0, extent, 1.0)
    # In units of the grid: cell (c, r) extends from c to c + 1 and from r to r + 1.
    scaled = (places - lower) * np.where(extent > 0, scale, 0.0) + np.where(extent > 0, 0.0, 0.5)
    cells = np.zeros((len(places), 2), dtype=np.int64)
    _fill_block(scaled, np.arange(len(places)), (0, 0, columns, rows), cells)
    return cells - cells.min(axis=0)


def _grid_size(count: int, extent: NDArray[np.float64]) -> tuple[int, int]:
    """Return the numbers of columns and rows."""
    if not extent.min():
        return (count, 1) if extent[0] >= extent[1] else (1, count)
    ratio = float(np.clip(extent[0] / extent[1], 0.5, 2.0))
    rows = max(1, round((count / FILL_RATIO / ratio) ** 0.5))
    return max(-(-count // rows), round(count / FILL_RATIO / rows)), rows


def _fill_block(places: Positions, which: Cells, block: tuple[int, int, int, int], cells: Cells) -> None:
    """Assign these works to cells of the block (left, upper, columns, rows), which must have enough cells.

    A large block is halved repeatedly. Each half gets the works in it; if it has too few cells, the works
    nearest to the dividing line go to the other half.
    """
    from scipy.optimize import linear_sum_assignment

    left, upper, columns, rows = block
    if not len(which):
        return
    if max(columns, rows) <= BLOCK_CELLS:
        grid = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), axis=-1).reshape(-1, 2)
        grid += [left, upper]
        distance = places[which][:, None, :] - (grid + 0.5)[None, :, :]
        work, cell = linear_sum_assignment((distance**2).sum(axis=2))
        cells[which[work]] = grid[cell]
        return
    axis = 0 if columns >= rows else 1
    half = block[2 + axis] // 2
    across = rows if axis == 0 else columns
    first_room, second_room = half * across, (block[2 + axis] - half) * across
    ordered = which[np.argsort(places[which, axis], kind="stable")]
    split = int(np.searchsorted(places[ordered, axis], block[axis] + half))
    split = max(len(which) - second_room, min(first_room, split))
    if axis == 0:
        first, second = (left, upper, half, rows), (left + half, upper, columns - half, rows)
    else:
        first, second = (left, upper, columns, half), (left, upper + half, columns, rows - half)
    _fill_block(places, ordered[:split], first, cells)
    _fill_block(places, ordered[split:], second, cells)


def hilbert_order(cells: Cells) -> NDArray[np.int64]:
    """Return the order of the works along a Hilbert curve through the grid, which keeps neighbours together.

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
