"""Translated pages: which language a visitor gets, and that every text is translated."""

from __future__ import annotations

import html
import io
import re
import tomllib
from itertools import chain
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.datastructures import MultiDict

import serving
from gallery.models import Artwork
from gallery.search.query import ImageTerm
from gallery.settings import Settings
from serving import create_app
from serving.describe import describe
from serving.i18n import FOLDER, SOURCE, number, words_hint
from serving.query import parse
from tests.fakes.collection import resolved, stocked
from tests.fakes.web import upload

SERVING = Path(serving.__file__).parent
CATALOGUES = sorted(FOLDER.glob("*/LC_MESSAGES/messages.po"))
PLACEHOLDER = re.compile(r"%\(\w+\)s|\{\w+\}|</?\w+[^>]*>|GALLERY_\w+|`[^`]+`")
GERMAN = {"Accept-Language": "de-AT,de;q=0.9,en;q=0.5"}

Key = tuple[str | None, str]


def catalogue(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file)


def texts(id: str | tuple[str, ...]) -> tuple[str, ...]:
    return (id,) if isinstance(id, str) else tuple(id)


def strings(read: Catalog) -> dict[Key, str | tuple[str, ...]]:
    return {(message.context, texts(message.id)[0]): message.string for message in read if message.id}


@pytest.fixture(scope="module")
def sources() -> dict[Key, tuple[str, ...]]:
    """Every text of the code and the templates, found as CONTRIBUTING.md says."""
    mappings = tomllib.loads((SERVING.parent / "pyproject.toml").read_text())["tool"]["babel"]["mappings"]
    methods = [(mapping["pattern"], mapping["method"]) for mapping in mappings]
    keywords = {**DEFAULT_KEYWORDS, "marked": None, "InvalidQuery": (2,)}
    found: dict[Key, tuple[str, ...]] = {}
    folders = (SERVING, SERVING.parent / "gallery" / "search")
    messages = (extract_from_dir(folder, methods, keywords=keywords) for folder in folders)
    for _, _, id, _, context in chain.from_iterable(messages):
        key = (context, texts(id)[0])
        assert found.setdefault(key, texts(id)) == texts(id), (
            "two plurals of one singular are one message to gettext"
        )
    return found


@pytest.mark.docs
@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parts[-3])
def test_a_catalog_has_exactly_the_texts_of_the_sources(
    sources: dict[Key, tuple[str, ...]], path: Path
) -> None:
    assert len(sources) > 200
    assert {(m.context, texts(m.id)[0]): texts(m.id) for m in catalogue(path) if m.id} == sources


@pytest.mark.docs
@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parts[-3])
def test_a_catalog_has_no_empty_or_fuzzy_translation(path: Path) -> None:
    read = catalogue(path)
    for message in read:
        if message.id:
            assert all(texts(message.string)), message.id
            assert not message.fuzzy, message.id
            if isinstance(message.id, tuple):
                assert len(message.string) == read.num_plurals, message.id
    assert not read.obsolete


@pytest.mark.docs
@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parts[-3])
def test_translations_keep_placeholders_and_markup(path: Path) -> None:
    for message in catalogue(path):
        wanted = [set(PLACEHOLDER.findall(text)) for text in texts(message.id)]
        for text in texts(message.string) if message.id else ():
            assert set(PLACEHOLDER.findall(text)) in wanted, message.id
            # Texts are used in attributes, which this quote would end.
            assert '"' not in re.sub(r"<[^>]*>", "", text), message.id
        if message.id:
            assert not re.search(r"%(?!\(\w+\)s)", "".join(texts(message.string))), message.id


@pytest.mark.docs
@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parts[-3])
def test_the_compiled_catalog_is_up_to_date(path: Path) -> None:
    compiled = io.BytesIO()
    write_mo(compiled, catalogue(path))
    compiled.seek(0)
    with path.with_suffix(".mo").open("rb") as file:
        assert strings(read_mo(file)) == strings(read_mo(compiled))


