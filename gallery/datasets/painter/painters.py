"""What a painter is, and the genres there are."""

from __future__ import annotations

from dataclasses import dataclass

# Genres, with the title of the English Wikipedia's article on each: the painters have none.
ARTICLES = {
    "Action painting": "Action_painting",
    "Baroque": "Baroque_painting",
    "Colour field": "Color_field",
    "Cubism": "Cubism",
    "Expressionism": "Expressionism",
    "Fauvism": "Fauvism",
    "Geometric abstraction": "Geometric_abstraction",
    "Impressionism": "Impressionism",
    "Landscape": "Landscape_painting",
    "Luminism": "Luminism_(American_art_style)",
    "Lyrical abstraction": "Lyrical_abstraction",
    "Marine art": "Marine_art",
    "Naïve art": "Na%C3%AFve_art",
    "Neoplasticism": "De_Stijl",
    "Nocturne": "Nocturne_(painting)",
    "Op art": "Op_art",
    "Orphism": "Orphism_(art)",
    "Pointillism": "Pointillism",
    "Portraiture": "Portrait_painting",
    "Post-Impressionism": "Post-Impressionism",
    "Romanticism": "Romanticism",
    "Still life": "Still_life",
    "Suprematism": "Suprematism",
    "Symbolism": "Symbolism_(arts)",
    "Tonalism": "Tonalism",
    "Townscape": "Cityscape",
    "Veduta": "Veduta",
}


@dataclass(frozen=True)
class Painter:
    """An invented painter: what the catalogue says, and the style that makes the works look related."""

    name: str
    years: str
    genres: tuple[str, ...]
    nationalities: tuple[str, ...]
    pronoun: str  # "he" or "she"
    place: str  # of birth
    sound: str  # the name's pronunciation as an encyclopedia would give it, or ""
    palette: str
    touch: str
    motifs: tuple[str, ...]
    hue: float = 0.0  # how far all colours are turned, a fraction of the circle

    @property
    def folder(self) -> str:
        return self.name.replace(" ", "_")
