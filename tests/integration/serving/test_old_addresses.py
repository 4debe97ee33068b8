"""Old addresses of searches redirect to the present ones, with all parameters."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest
from flask.testing import FlaskClient

from gallery.models import Artwork
from serving.old_addresses import RENAMED


@pytest.mark.parametrize(("old", "new"), RENAMED.items())
@pytest.mark.parametrize("path", ["/", "/map", "/artists/ada-amber"])
def test_an_old_parameter_redirects_to_the_new_one(
    client: FlaskClient, path: str, old: str, new: str
) -> None:
    answer = client.get(f"{path}?q=a%26b+c&{old}=1&{old}=%C3%A9&lang=de")
    assert answer.status_code == 301
    address = urlsplit(answer.location)
    assert address.path == path
    assert parse_qsl(address.query) == [("q", "a&b c"), (new, "1"), (new, "é"), ("lang", "de")]


def test_an_old_address_leads_to_the_same_search(client: FlaskClient, work: Artwork) -> None:
    old = (
        f"/?q=light&qw=2&not=dark&notw=0.5&less={work.id}&lessw=3&genre=Impressionism&notby=bo-blue"
        "&from=1800&to=2000&each=2&k=3&start=1"
    )
    new = (
        f"/?q=light&q_weight=2&exclude=dark&exclude_weight=0.5&unlike={work.id}&unlike_weight=3"
        "&style=Impressionism&exclude_artist=bo-blue&active_from=1800&active_to=2000&per_artist=2&limit=3&offset=1"
    )
    answer = client.get(old)
    assert answer.location == new
    assert client.get(new).status_code == 200


def test_present_addresses_and_forms_do_not_redirect(client: FlaskClient) -> None:
    assert client.get("/?q=light&page=2&x=1").status_code == 200
    assert client.post("/", data={"q": "light", "k": "3"}).location == "/?q=light"


def test_behind_a_prefix_the_redirect_keeps_it(client: FlaskClient) -> None:
    answer = client.get("/?q=light&k=3", environ_overrides={"SCRIPT_NAME": "/art"})
    assert answer.location == "/art/?q=light&limit=3"