@pytest.mark.docs
def test_templates_have_no_untranslated_text() -> None:
    for path in sorted((SERVING / "templates").glob("*.html")):
        if path.name == "api.html":  # generated from the API's description, which is English
            continue
        text = re.sub(
            r"(?s)\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}|<svg.*?</svg>|<pre>.*?</pre>", "\0", path.read_text()
        )
        words = re.findall(r">([^<>]*[A-Za-z]{2}[^<>]*)<", text)
        words += re.findall(r'\s(?:aria-label|title|alt|data-announce)="([^"]*[A-Za-z]{2}[^"]*)"', text)
        left = [word.replace("\0", "").strip() for word in words]
        assert set(left) <= {"Likeness", "· Likeness", "Wikipedia", "SHA-256", "_search.html"}, path.name


@pytest.mark.docs
def test_scripts_and_styles_have_no_untranslated_text() -> None:
    for path in sorted((SERVING / "static").glob("*.[jc]s*")):
        text = re.sub(r"(?s)/\*.*?\*/|(?m:(?:^|\s)//.*$)", "", path.read_text())
        assert not re.findall(r"""["`'>][A-Z][a-z]+ [a-z ]+""", text.replace('"Iowan Old', "")), path.name


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("", "en"),
        ("de", "de"),
        ("de-AT,de;q=0.9", "de"),
        ("DE", "de"),
        ("fr,de;q=0.8,en;q=0.5", "de"),
        ("en-US,de;q=0.8", "en"),
        ("fr", "en"),
        ("*", "en"),
        ("de;q=0", "en"),
        ("fr-CH, xx;q=3, \x80", "en"),
        ("en;q=0.4,de;q=0.6", "de"),
        ("i-klingon,../../etc", "en"),
    ],
)
def test_a_page_is_in_the_preferred_language_of_the_browser(
    client: FlaskClient, header: str, code: str
) -> None:
    answer = client.get("/artists", headers={"Accept-Language": header})
    assert f'<html lang="{code}">' in answer.text
    assert ("Zum Hauptinhalt springen" in answer.text) is (code == "de")
    assert answer.headers["Content-Language"] == code
    assert "Accept-Language" in answer.headers["Vary"]
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("path", ["/?lang=de", "/?q=light&lang=DE", "/artists?lang=de", "/nothing?lang=de"])
def test_lang_in_the_address_overrides_the_browser(client: FlaskClient, path: str) -> None:
    answer = client.get(path, headers={"Accept-Language": "en"})
    assert (answer.headers["Content-Language"], '<html lang="de">' in answer.text) == ("de", True)


@pytest.mark.parametrize("code", ["", "xx", "fr", "../de", "de\0", "d" * 500, "de_DE", "<b>"])
def test_an_unknown_language_is_ignored_and_not_kept_in_links(client: FlaskClient, code: str) -> None:
    answer = client.get("/", query_string={"lang": code, "q": "light"})
    assert answer.headers["Content-Language"] == "en"
    assert not re.search(r"[?;]lang=", answer.text.partition('<nav class="languages"')[0])


@pytest.mark.parametrize(
    "path",
    ["/", "/?q=light&limit=3", "/?style=Cubism&limit=3", "/?q=light&style=None", "/artists",
     "/artists/bo-blue?limit=1", "/works/{id}", "/map", "/nothing", "/?active_from=9&active_to=1", "/api"],
)  # fmt: skip
def test_every_link_keeps_the_language_in_the_address(client: FlaskClient, work: Artwork, path: str) -> None:
    path = path.format(id=work.id)
    page = client.get(path + ("&" if "?" in path else "?") + "lang=de").text
    page = page.replace(page[page.index('<nav class="languages"') :], "")
    links = [
        html.unescape(link)
        for link in re.findall(r'(?:href|action|hx-get|data-card|data-work)="(/[^"]*)"', page)
        if not link.startswith(("/static/", "/images/", "/api/v1"))
    ]
    assert len(links) > 3
    assert [link for link in links if "lang=de" not in urlsplit(link).query.split("&")] == []


def test_links_have_no_language_if_the_address_has_none(client: FlaskClient) -> None:
    page = client.get("/?q=light&limit=3", headers=GERMAN).text
    assert "lang=" not in re.sub(r"\s(?:href)?lang=", " ", page.partition('<nav class="languages"')[0])


