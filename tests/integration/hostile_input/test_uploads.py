"""Hostile uploads are accepted or rejected, within bounds of processor time and memory, and are never a server error.

Of 2,000 mutated files most go straight to the decoder, as the app calls it, in a process of its own whose memory is
limited; 140, chosen by a fixed seed, go through the whole app.
"""

from __future__ import annotations

import io
import json
import random
import struct
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from gallery.images.decode import FORMATS
from gallery.settings import Settings
from tests.fakes.servers import INTERNALS, ROOT, app_with
from tests.fakes.web import upload
from tests.integration.hostile_input.files import (
    SVG,
    bombs,
    jpeg_with,
    mutated,
    picture,
    png,
    polyglots,
    saved,
    seeds,
    truncated,
)

MUTATED = 2_000
THROUGH_THE_APP = 20
"""Files of each format."""
MAX_COST, MAX_MEGABYTES = 4, 600
"""What one upload may cost: processor time, as a multiple of the largest honest image's, and memory beside the
process's own."""
REFUSED = (400, 413, 415)


class Decoder:
    """A process that decodes what it is sent; see tests/integration/hostile_input/decoder.py."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.integration.hostile_input.decoder"]
        self.process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def cost(self, data: bytes) -> tuple[str, float, int]:
        """The outcome, the seconds, and the megabytes that the process grew by."""
        stdin, stdout = self.process.stdin, self.process.stdout
        assert stdin and stdout
        stdin.write(struct.pack(">Q", len(data)) + data)
        stdin.flush()
        line = stdout.readline()
        assert line, f"the decoder died of {data[:80]!r}…"
        outcome, seconds, grown = json.loads(line)
        return outcome, seconds, grown


@pytest.fixture(scope="module")
def decoder() -> Iterator[Decoder]:
    decoder = Decoder()
    yield decoder
    decoder.process.communicate()


@pytest.fixture(scope="module")
def max_seconds(decoder: Decoder) -> float:
    """The processor time that one upload may cost, relative to a plain image with as many pixels as are allowed."""
    image = png(7_000, 7_000)
    return MAX_COST * min(decoder.cost(image)[1] for _ in range(3))


@pytest.fixture
def client(settings_with: Callable[..., Settings]) -> FlaskClient:
    return app_with(settings_with()).test_client()


def files(count: int, seed: int) -> list[tuple[str, bytes]]:
    """That many mutated files with the names of their formats, each format in turn."""
    chance, whole = random.Random(seed), seeds()
    everything = [data for kind in whole.values() for data in kind]
    return [
        (name, mutated(chance.choice(whole[name]), chance, chance.choice(everything)))
        for name, _ in zip(list(FORMATS) * count, range(count), strict=False)
    ]


def is_refused(answer: TestResponse) -> bool:
    return answer.status_code in REFUSED and not any(word in answer.text for word in INTERNALS)


def test_mutated_files_are_accepted_or_rejected_within_bounds(decoder: Decoder, max_seconds: float) -> None:
    outcomes: Counter[tuple[str, str]] = Counter()
    for name, data in files(MUTATED, seed=1):
        outcome, seconds, grown = decoder.cost(data)
        assert outcome in ("taken", "refused"), (name, outcome, data[:200])
        assert seconds < max_seconds and grown < MAX_MEGABYTES, (name, seconds, grown, data[:200])
        outcomes[name, outcome] += 1
    # Every format came to both ends, so the mutations are neither too mild nor too wild.
    assert all(outcomes[name, end] >= 20 for name in FORMATS for end in ("taken", "refused")), outcomes


def test_mutated_files_through_the_app_are_accepted_or_rejected(client: FlaskClient) -> None:
    statuses = Counter()
    for name, data in files(THROUGH_THE_APP * len(FORMATS), seed=2):
        answer = upload(client, data)
        assert answer.status_code == 200 or is_refused(answer), (name, answer.status_code, data[:200])
        statuses[answer.status_code] += 1
    assert statuses[200] >= 20 and statuses[415] >= 20


@pytest.mark.parametrize("make", bombs().values(), ids=bombs().keys())
def test_a_decompression_bomb_costs_no_more_than_an_image(
    decoder: Decoder, max_seconds: float, make: Callable[[], bytes]
) -> None:
    outcome, seconds, grown = decoder.cost(make())
    assert outcome in ("taken", "refused")
    assert seconds < max_seconds and grown < MAX_MEGABYTES


@pytest.mark.parametrize("data", polyglots().values(), ids=polyglots().keys())
def test_only_pixels_of_a_polyglot_are_shown(client: FlaskClient, data: bytes) -> None:
    answer = upload(client, data)
    if answer.status_code == 200:
        assert "data:image/webp;base64," in answer.text
        assert "alert(1)" not in answer.text
    else:
        assert is_refused(answer)


@pytest.mark.parametrize(
    "name", ["SVG", "SVG with a prologue", "HTML", "PDF", "EPS", "zip", "ICO", "PPM", "program"]
)
def test_other_file_types_are_rejected(client: FlaskClient, name: str) -> None:
    assert upload(client, polyglots()[name]).status_code == 415


@pytest.mark.parametrize("data", truncated().values(), ids=truncated().keys())
def test_a_truncated_file_is_accepted_or_rejected(client: FlaskClient, data: bytes) -> None:
    answer = upload(client, data)
    assert answer.status_code == 200 or is_refused(answer)


PART = b'--b\r\nContent-Disposition: form-data; name="%b"; filename="%b"\r\nContent-Type: %b\r\n\r\n%b\r\n'
WHOLE = saved(picture(), "JPEG")
NAMES = {
    "a path": b"../../../../etc/passwd",
    "a path of Windows": b"..\\\\..\\\\boot.ini",
    "an absolute path": b"/etc/passwd",
    "a NUL": b"a\0.png",
    "markup": b"<script>alert(1)</script>.png",
    "a header": b"a%0d%0aSet-Cookie: x=1",
    "no name of this world": b"\xff\xfe\xf0",
    "a long one": b"a" * 20_000,
    "a device": b"CON",
    "a pipe": b"|touch x",
}


def post(client: FlaskClient, body: bytes, kind: str = "multipart/form-data; boundary=b") -> TestResponse:
    return client.post("/", data=body, content_type=kind, follow_redirects=True)


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES.keys())
def test_the_file_name_is_ignored(client: FlaskClient, name: bytes) -> None:
    answer = post(client, PART % (b"image", name, b"image/jpeg", WHOLE) + b"--b--\r\n")
    assert answer.status_code == 200 or is_refused(answer)
    assert "alert(1)" not in answer.text and "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("kind", [b"text/html", b"image/svg+xml", b"application/zip", b"", b"x" * 5_000, b"image/png; a=\"b"])  # fmt: skip
def test_the_content_type_is_ignored(client: FlaskClient, kind: bytes) -> None:
    answer = post(client, PART % (b"image", b"a.svg", kind, WHOLE) + b"--b--\r\n")
    assert answer.status_code == 200


def test_an_svg_with_the_type_of_a_png_is_rejected(client: FlaskClient) -> None:
    assert is_refused(post(client, PART % (b"image", b"a.png", b"image/png", SVG) + b"--b--\r\n"))


BROKEN = {
    "no boundary": (b"x" * 1_000, "multipart/form-data"),
    "an empty boundary": (b"--\r\n\r\n", "multipart/form-data; boundary="),
    "a boundary of 10,000 characters": (b"--" + b"b" * 10_000, "multipart/form-data; boundary=" + "b" * 10_000),
    "a boundary of another": (PART % (b"image", b"a", b"", WHOLE), "multipart/form-data; boundary=c"),
    "no end": (PART % (b"image", b"a.jpg", b"image/jpeg", WHOLE), "multipart/form-data; boundary=b"),
    "too many parts": (b"".join(PART % (b"image", b"", b"", b"") for _ in range(5_000)) + b"--b--\r\n", "multipart/form-data; boundary=b"),
    "too many fields": (b"&".join(b"q=%d" % n for n in range(100_000)), "application/x-www-form-urlencoded"),
    "a huge field": (b"q=" + b"a" * 2_000_000, "application/x-www-form-urlencoded"),
    "a huge field of a form with files": (b'--b\r\nContent-Disposition: form-data; name="q"\r\n\r\n' + b"a" * 2_000_000 + b"\r\n--b--\r\n", "multipart/form-data; boundary=b"),
    "a head of a part that never ends": (b"--b\r\nContent-Disposition: " + b"a" * 2_000_000, "multipart/form-data; boundary=b"),
    "thousands of heads in a part": (b"--b\r\n" + b"X: y\r\n" * 50_000 + b"\r\n\r\n--b--\r\n", "multipart/form-data; boundary=b"),
    "line breaks alone": (b"\r\n" * 500_000, "multipart/form-data; boundary=b"),
    "JSON": (b'{"q": "sea"}', "application/json"),
    "another encoding": (b"q=sea", "application/x-www-form-urlencoded; charset=utf-7"),
    "a body in UTF-16": ("q=sea".encode("utf-16"), "application/x-www-form-urlencoded"),
    "no kind": (b"\0" * 100_000, ""),
}  # fmt: skip


@pytest.mark.parametrize(("body", "kind"), BROKEN.values(), ids=BROKEN.keys())
@pytest.mark.parametrize("path", ["/", "/api/v1/search"])
def test_a_malformed_form_is_not_a_server_error(
    client: FlaskClient, path: str, body: bytes, kind: str
) -> None:
    answer = client.post(path, input_stream=io.BytesIO(body), content_length=len(body), content_type=kind)
    assert answer.status_code in (200, 303) or 400 <= answer.status_code < 500
    assert not any(word in answer.text for word in INTERNALS)


def test_a_form_with_many_files_uses_the_first(client: FlaskClient) -> None:
    body = b"".join(PART % (b"image", b"a.jpg", b"image/jpeg", WHOLE) for _ in range(90)) + b"--b--\r\n"
    assert post(client, body).status_code == 200


def test_metadata_of_an_image_is_not_shown(client: FlaskClient) -> None:
    answer = upload(client, jpeg_with(0xFE, b"taken at 52.1 N by Somebody"))
    assert answer.status_code == 200 and "Somebody" not in answer.text
