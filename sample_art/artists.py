"""The artist class, the styles, and the first fifty artists, written by hand. None of them is a real person."""

from __future__ import annotations

from dataclasses import dataclass

# Style -> title of its article in the English Wikipedia; the artists have no articles of their own.
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
class Artist:
    """An invented artist: the facts in the catalogue, and what makes the works look related."""

    name: str
    years: str
    styles: tuple[str, ...]
    nationalities: tuple[str, ...]
    pronoun: str  # "he" or "she"
    place: str  # of birth
    sound: str  # the pronunciation of the name, as in an encyclopaedia, or ""
    palette: str
    finish: str
    scenes: tuple[str, ...]
    hue: float = 0.0  # rotation of all colors, as a fraction of the color circle

    @property
    def folder(self) -> str:
        return self.name.replace(" ", "_")


# name | years | styles | nationalities | pronoun, place of birth | pronunciation | palette, finish | scenes
_ROWS = """
Éloïse Marchetière | 1840 - 1926 | Marine art, Impressionism | French | she, Honfleur | French: [eloiz maʁʃətjɛʁ] | riviera, strokes | regatta, regatta, beach
Günther Möwenbrück | 1774 - 1840 | Romanticism, Marine art | German | he, Stralsund | German: [ˈɡʏntɐ ˈmøːvn̩bʁʏk] | dusk, oil | moonlit sea, harbour
Tadeo Larrañoz | 1898 - 1961 | Still life | Spanish | he, Zaragoza | Spanish: [taˈðeo laraˈɲoθ] | terracotta, canvas | fruit bowl, jug and lemons
Sigrun Halvardsen | 1821 – 1889 | Landscape, Romanticism | Norwegian | she, Voss | | nordic, oil | alps, fjord
Pieter van der Hoolwerf | 1612 - 1679 | Landscape | Dutch | he, Haarlem | Dutch: [ˈpitər vɑn dər ˈɦoːlʋɛr(ə)f] | mist, oil | windmill, windmill, canal
Agnieszka Wiśnowolska | 1871 - 1938 | Portraiture, Symbolism | Polish | she, Tarnów | Polish: [aɡˈɲɛʂka viɕnɔˈvɔlska] | rose, oil | lady in a hat
Hoshino Kazumaru | 1797 - 1858 | Nocturne, Landscape | Japanese | he, Edo | | lapis, ink | snow peak, moonlit sea
Mirella Cantafiori | 1889 - 1967 | Still life | Italian | she, Bologna | | rose, wash | vase of flowers
Tobias Ackerfield | 1803 - 1871 | Townscape, Landscape | British | he, Norwich | | meadow, oil | village church, hay field
Anneke Roosdaal | 1886 - 1954 | Neoplasticism | Dutch | she, Utrecht | Dutch: [ˈɑnəkə ˈroːzdaːl] | primary, canvas | grid
Bohumil Křesadlík | 1881 - 1953 | Cubism, Still life | Czech | he, Kutná Hora | Czech: [ˈboɦumɪl ˈkr̝̊ɛsadliːk] | ochre, cubist | guitar table, jug and lemons
Yevdokiya Zarubina | 1885 – 1931 | Suprematism | Ukrainian, Russian | she, Chernihiv | | primary, gouache | floating shapes
Clement Abernashe | 1914 - 1959 | Action painting | American | he, Cheyenne | | kiln, gouache | drips
Rosalind Tewkesworth | 1908 - 1974 | Colour field | American, British | she, Providence | | coral, canvas | color field
Gaspard Fontenoisier | 1860 - 1893 | Pointillism | French | he, Meudon | French: [ɡaspaʁ fɔ̃tnwazje] | spring, dots | river bank, beach
Inês Valadouro | 1901 - 1983 | Townscape | Portuguese | she, Porto | Portuguese: [iˈneʃ vɐlɐˈdoɾu] | terracotta, gouache | hill town, harbour
Lajos Szentkútvári | 1883 - 1950 | Expressionism, Landscape | Hungarian | he, Eger | Hungarian: [ˈlɒjoʃ ˈsɛntkuːtvaːri] | fauve, knife | hill road, sunset
Signe Lindhavn | 1854 - 1931 | Luminism, Marine art | Danish | she, Skagen | Danish: [ˈsiːnə ˈlenˌhɑwˀn] | ice, oil | beach, lighthouse
Ulrik Fjellstrand | 1788 - 1857 | Romanticism, Landscape | Norwegian | he, Ålesund | | storm, oil | alps, waterfall
Esperanza Montecillo | 1910 - 1989 | Naïve art | Mexican | she, Oaxaca | | coral, ink | birds in a tree, cactus land
Kwabena Asantefie | 1922 - 1996 | Portraiture, Expressionism | Ghanaian | he, Kumasi | | kiln, knife | bold head
Aino Koivuharju | 1866 - 1929 | Landscape | Finnish | she, Kuopio | Finnish: [ˈɑi̯no ˈkoi̯ʋuˌhɑrju] | nordic, strokes | birch wood, fjord
Matteo Bellacorte | 1697 - 1768 | Veduta, Townscape | Italian | he, Venice | Italian: [matˈtɛːo bellaˈkorte] | sepia, oil | lagoon city
Hortense Beaulac-Rivard | 1898 - 1977 | Naïve art, Landscape | Canadian | she, Baie-Saint-Paul | | ice, gouache | snow village
Dimitrios Kalavrakis | 1852 - 1932 | Marine art | Greek | he, Syros | | lapis, canvas | regatta, white town
Nuru Wanjohiri | 1936 - 2004 | Naïve art | Kenyan | she, Nyeri | | meadow, ink | acacia plain, birds in a tree
Séraphin Duclozeau | 1885 - 1941 | Orphism | French | he, Rouen | French: [seʁafɛ̃ dyklozo] | fauve, canvas | discs
Walburga Steinlechthaler | 1858 - 1899 | Landscape | Austrian | she, Lienz | | ice, knife | alps, snow village
Caoimhe Ní Dhuibhlinn | 1864 - 1943 | Tonalism, Landscape | Irish | she, Galway | Irish: [ˈkiːvʲə nʲiː ˈɣɪvʲlʲɪnʲ] | mist, wash | poplar river, sunset
Nazlı Gülbeyoğlu | 1912 - 1988 | Still life, Fauvism | Turkish | she, İzmir | Turkish: [ˈnazlɯ ɟylˈbejoːɫu] | emerald, strokes | vase of flowers, fruit bowl
Bram Ostervelde | 1880 - 1949 | Fauvism, Landscape | Belgian | he, Ghent | Dutch: [ˈbrɑm ˈɔstərvɛldə] | fauve, strokes | harbour, poplar river
Ľudmila Brezinská | 1895 - 1970 | Still life, Naïve art | Slovak | she, Levoča | | meadow, gouache | sunflowers, sunflower field, daisy meadow
Ottavio Serralunga | 1586 – 1641 | Baroque, Portraiture | Italian | he, Cremona | Italian: [otˈtaːvjo serraˈluŋɡa] | tenebrist, oil | ruff portrait
Meera Chandravarkar | 1919 - 1992 | Portraiture | Indian | she, Dharwad | | terracotta, ink | bold head, lady in a hat
Juliusz Dąbrowiecki | 1869 - 1911 | Symbolism, Nocturne | Polish | he, Lublin | Polish: [ˈjuljuʂ dɔmbrɔˈvjɛt͡skʲi] | night, swirl | starry night
Theodora Winslade | 1931 - 2015 | Op art | British | she, Leeds | | primary, gouache | op waves, op waves, grid
Ramón Iturbeltz | 1887 - 1927 | Cubism | Spanish | he, Vitoria | Spanish: [raˈmon ituɾˈβelts] | sepia, cubist | guitar table, ruff portrait
Liselotte Haarbrunn | 1899 - 1985 | Geometric abstraction | Swiss | she, Winterthur | German: [ˈliːzəlɔtə ˈhaːɐ̯bʁʊn] | riviera, gouache | quilt, discs
Vasile Moldovănescu | 1868 - 1916 | Post-Impressionism | Romanian | he, Iași | Romanian: [vaˈsile moldovəˈnesku] | provence, swirl | sunflowers, sunflower field, wheat field
Freya Kirkhallow | 1877 - 1951 | Marine art | British | she, Anstruther | | storm, oil | lighthouse, storm
Lý Hoàng Miên | 1906 - 1973 | Landscape | Vietnamese, French | she, Huế | | emerald, wash | lily pond, river bank
Amédée Vaucresson | 1844 - 1910 | Naïve art | French | he, Laval | French: [amede vokʁɛsɔ̃] | provence, gouache | balloons
Jónas Hrafnkelsberg | 1902 - 1979 | Nocturne, Landscape | Icelandic | he, Akureyri | Icelandic: [ˈjouːnas ˈr̥apn̥cɛlsˌpɛrk] | night, oil | northern lights
Celestina Arroyave-Pinto | 1917 - 2001 | Still life | Colombian | she, Santa Fe de Antioquia | | coral, gouache | fruit bowl, melons
Emil Kåresson | 1861 - 1920 | Luminism, Landscape | Swedish | he, Mora | Swedish: [ˈěːmɪl ˈkôːrɛsɔn] | autumn, oil | birch wood, sunset
Baek Hyesan | 1938 - 2011 | Lyrical abstraction | South Korean | she, Jeonju | | plum, wash | ink clouds
Marta Oliveirinha | 1926 - 2007 | Geometric abstraction | Brazilian | she, Recife | | emerald, canvas | quilt, floating shapes
Ferdinand Rauhnest | 1891 – 1946 | Expressionism, Townscape | German | he, Chemnitz | German: [ˈfɛʁdinant ˈʁaʊ̯nɛst] | plum, knife | night street
Zdenka Hrastovec | 1928 - 2009 | Naïve art | Slovene | she, Ptuj | | spring, ink | village church, snow village
Augustin Thévenard | 1836 - 1904 | Impressionism, Landscape | French | he, Sens | French: [oɡystɛ̃ tevnaʁ] | spring, strokes | lily pond, poppy field, bridge
"""


def _artist(row: str) -> Artist:
    name, years, styles, nationalities, born, sound, technique, scenes = (
        part.strip() for part in row.split("|")
    )
    pronoun, place = born.split(", ", 1)
    palette, finish = technique.split(", ")
    return Artist(
        name=name,
        years=years,
        styles=tuple(styles.split(", ")),
        nationalities=tuple(nationalities.split(", ")),
        pronoun=pronoun,
        place=place,
        sound=sound,
        palette=palette,
        finish=finish,
        scenes=tuple(scenes.split(", ")),
    )


ARTISTS = tuple(_artist(row) for row in _ROWS.strip().splitlines())
