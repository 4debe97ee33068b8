"""The command line: help, data on stdout, messages on stderr, exit codes."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import quote

import click
import pytest
from click.testing import CliRunner

from gallery.cli import main
from gallery.objects.local import LocalObjects
from gallery.settings import Settings, variable
from gallery.text import is_hidden
from gallery.vectors.lance.store import LanceStore
from tests.fakes.archives import artists_csv, picture, write_folder
from tests.fakes.processes import modules_loaded_by

FILES = {f"Anna_A/Anna_A_{n}.jpg": picture(n) for n in range(5)}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    """Return a function that runs a command on a small archive, in its own home."""
    write_folder(tmp_path / "archive", FILES, artists_csv(["Anna A"]))
    given = {"HOME": tmp_path / "home", "DATASET": f"file://{tmp_path}/archive", "ENCODER": "fake"}
    for name, value in given.items():
        monkeypatch.setenv(f"GALLERY_{name}", str(value))
    return lambda *arguments: CliRunner().invoke(main, arguments)


def commands() -> list[str]:
    return main.list_commands(click.Context(main))


def test_the_list_of_commands_is_complete() -> None:
    assert commands() == [
        "builds", "demo", "doctor", "lineage", "refresh", "rollback", "search", "serve", "settings",
    ]  # fmt: skip


@pytest.mark.parametrize("command", [[], *[[name] for name in commands()]])
def test_every_command_has_help(command: list[str]) -> None:
    done = CliRunner().invoke(main, [*command, "--help"])
    assert done.exit_code == 0 and len(done.output.splitlines()) > 5
    if command:
        parameters = main.get_command(click.Context(main), command[0]).params  # type: ignore[union-attr]
        assert all(parameter.help for parameter in parameters if isinstance(parameter, click.Option))


@pytest.mark.parametrize(
    "module",
    [
        "gallery",
        "gallery.cli",
        "pipelines.cli",
        "serving.command",
        "gallery.encoders",
        "gallery.services",
    ],
)
def test_importing_is_cheap(module: str) -> None:
    heavy = {
        "torch", "sentence_transformers", "lancedb", "dagster", "flask", "waitress", "pandas", "pyarrow",
    }  # fmt: skip
    assert modules_loaded_by(module) & heavy == set()


def test_the_web_app_needs_no_dagster() -> None:
    assert modules_loaded_by("serving") & {"dagster", "pipelines", "pandas"} == set()


def test_refresh_prints_counts_on_stdout_and_progress_on_stderr(run) -> None:  # type: ignore[no-untyped-def]
    done = run("refresh", "--json")
    assert done.exit_code == 0, done.output
    counts = json.loads(done.stdout)
    assert counts["indexed"] == 5 and "embeddings" in done.stderr
    assert "indexed            5" in run("refresh").stdout


def test_search_by_text_and_by_image(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    run("refresh")
    assert len(run("search", "boats", "--limit", "3").stdout.splitlines()) == 3
    assert len(run("search", "boats", "--limit", "2").stdout.splitlines()) == 2
    picture_file = tmp_path / "archive/images/images/Anna_A/Anna_A_3.jpg"
    found = json.loads(run("search", "--image", str(picture_file), "--json").stdout)
    assert found["results"][0]["file"].endswith("Anna_A_3.jpg") and found["results"][0]["score"] > 0.99


def test_search_combines_text_images_works_and_filters(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    run("refresh")
    folder = tmp_path / "archive/images/images/Anna_A"
    pictures = ["--image", str(folder / "Anna_A_0.jpg"), "--image", str(folder / "Anna_A_1.jpg")]
    works = json.loads(run("search", *pictures, "--json").stdout)["results"]
    assert len(works) == 5 and {work["file"][-5] for work in works[:2]} == {"0", "1"}
    liked, unliked = works[3]["id"], works[4]["id"]
    mixed = run(
        "search", "boats", "--exclude", "people", *pictures, "--like", liked, "--unlike", unliked, "--json"
    )
    assert {work["id"] for work in json.loads(mixed.stdout)["results"]} == {work["id"] for work in works[:3]}
    for narrowed, found in (
        (["--artist", "anna-a", "--per-artist", "2"], 2),
        (["--exclude-artist", "anna-a"], 0),
        (["--style", "x"], 0),
    ):
        assert len(run("search", "boats", *narrowed).stdout.splitlines()) == found
    missing = run("search", "--like", "none")
    assert missing.exit_code == 1 and "none" in missing.stderr


def test_search_before_any_refresh_says_what_to_do(run) -> None:  # type: ignore[no-untyped-def]
    done = run("search", "boats")
    assert done.exit_code == 1 and done.stdout == "" and "run `gallery refresh`" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["x", "--exclude", " "],
        ["x", "--active-from", "1900", "--active-to", "1800"],
        ["--artist", "anna-a"],
        ["  "],
        ["x", "--limit", "0"],
        ["x", "--limit", "many"],
        ["--image", "/nowhere.jpg"],
    ],
)
def test_wrong_usage_is_exit_code_two(run, arguments: list[str]) -> None:  # type: ignore[no-untyped-def]
    done = run("search", *arguments)
    assert done.exit_code == 2 and "Error" in done.stderr


def test_a_file_that_is_not_an_image_is_named(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    run("refresh")
    good = str(tmp_path / "archive/images/images/Anna_A/Anna_A_3.jpg")
    done = run("search", "--image", good, "--image", __file__)
    assert done.exit_code == 1 and f"{__file__}: this is not an image" in done.stderr


def test_texts_are_checked_as_on_the_pages(run) -> None:  # type: ignore[no-untyped-def]
    run("refresh")
    assert len(run("search", "sea\x0bstorm\x0cand\x85rain").stdout.splitlines()) == 5
    for text in ("caf\udce9", "a\0b", "x" * 501):
        done = run("search", text)
        assert done.exit_code == 2 and "Error" in done.stderr and "Traceback" not in done.output


def test_names_from_the_dataset_cannot_control_the_terminal(  # type: ignore[no-untyped-def]
    run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hostile = "x\x1b[31m\u202e\nFORGED"
    folder = (tmp_path / "archive").rename(tmp_path / hostile)
    monkeypatch.setenv("GALLERY_DATASET", f"file://{quote(str(folder))}")
    (folder / f"images/images/Anna_A/{hostile}.jpg").write_bytes(picture(9))
    (folder / f"images/images/Anna_A/{hostile}.png").write_bytes(b"not an image")

    def printed(*command: str, exit_code: int = 0) -> str:
        done = run(*command)
        assert done.exit_code == exit_code, command
        text = done.stdout + done.stderr
        assert not {character for character in text if is_hidden(character)} - {"\n"}, command
        assert not any(line.startswith("FORGED") for line in text.split("\n")), command
        return text

    assert "FORGED.png" in printed("refresh", exit_code=1)
    monkeypatch.setenv("GALLERY_MAX_QUARANTINE", "1")
    for command, quoted in (
        (("refresh",), ""),
        (("search", "boats", "--limit", "9"), "FORGED.jpg"),
        (("lineage", "FORGED"), "FORGED.jpg"),
        (("builds",), "FORGED"),
        (("doctor",), "FORGED"),
        (("settings",), ""),
    ):
        assert quoted in printed(*command)
        assert quoted in printed(*command, "--json")
    assert "none" in printed("lineage", f"none{hostile}", exit_code=1)


def test_images_have_the_limits_of_uploads(run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    run("refresh")
    file = tmp_path / "one.jpg"
    file.write_bytes(picture(1))
    assert run("search", "--image", str(file)).exit_code == 0
    monkeypatch.setenv("GALLERY_MAX_UPLOAD", "100")
    done = run("search", "--image", str(file))
    assert done.exit_code == 1 and "one.jpg: the file is larger than GALLERY_MAX_UPLOAD" in done.stderr


def test_a_failed_refresh_is_reported_in_one_line(run, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setenv("GALLERY_DATASET", "file:///nowhere.zip")
    done = run("refresh", "--json")
    assert done.exit_code == 1 and done.stdout == ""
    assert "Error: raw_dataset failed: no archive at /nowhere.zip; expected a zip or a folder" in done.stderr


def test_every_command_reports_invalid_settings(run, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setenv("GALLERY_PORT", "nonsense")
    monkeypatch.setenv("GALLERY_PER_ARTIST", "0")
    for command in (["refresh"], ["search", "x"], ["settings"], ["doctor"], ["lineage", "x"], ["serve"]):
        done = run(*command)
        assert done.exit_code == 1, command
        assert (
            "GALLERY_PORT" in done.stderr
            and "GALLERY_PER_ARTIST" in done.stderr
            and "Traceback" not in done.output
        )


def test_settings_shows_every_setting_and_no_secret(run, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setenv("GALLERY_SECRET_KEY", "hunter2hunter2hunter2hunter2hunter2")
    text, values = run("settings").stdout, json.loads(run("settings", "--json").stdout)
    assert list(values) == [variable(name) for name in Settings.model_fields]
    assert "hunter2" not in text + str(values) and "GALLERY_SECRET_KEY=********" in text
    assert "GALLERY_ENCODER=fake\n" in text and "GALLERY_PER_ARTIST=20  (default)" in text


def doctor(run, *options: str, exit_code: int = 0) -> dict[str, dict[str, str]]:  # type: ignore[no-untyped-def]
    """Run the doctor, and return its findings by check."""
    done = run("doctor", "--json", *options)
    assert done.exit_code == exit_code, done.output
    return {finding["check"]: finding for finding in json.loads(done.stdout)}


def test_doctor_tells_what_is_missing_from_what_is_wrong(  # type: ignore[no-untyped-def]
    run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for options, waiting in (((), {"collection"}), (("--web",), {"images", "collection"})):
        findings = doctor(run, *options)
        assert {name for name, found in findings.items() if found["status"] == "not yet"} == waiting
        assert all(findings[name]["advice"] == "run `gallery refresh`" for name in waiting)
    run("refresh")
    before = sorted(path for path in (tmp_path / "home").rglob("*") if path.is_file())
    assert {found["status"] for found in doctor(run).values()} == {"ok"} and "failed" not in run(
        "doctor"
    ).stdout
    assert sorted(path for path in (tmp_path / "home").rglob("*") if path.is_file()) == before
    monkeypatch.setenv("GALLERY_DATASET", "file:///nowhere.zip")
    broken = doctor(run, exit_code=1)["dataset"]
    assert broken["status"] == "failed" and "GALLERY_DATASET" in broken["advice"]

    # A web machine needs no dataset and no right to write.
    for store, methods in (
        (LocalObjects, ("put", "add", "delete")),
        (LanceStore, ("create", "publish", "drop")),
    ):
        for method in methods:
            monkeypatch.delattr(store, method)
    assert {found["status"] for found in doctor(run, "--web").values()} == {"ok"}


def test_lineage_shows_a_file_or_says_that_none_matches(run) -> None:  # type: ignore[no-untyped-def]
    assert run("lineage", "Anna").exit_code == 1  # nothing is known yet
    run("refresh")
    done = run("lineage", "Anna_A_3")
    assert done.exit_code == 0 and "kept" in done.stdout and "in build" in done.stdout
    (facts,) = json.loads(run("lineage", "Anna_A_3", "--json").stdout)
    assert run("lineage", facts["work"]).stdout == done.stdout
    assert "no work or file matches" in run("lineage", "zzz").stderr


def test_demo_builds_the_collection(run) -> None:  # type: ignore[no-untyped-def]
    done = run("demo", "--no-serve")
    assert done.exit_code == 0 and "indexed            5" in done.stdout
