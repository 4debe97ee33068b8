"""The catalogue: artists and their folders, the scan, the status of each file, and the sample."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from gallery.datasets.archive import open_archive
from gallery.datasets.base import Archive, no_progress
from gallery.errors import Invalid, NotFound
from gallery.models import MAX_VALUE_CHARS
from gallery.objects.memory import MemoryObjects
from pipelines.defs.catalog.artists import folder_of, read_artists
from pipelines.defs.catalog.files import classify_files
from pipelines.defs.catalog.sampling import SPARE_RANKS, draw_sample, likely_sample, work_id
from pipelines.defs.catalog.scan import (
    collect_results,
    delete_results,
    known_contents,
    list_files,
    scan_files,
    stored_by_scan,
    write_result,
)
from pipelines.defs.images.inventory import ImageWriter
from pipelines.defs.images.storage import ImageLimits, keys_of
from pipelines.tables import ARTISTS, ARTWORKS, CONTENTS, FILES, SAMPLE, SNAPSHOT
from tests.fakes.archives import COLUMNS, artists_csv, picture, png_claiming, write_folder, write_zip

LIMITS = ImageLimits(max_file=1_000_000, max_pixels=1_000_000, small=40, large=80)


def scan(
    archive: Archive,
    files: pd.DataFrame,
    *,
    store: bool = False,
    images: MemoryObjects | None = None,
    limits: ImageLimits = LIMITS,
) -> pd.DataFrame:
    files = files.assign(store=store, preview=False)
    images = images if images is not None else MemoryObjects()
    return scan_files(archive, ImageWriter(images), files, limits=limits, workers=2, progress=no_progress)


class Catalog:
    """A catalogue of an archive made of these files."""

    def __init__(self, path: Path, files: Mapping[str, bytes], artists: bytes) -> None:
        archive = open_archive(write_zip(path, files, artists))
        self.snapshot = list_files(archive)
        read = read_artists(archive, self.snapshot, "here")
        self.artists, self.problems = read.artists, read.problems
        self.contents = scan(archive, self.snapshot)
        self.files, self.works = classify_files(self.contents, self.artists)

    def file(self, path: str) -> dict[str, str]:
        rows = self.files[self.files["path"].str.endswith(path)]
        assert len(rows) == 1, path
        return {str(name): value for name, value in rows.iloc[0].items()}


DURER = "Albrecht Dürer"
SPELLINGS = [
    "Albrecht_Du╠êrer",
    "Albrecht_DuΓòá├¬rer",
    "Albrecht_Durer",
    "Albrecht Dürer",
    "Albrecht_Du\u0308rer",
    "albrecht-dürer",
]


def test_images_with_equal_pixels_are_duplicates_whatever_their_bytes_are(tmp_path: Path) -> None:
    drawn = Image.open(io.BytesIO(picture(1)))
    files = {}
    for number, (format, options) in enumerate(
        [("PNG", {}), ("PNG", {"compress_level": 1}), ("BMP", {}), ("TIFF", {}), ("WEBP", {"lossless": True})]
    ):
        buffer = io.BytesIO()
        drawn.save(buffer, format, **options)
        files[f"A_A/{number}.{format.lower()}"] = buffer.getvalue()
    other = drawn.copy()
    other.putpixel((0, 0), (1, 2, 3))
    buffer = io.BytesIO()
    other.save(buffer, "PNG")
    files["A_A/other.png"] = buffer.getvalue()
    catalogue = Catalog(tmp_path / "a.zip", files, artists_csv(["A A"]))
    assert list(catalogue.works["file"]) == ["images/images/A_A/0.png", "images/images/A_A/other.png"]
    duplicate = catalogue.file("4.webp")
    assert duplicate["status"] == "duplicate" and duplicate["work"] == catalogue.file("0.png")["work"]
    assert duplicate["reason"] == "the same image as images/images/A_A/0.png, in another file"


def test_every_spelling_of_a_folder_is_one_artist(tmp_path: Path) -> None:
    files = {f"{folder}/{folder}_{place}.jpg": picture(place) for place, folder in enumerate(SPELLINGS)}
    catalogue = Catalog(tmp_path / "a.zip", files, artists_csv([DURER, "Someone Else"]))
    durer = catalogue.artists.set_index("slug").loc["albrecht-durer"]
    assert (
        durer["name"] == DURER
        and durer["files"] == len(SPELLINGS)
        and sorted(durer["folders"]) == sorted(SPELLINGS)
    )
    assert list(catalogue.works["artist"]) == ["albrecht-durer"] * len(SPELLINGS)
    assert catalogue.artists.set_index("slug").loc["someone-else"]["files"] == 0


def test_the_accented_spelling_is_shown(tmp_path: Path) -> None:
    catalogue = Catalog(tmp_path / "a.zip", {"Du╠êrer/1.jpg": picture(1)}, artists_csv(["Durer"]))
    assert catalogue.artists.iloc[0]["name"] == "Dürer"


def test_the_csv_becomes_numbers_lists_and_a_summary(tmp_path: Path) -> None:
    names = {"One": "1853 – 1890", "Two": "1884 - 1920", "Three": ""}
    artists = Catalog(tmp_path / "a.zip", {"One/1.jpg": picture(1)}, artists_csv(names)).artists.set_index(
        "slug"
    )
    assert (artists.loc["one"]["birth"], artists.loc["one"]["death"]) == (1853, 1890)
    assert (artists.loc["two"]["birth"], artists.loc["two"]["death"]) == (1884, 1920)
    assert pd.isna(artists.loc["three"]["birth"])
    assert list(artists.loc["two"]["styles"]) == ["Realism", "Impressionism"]
    assert artists.loc["one"]["summary"].startswith("One (1 May 1840 – 2 June 1926) was invented")
    assert "[nɔ̃]" in artists.loc["one"]["bio"]


def test_what_no_search_could_name_is_left_out_and_reported(tmp_path: Path) -> None:
    long, longer = "N" * MAX_VALUE_CHARS, "N" * (MAX_VALUE_CHARS + 1)
    table = artists_csv([long, longer, "漢" * 150, "漢" * 151]).replace(
        b"Dutch", f'"Dutch, {longer}"'.encode(), 1
    )
    archive = open_archive(write_zip(tmp_path / "a.zip", {"One/1.jpg": picture(1)}, table))
    read = read_artists(archive, list_files(archive), "here")
    assert [problem.split(":")[0] for problem in read.problems] == ["line 3", "line 2"]
    slugs = set(read.artists["slug"])
    assert len(slugs) == 3 and max(map(len, slugs)) == MAX_VALUE_CHARS
    artist = read.artists.set_index("slug").loc[long.lower()]
    assert list(artist["nationalities"]) == ["Dutch"] and list(artist["styles"]) == ["Realism"]


def test_hidden_characters_and_missing_values_are_no_part_of_an_artist(tmp_path: Path) -> None:
    table = artists_csv({"A\x1bda\u2066": "1571 610", "MartÃ\xadnez": ""}).replace(
        b"Dutch", b'"NA, Dutch, none"'
    )
    catalog = Catalog(tmp_path / "a.zip", {"A\u202eda\u200b/1.jpg": picture(1)}, table)
    artists = catalog.artists
    assert list(artists["name"]) == ["Ada", "Martínez"] and artists.iloc[0]["files"] == 1
    assert catalog.problems == ["line 2: the years '1571 610' cannot be read, so they are left out"]
    assert list(artists.iloc[0]["nationalities"]) == ["Dutch"]


def test_an_artist_listed_twice_counts_once(tmp_path: Path) -> None:
    artists = Catalog(
        tmp_path / "a.zip", {"Durer/1.jpg": picture(1)}, artists_csv(["Dürer", "Durer", "DU╠êRER"])
    ).artists
    assert list(artists["slug"]) == ["durer"]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "cannot be read"),
        (b"\xff\xfe\x00 not utf-8 \xff", "cannot be read"),
        (
            artists_csv(["A"], columns=tuple(column for column in COLUMNS if column not in ("years", "bio"))),
            "lacks years, bio",
        ),
        (artists_csv([]), "lists no artists"),
        (b"<html><body>Sign in</body></html>", "lacks name"),
    ],
)
def test_an_unusable_csv_is_one_error_that_says_what_was_expected(
    tmp_path: Path, data: bytes, message: str
) -> None:
    with pytest.raises(Invalid, match=message) as error:
        Catalog(tmp_path / "a.zip", {"A/1.jpg": picture(1)}, data)
    assert "here: artists.csv" in str(error.value)


def test_every_file_is_kept_a_duplicate_or_quarantined_with_a_reason(tmp_path: Path) -> None:
    files = {
        "A/1.jpg": picture(1),
        "A/2.jpg": picture(2),
        "A/copy of 1.jpg": picture(1),
        "A/cut.jpg": picture(3)[:600],
        "A/empty.jpg": b"",
        "A/text.jpg": b"this is a text",
        "A/huge.png": png_claiming(20_000, 15_000),
        "A/big.jpg": picture(4) + b"\0" * 2_000_000,
        "A/animated.gif": picture(5, format="GIF"),
        "A/cmyk.jpg": picture(6, mode="CMYK"),
        "A/deeper/3.jpg": picture(7),
        "Nobody/1.jpg": picture(8),
        "loose.jpg": picture(9),
        "/../evil.jpg": picture(10),
        "/images/images/A/../../../evil.jpg": picture(11),
        "/elsewhere/1.jpg": picture(12),
        "/resized/resized/A_1.jpg": picture(13),
    }
    catalogue = Catalog(tmp_path / "a.zip", files, artists_csv(["A"]))
    expected = {
        "A/1.jpg": ("kept", ""),
        "A/2.jpg": ("kept", ""),
        "copy of 1.jpg": ("duplicate", "the same bytes as images/images/A/1.jpg"),
        "cut.jpg": ("quarantined", "damaged"),
        "empty.jpg": ("quarantined", "empty"),
        "text.jpg": ("quarantined", "not an image"),
        "huge.png": ("quarantined", "20000 x 15000 pixels"),
        "big.jpg": ("quarantined", "over the limit of 1,000,000"),
        "animated.gif": ("kept", ""),
        "cmyk.jpg": ("kept", ""),
        "deeper/3.jpg": ("kept", ""),
        "Nobody/1.jpg": ("quarantined", "no artist for its folder Nobody"),
        "loose.jpg": ("quarantined", "outside images/images/<Artist>/"),
        "A/../../../evil.jpg": ("quarantined", "leads out"),
        "elsewhere/1.jpg": ("quarantined", "outside images/images/<Artist>/"),
    }
    for path, (status, reason) in expected.items():
        file = catalogue.file(path)
        assert file["status"] == status and reason in file["reason"], (path, file)
    assert len(catalogue.files) == len(files) - 1  # resized/ is ignored
    assert set(catalogue.works["id"]) == set(catalogue.files[catalogue.files["status"] == "kept"]["work"])


def test_two_images_of_one_name_are_two_works(tmp_path: Path) -> None:
    files = {"Durer/Durer_1.jpg": picture(1), "Du╠êrer/Du╠êrer_1.jpg": picture(2)}
    works = Catalog(tmp_path / "a.zip", files, artists_csv(["Durer"])).works
    assert len(works) == 2 and works["id"].is_unique


def test_a_work_keeps_its_id_with_another_spelling_or_content() -> None:
    assert work_id("durer", "images/images/Du╠êrer/Du╠êrer_1.jpg") == work_id(
        "durer", "images/images/Durer/Durer_1.jpg"
    )
    assert work_id("durer", "images/images/Durer/Durer_1.jpg") != work_id(
        "durer", "images/images/Durer/Durer_2.jpg"
    )
    assert work_id("a", "images/images/A/A_1.jpg") == "7ce89531-f56d-533b-bcc8-7a9dc3ca8e56"  # never changes


@pytest.mark.parametrize(
    ("path", "folder"),
    [
        ("images/images/A_B/x.jpg", "A_B"),
        ("images/images/A/deep/x.jpg", "A"),
        ("images/images/x.jpg", ""),
        ("images/images/../x.jpg", ""),
        ("images/x/y.jpg", ""),
        ("x.jpg", ""),
    ],
)
def test_the_folder_of_a_path(path: str, folder: str) -> None:
    assert folder_of(path) == folder


def test_files_that_have_not_changed_are_not_read_again(tmp_path: Path) -> None:
    archive = open_archive(
        write_folder(tmp_path, {"A/1.jpg": picture(1), "A/2.jpg": b"x"}, artists_csv(["A"]))
    )
    tables, snapshot = MemoryObjects(), list_files(archive)
    assert known_contents(tables, snapshot, LIMITS).empty
    write_result(tables, "s1", scan(archive, snapshot))
    assert len(known_contents(tables, snapshot, LIMITS)) == 2  # also before the scan is finished
    CONTENTS.write(tables, collect_results(tables, snapshot, LIMITS, "run-1"))
    delete_results(tables)
    assert len(known_contents(tables, snapshot, LIMITS)) == 2
    (tmp_path / "images/images/A/1.jpg").write_bytes(picture(2))
    changed = list_files(archive)
    assert list(known_contents(tables, changed, LIMITS)["path"]) == ["images/images/A/2.jpg"]


def test_files_are_read_again_under_other_limits(tmp_path: Path) -> None:
    archive = open_archive(write_folder(tmp_path, {"A/1.jpg": picture(1)}, artists_csv(["A"])))
    tables, snapshot = MemoryObjects(), list_files(archive)
    write_result(tables, "s1", scan(archive, snapshot))
    for name in ("max_file", "max_pixels"):
        assert known_contents(tables, snapshot, dataclasses.replace(LIMITS, **{name: 10})).empty, name


def test_a_file_that_was_never_read_fails_the_scan(tmp_path: Path) -> None:
    archive = open_archive(write_folder(tmp_path, {"A/1.jpg": picture(1)}, artists_csv(["A"])))
    with pytest.raises(NotFound, match=r"never read, such as images/images/A/1\.jpg"):
        collect_results(MemoryObjects(), list_files(archive), LIMITS, "run-1")


def test_a_damaged_scan_result_is_read_again(tmp_path: Path) -> None:
    archive = open_archive(write_folder(tmp_path, {"A/1.jpg": picture(1)}, artists_csv(["A"])))
    tables, snapshot = MemoryObjects(), list_files(archive)
    write_result(tables, "s1", scan(archive, snapshot))
    tables.put("scan/results/s1.parquet", tables.get("scan/results/s1.parquet")[:50])
    assert known_contents(tables, snapshot, LIMITS).empty


def test_the_scan_stores_the_images_of_the_likely_sample(tmp_path: Path) -> None:
    archive = open_archive(
        write_folder(tmp_path, {"A/1.jpg": picture(1), "A/2.jpg": picture(2)}, artists_csv(["A"]))
    )
    tables, images, snapshot = MemoryObjects(), MemoryObjects(), list_files(archive)
    first, second = snapshot.iloc[:1], snapshot.iloc[1:]
    write_result(tables, "s1", scan(archive, first, store=True, images=images))
    write_result(tables, "s2", scan(archive, second, images=images))
    contents = collect_results(tables, snapshot, LIMITS, "run-1")
    stored = contents[contents["stored"]]
    assert set(images.sizes()) == set(keys_of(stored.iloc[0], LIMITS).values())
    assert stored_by_scan(tables, "run-1") == set(stored["sha256"])
    assert stored_by_scan(tables, "run-2") == set()


def test_the_likely_sample_is_known_from_names() -> None:
    works = works_of(many=50)
    paths = [f"images/images/Many/{file}" for file in works["file"]]
    likely = likely_sample(paths, {"Many": "many"}, per_artist=20, key="k")
    assert len(likely) == 20 + SPARE_RANKS
    sampled = draw_sample(works, per_artist=20, key="k")["file"]
    assert {path.rpartition("/")[2] for path in likely} >= set(sampled)


def test_other_spellings_of_a_path_take_no_place_of_the_likely_sample() -> None:
    paths = [f"images/images/{folder}/{n}.jpg" for folder in ("Dürer", "DuÌ\x88rer") for n in range(30)]
    likely = likely_sample(paths, {"Dürer": "durer", "DuÌ\x88rer": "durer"}, per_artist=20, key="k")
    assert len(likely) == 2 * (20 + SPARE_RANKS)
    assert len({path.rpartition("/")[2] for path in likely}) == 20 + SPARE_RANKS


def works_of(**count: int) -> pd.DataFrame:
    rows = [
        {"id": work_id(slug, f"{slug}_{n}.jpg"), "artist": slug, "file": f"{slug}_{n}.jpg", "sha256": str(n)}
        for slug, most in count.items()
        for n in range(most)
    ]
    return ARTWORKS.frame(rows)


def test_the_sample_has_at_most_so_many_works_per_artist() -> None:
    sample = draw_sample(works_of(many=100, few=3), per_artist=20, key="k")
    assert dict(sample["artist"].value_counts()) == {"many": 20, "few": 3}
    assert sorted(sample[sample["artist"] == "many"]["rank"]) == list(range(1, 21))


def test_the_sample_depends_on_its_key_alone() -> None:
    works = works_of(many=100)
    first, second = (
        set(draw_sample(works.sample(frac=1, random_state=state), per_artist=20, key="k")["id"])
        for state in (1, 2)
    )
    assert first == second != set(draw_sample(works, per_artist=20, key="other")["id"])


def test_a_new_file_displaces_at_most_one_work() -> None:
    before = set(draw_sample(works_of(many=100), per_artist=20, key="k")["id"])
    after = set(draw_sample(works_of(many=101), per_artist=20, key="k")["id"])
    assert len(before - after) <= 1


def test_tables_are_read_as_they_were_written() -> None:
    store = MemoryObjects()
    rows = [
        {
            "slug": "a",
            "name": "Å",
            "birth": None,
            "death": 1900,
            "styles": ["x", "y"],
            "nationalities": [],
            "folders": [],
            "files": 2,
        }
    ]
    digest = ARTISTS.write(store, ARTISTS.frame(rows))
    again = ARTISTS.read(store)
    assert pd.isna(again["birth"][0]) and again["death"][0] == 1900 and list(again["styles"][0]) == ["x", "y"]
    assert ARTISTS.write(store, again) == digest


def test_a_frame_that_does_not_fit_is_refused() -> None:
    with pytest.raises(Invalid, match="table files"):
        FILES.write(MemoryObjects(), pd.DataFrame({"path": ["x"]}))


def test_empty_tables_have_their_columns() -> None:
    for table in (SNAPSHOT, ARTISTS, FILES, ARTWORKS, SAMPLE):
        assert list(table.frame([]).columns) == list(table.columns)