def test_an_upload_keeps_the_language(client: FlaskClient) -> None:
    answer = upload(client, path="/?lang=de")
    assert answer.history[0].location.endswith("&lang=de")
    assert "Im Stil Ihres Bildes" in answer.text


def test_a_page_links_to_its_translations(client: FlaskClient) -> None:
    page = client.get("/?q=light&style=Cubism&style=Impressionism&offset=2").text
    found = re.findall(
        r'<a href="([^"]+)" hreflang="(\w+)" lang="(\w+)"( aria-current="true")?>(\w+)</a>', page
    )
    assert [link[1:] for link in found] == [
        ("en", "en", ' aria-current="true"', "English"),
        ("de", "de", "", "Deutsch"),
    ]
    assert html.unescape(found[1][0]) == "/?q=light&style=Cubism&style=Impressionism&offset=2&lang=de"
    back = client.get(html.unescape(found[1][0])).text
    assert 'href="/?q=light&amp;style=Cubism&amp;style=Impressionism&amp;offset=2&amp;lang=en"' in back


@pytest.mark.parametrize(
    "path",
    [
        "//evil.example/x",
        "/nothing?_external=1&_scheme=javascript",
        "/?_scheme=javascript&_external=1&_anchor=x&endpoint=api",
    ],
)
def test_links_to_translations_stay_on_the_site(client: FlaskClient, path: str) -> None:
    page = client.get(path, follow_redirects=True).text
    links = re.findall(r'<a href="([^"]+)" hreflang', page)
    assert len(links) == 2
    assert all(re.match(r"/(\?|$)", html.unescape(link)) for link in links)


@pytest.mark.parametrize("path", ["/api/v1/search?q=light", "/api/v1/nothing", "/api/v1/search?limit=0&q=x"])
def test_the_api_is_in_english(client: FlaskClient, path: str) -> None:
    english, german = client.get(path), client.get(path, headers=GERMAN)
    scores = re.compile(rb'"seconds": ?[\d.e-]+')
    assert scores.sub(b"", german.data) == scores.sub(b"", english.data)
    assert "Content-Language" not in german.headers


@pytest.mark.parametrize(
    ("params", "english", "german"),
    [
        ({"q": "snow"}, "“snow”", "„snow“"),
        ({"q": "snow 100%", "q_weight": "0.5"}, "“snow 100%” (importance 0.5)",
         "„snow 100%“ (Gewichtung 0,5)"),
        ({"image": "t", "unlike": "w1", "nationality": "French", "active_from": "1860", "active_to": "1900"},
         "in the style of your image, less like a work by Claude Monet, by French artists, "
         "by artists active 1860–1900",
         "im Stil Ihres Bildes, weniger wie ein Werk von Claude Monet, Nationalität: French, "
         "Künstler/-innen aktiv 1860–1900"),
        ({"image": ["t", "u"], "like": ["w1", "w2", "w3"]},
         "in the style of your 2 images, like 2 works by Claude Monet and a work by Frida Kahlo",
         "im Stil Ihrer 2 Bilder, wie 2 Werke von Claude Monet und ein Werk von Frida Kahlo"),
        ({"q": "x", "exclude": "y", "artist": ["a", "b", "c"], "exclude_artist": "d"},
         "“x”, without “y”, by Ann, Bob or c, not by d", "„x“, ohne „y“, von Ann, Bob oder c, nicht von d"),
        ({"q": "x", "per_artist": "1", "style": ["Cubism", "Pop Art"], "active_from": "1900"},
         "“x”, style: Cubism or Pop Art, by artists active from 1900, one result per artist",
         "„x“, Stil: Cubism oder Pop Art, Künstler/-innen aktiv ab 1900, ein Ergebnis pro Künstler/-in"),
    ],
)  # fmt: skip
def test_a_search_is_described_in_both_languages(
    app: Flask, settings: Settings, params: dict[str, str | list[str]], english: str, german: str
) -> None:
    names, works = {"a": "Ann", "b": "Bob"}, {"w1": "Claude Monet", "w2": "Claude Monet", "w3": "Frida Kahlo"}
    vector = np.ones(1, dtype=np.float32)
    query = parse(MultiDict(params), settings, lambda token: ImageTerm(vector, "f", token=token))
    for code, sentence in (("en", english), ("de", german)):
        with app.test_request_context(f"/?lang={code}"):
            assert describe(query, resolved(query, works), names) == sentence


