"""Settings: read once, all mistakes at once, secrets kept, and documented."""

from __future__ import annotations

import io
import re
import subprocess
from pathlib import Path

import pytest
from dotenv import dotenv_values

from gallery.errors import Invalid
from gallery.settings import Settings, read_settings
from gallery.settings_docs import dotenv, markdown
from gallery.vectors.base import VECTORS
from pipelines import dev

ROOT = Path(__file__).parents[2]


def test_the_defaults_are_valid_and_need_nothing() -> None:
    settings = read_settings()
    assert settings.dataset == "sample://?artists=50&works=24&seed=7"
    assert settings.address("images") == f"file://{Path.cwd() / '.gallery'}/images"


def test_the_environment_wins_over_dotenv_which_wins_over_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text(
        "GALLERY_PER_ARTIST=7\nGALLERY_KEEP_BUILDS=5\nOTHER_PROGRAM=1\nGALLERY_TEST_DATA=/x\n"
    )
    monkeypatch.setenv("GALLERY_PER_ARTIST", "9")
    settings = read_settings()
    assert (settings.per_artist, settings.keep_builds) == (9, 5)


def test_all_errors_are_reported_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = {
        "GALLERY_PER_ARTIST": "many",
        "GALLERY_PORT": "70000",
        "GALLERY_DATASET": "ftp://x",
        "GALLERY_MAX_QUARANTINE": "1.5",
        "GALLERY_VECTRS": "memory://",
    }
    for name, value in wrong.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(Invalid) as error:
        read_settings()
    text = str(error.value)
    assert all(name in text for name in wrong)
    assert "did you mean GALLERY_VECTORS?" in text
    assert "takes kaggle://, file://, sample://" in text


@pytest.mark.parametrize("name", ["site_url", "cors"])
@pytest.mark.parametrize("address", ["https://bücher.example", "https://例え.example", "https://a.example/é"])
def test_an_address_for_headers_must_be_in_ascii(name: str, address: str) -> None:
    """A header with it would fail, or no browser would send the same."""
    if name == "cors" and address.endswith("/é"):
        address = address.removesuffix("/é") + ",https://é.example"
    with pytest.raises(Invalid, match=rf"GALLERY_{name.upper()}: must be in ASCII.*xn--"):
        read_settings(**{name: address})
    assert read_settings(**{name: "https://xn--bcher-kva.example"})


@pytest.mark.parametrize(
    "address", ["gallery.example", "https://", "https://a:b@c.example", "https://a.example:x"]
)
def test_a_site_url_that_is_no_address_is_rejected(address: str) -> None:
    with pytest.raises(
        Invalid, match=r"GALLERY_SITE_URL: must be an address such as https://gallery\.example"
    ):
        read_settings(site_url=address)


def test_a_misspelt_name_in_dotenv_is_found() -> None:
    Path(".env").write_text("export GALLERY_PRT=1\n")
    with pytest.raises(Invalid, match="GALLERY_PORT"):
        read_settings()


@pytest.mark.parametrize("value", ["?", "-1", "1.5", "nan", "9" * 5_000], ids=lambda value: value[:4])
def test_each_mistake_is_described_in_words_of_this_program(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    """Not in those of pydantic, which speak of inputs, strings and patterns."""
    for name in Settings.model_fields:
        monkeypatch.setenv(f"GALLERY_{name.upper()}", value)
    with pytest.raises(Invalid) as refused:
        read_settings()
    lines = str(refused.value).splitlines()[1:]
    assert len(lines) > 20
    for line in lines:
        assert re.fullmatch(r"  GALLERY_[A-Z_]+: .{10,200}", line), line
        assert not re.search(r"[Ii]nput|[Ss]tring|pattern|pars|\\S|[{]|None", line), line


def test_settings_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(Invalid, match="GALLERY_DEFAULT_RESULTS"):
        read_settings(default_results=9, max_results=3)


def test_sizes_may_be_written_with_units(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GALLERY_MAX_UPLOAD", "2MB")
    assert read_settings().max_upload == 2_000_000


def test_a_secret_shows_in_no_repr(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GALLERY_SECRET_KEY", "hunter2hunter2")
    assert "hunter2" not in repr(read_settings()) + str(read_settings())


def test_a_home_of_any_name_is_one_folder(tmp_path: Path) -> None:
    for name in ("h#1", "q?1", "p%41", "with space", "[/x]"):
        settings = read_settings(home=tmp_path / name)
        assert VECTORS.parse(settings.address("vectors")).path == tmp_path / name / "vectors"


def test_an_unknown_user_in_the_home_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GALLERY_HOME", "~no-such-user/x")
    with pytest.raises(Invalid, match="GALLERY_HOME"):
        read_settings()


def test_settings_are_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        read_settings().port = 1  # type: ignore[misc]


@pytest.mark.docs
def test_the_reference_pages_are_made_from_the_code() -> None:
    hint = "run `python -m gallery.settings_docs`"
    assert (ROOT / "docs/settings.md").read_text("utf-8") == markdown(), hint
    assert (ROOT / ".env.example").read_text("utf-8") == dotenv(), hint


def test_the_example_file_sets_nothing_and_is_read_back_as_the_defaults() -> None:
    Path(".env").write_text(dotenv(), "utf-8")
    defaults = read_settings()
    Path(".env").write_text(re.sub(r"(?m)^#(GALLERY_\w+=.+)$", r"\1", dotenv()), "utf-8")
    assert read_settings() == defaults


def test_each_setting_has_one_line_of_help() -> None:
    for name, field in Settings.model_fields.items():
        assert field.description and field.description.endswith(".") and "\n" not in field.description, name


def setting_lines() -> list[str]:
    """Return each line that sets something in .env.example and in the code blocks of the guides."""
    text = (ROOT / ".env.example").read_text("utf-8").replace("\n#GALLERY", "\nGALLERY")
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
        text += "".join(re.findall(r"^```\w*\n(.*?)^```", page.read_text("utf-8"), re.MULTILINE | re.DOTALL))
    return re.findall(r"^(?:GALLERY|DAGSTER|KAGGLE)_[A-Z_]+=.*$", text, re.MULTILINE)


def test_shells_read_settings_files_as_the_program_does() -> None:
    lines = setting_lines()
    assert len(lines) > 70 and all(any(sign in line for line in lines) for sign in "&*?")
    names = [line.partition("=")[0] for line in lines]
    script = "\n".join(f"{line}\nprintf '%s\\0' \"${name}\"" for name, line in zip(names, lines, strict=True))
    shell = subprocess.run(["bash", "-u"], input=script, capture_output=True, text=True, check=True)
    program = [dotenv_values(stream=io.StringIO(line))[name] for name, line in zip(names, lines, strict=True)]
    assert not shell.stderr and shell.stdout.split("\0")[:-1] == program


def test_an_edited_env_file_counts_for_the_next_run_of_make_dev(monkeypatch: pytest.MonkeyPatch) -> None:
    """`dg dev` exports the file when it starts."""
    monkeypatch.setenv("GALLERY_PORT", "8001")
    monkeypatch.setenv(dev.ENVIRONMENT, dev.given_settings())
    Path(".env").write_text("GALLERY_PORT=9000\nGALLERY_PER_ARTIST=3\n")
    for name, value in {"PORT": "9000", "PER_ARTIST": "4", "SCHEDULE": "off"}.items():
        monkeypatch.setenv(f"GALLERY_{name}", value)
    dev.forget_exported_settings()
    settings = read_settings()
    assert (settings.port, settings.per_artist, settings.schedule) == (8001, 3, Settings().schedule)