def test_numbers_and_dates_are_formatted_for_the_language(client: FlaskClient, work: Artwork) -> None:
    page = client.get(f"/works/{work.id}?lang=de").text
    assert "one, 4. März 2026" in page
    results = client.get("/?q=light&limit=24&lang=de").text
    assert re.search(r'<data value="-?0\.\d+">-?0,\d\d</data>', results)
    assert "gestorben 1516" in results and "geboren 1932" in results
    assert "4 March 2026" in client.get(f"/works/{work.id}").text


def test_numbers_have_the_separators_of_the_language(app: Flask) -> None:
    for code, written in (("en", ["12,345", "0.50", "2.5"]), ("de", ["12.345", "0,50", "2,5"])):
        with app.test_request_context(f"/?lang={code}"):
            assert [number(12_345), number(0.5, 2), number(2.5)] == written


def test_errors_are_translated(client: FlaskClient) -> None:
    for path, status, text in (
        ("/?active_from=1900&active_to=1800", 400, "Die Jahre sind vertauscht: von 1900 bis 1800."),
        ("/nothing", 404, "Seite nicht gefunden"),
        ("/works/none", 404, "Seite nicht gefunden"),
    ):
        answer = client.get(path, headers=GERMAN)
        assert (answer.status_code, text in answer.text) == (status, True)


def test_the_banner_and_the_empty_page_are_translated(settings: Settings) -> None:
    generated = create_app(settings, services=stocked(settings, generated=True)).test_client()
    assert "Demo-Sammlung." in generated.get("/", headers=GERMAN).text
    bare = create_app(settings, services=stocked(settings, publish=False)).test_client()
    assert "Noch nichts ausgestellt" in bare.get("/", headers=GERMAN).text


def test_texts_of_the_dataset_are_marked_as_english(client: FlaskClient) -> None:
    page = client.get("/artists/ada-amber?lang=de").text
    assert '<p class="summary" lang="en">Ada painted light.</p>' in page
    assert '<p class="bio" lang="en">Ada painted light. It was a long life.</p>' in page
    assert 'alt="Gemälde von Ada Amber, 1840–1926, Impressionism"' in page


@pytest.mark.parametrize(
    ("encoder", "header", "hint"),
    [
        ("offline", "de", "Die Suche funktioniert nur auf Englisch."),
        ("clip-ViT-B-32", "de", "Auf Englisch funktioniert die Suche am besten."),
        ("sentence-transformers/clip-ViT-B-32-multilingual-v1", "de",
         "Die Suche funktioniert in vielen Sprachen."),
        ("offline", "fr", "Search works in English only."),
        ("offline", "en-GB,fr;q=0.5", ""), ("offline", "", ""), ("offline", "*", ""),
    ],
)  # fmt: skip
def test_a_hint_says_which_languages_a_search_understands(
    app: Flask, encoder: str, header: str, hint: str
) -> None:
    with app.test_request_context("/", headers={"Accept-Language": header}):
        assert words_hint(encoder) == hint


def test_the_hint_describes_the_search_field(client: FlaskClient) -> None:
    page = client.get("/", headers=GERMAN).text
    assert '<p id="words-hint" class="words-hint">Auf Englisch funktioniert die Suche am besten.</p>' in page
    assert re.search(r'<input id="q"[^>]* aria-describedby="\s*words-hint\s*"', page)
    assert "words-hint" not in client.get("/").text


def test_a_new_catalog_adds_a_language(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "pt_BR" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    made = Catalog(locale="pt_BR")
    made.add("Artists", "Pintores")
    with (folder / "messages.mo").open("wb") as file:
        write_mo(file, made)
    monkeypatch.setattr("serving.i18n.FOLDER", tmp_path)
    app = create_app(settings, services=stocked(settings))
    page = app.test_client().get("/artists", headers={"Accept-Language": "pt-BR"}).text
    assert '<html lang="pt-BR">' in page
    assert "Pintores" in page
    assert 'hreflang="pt-BR" lang="pt-BR" aria-current="true">Português</a>' in page
    assert SOURCE.name == "English"
