"""Artists by index: first the fifty written by hand, then any number generated from lists of names and styles."""

from __future__ import annotations

import random
from functools import lru_cache

from sample_art.artists import ARTISTS, Artist

# Nation -> names of women / names of men / beginnings / ends of family names / places of birth.
_NATIONS = {
    "French": "Aurélie Solange Odette Mathilde Ghislaine / Théophile Anselme Édouard Basile Léandre / Beau Mont Clair Roche Haute Belle Vieux Champ / clairac vergne fontel rivaux marchel lancourt brillac sauvel / Dijon, Nantes, Arles, Rennes",
    "German": "Hedwig Ottilie Irmgard Käthe Lioba / Eberhard Jörg Anselm Volkmar Ruprecht / Stein Linden Königs Eichen Möwen Rosen Hohen Schön / tannau kamp wiesner hainer grabener rauth feldner brücher / Weimar, Lübeck, Passau, Kassel",
    "Italian": "Ersilia Ginevra Fiammetta Ludovica Orsola / Baldassarre Ercole Ippolito Saverio Tancredi / Monte Bella Cam Valle Serra Fonta Torre Casal / rosani verdesi chiarelli grimondi fiorani narduzzi pestalli bianesi / Siena, Parma, Lecce, Ferrara",
    "Swedish": "Ingegerd Märta Astrid Ylva Gunnel / Hjalmar Östen Sigvard Torbjörn Åke / Lind Berg Sjö Ek Ström Gran Häll Björk / kvarnén holmgård vallius dalström stedt nässon lundell grenius / Visby, Falun, Kalmar, Luleå",
    "Spanish": "Rocío Consuelo Remedios Begoña Inmaculada / Íñigo Nicanor Celedonio Anselmo Fermín / Val Mon Cas Fuen Pera Torr Alba Mira / derrábano teagudo tañeda calzada lozano ibáñez rroyo ndueña / Cuenca, Jaén, Burgos, Cádiz",
    "Polish": "Bronisława Jadwiga Kazimiera Łucja Zofia / Gustaw Świętosław Ludwik Mieczysław Radosław / Brzo Lipo Jawo Sosno Wilcz Kamie Dębo Gajo / wiecki rzański nowicz rowski czyński lewicz wnicki szewski / Toruń, Sandomierz, Łódź, Gniezno",
    "Czech": "Božena Květa Drahomíra Zdislava Růžena / Čeněk Jaromír Oldřich Vítězslav Bořivoj / Jeřá Hru Mod Kra Sto Javo Polá Vrá / bínský škovec řanský tochvíl klasník rníček bkovec novský / Olomouc, Telč, Tábor, Brno",
    "Hungarian": "Ilona Piroska Erzsébet Réka Boglárka / Ödön Gáspár Kálmán Tihamér Szilárd / Szent Nagy Kis Vár Erdő Kő Alma Hárs / mezei falvi halmi szegi völgyi pataki keresztesi hidasi / Pécs, Szeged, Győr, Sopron",
    "Portuguese": "Conceição Graça Leonor Benedita Violante / Estêvão Gonçalo Simão Baltasar Damião / Val Mon Cas Font Ribei Oli Car Mar / tedeiro devereda teloura sequeda ralvas vairoso valhosa talinho / Évora, Braga, Faro, Aveiro",
    "Finnish": "Hilja Tyyne Sylvi Lempi Väinämä / Urho Tapio Armas Eljas Veikko / Koivu Järvi Mänty Kivi Lehto Niitty Suvi Halla / harjula lampinen saarela mäkinen rantala niemelä koskela vuorela / Turku, Oulu, Porvoo, Tampere",
    "British": "Winifred Hester Philippa Cordelia Enid / Barnaby Lionel Percival Rufus Crispin / Ashen Thorn Marl Winter Black Fair Hather Stan / combeleigh wicke borough thwaite burne field sedge hollow / Bath, Whitby, Ludlow, Durham",
    "Turkish": "Feride Güzin Şükran Müzeyyen Nilüfer / Cevdet Şinasi Hikmet Tuğrul Orhun / Kara Demir Gül Taş Yıldız Altın Çınar Deniz / bahçeli pınarcı koyunlu tepeli öreni kavaklı sazlık çeşmeli / Bursa, Edirne, Konya, Trabzon",
    "Danish": "Karen-Sofie Bodil Gudrun Åse Kirstine / Søren Bjarne Thorvald Asger Jørgen / Hav Birke Sønder Kær Nørre Lynge Skov Rød / gaardsen bjergsen dalsted mosegård lundbæk holtved strupsen vadsen / Aarhus, Ribe, Odense, Svendborg",
    "Croatian": "Ljubica Mirjana Vesna Đurđica Slavka / Krešimir Zvonimir Božidar Tvrtko Hrvoje / Lov Bor Jav Vrb Hrast Gor Jel Kam / renović kovčić orinić aneković ovljević inščak ačević enjak / Zadar, Split, Osijek, Šibenik",
}
# Combinations that suit each other: years of birth | styles | palettes | finishes | scenes.
_STYLES = """
1600-1890 | Marine art | riviera ice storm lapis | oil strokes knife | regatta; harbour; lighthouse; storm; beach
1770-1830 | Marine art, Romanticism | dusk storm nordic | oil canvas | storm; moonlit sea; regatta
1600-1900 | Landscape | nordic mist meadow autumn | oil canvas wash | hay field; poplar river; alps; birch wood; windmill
1770-1830 | Landscape, Romanticism | storm dusk ice | oil knife | alps; waterfall; fjord; sunset
1830-1870 | Impressionism, Landscape | spring meadow provence | strokes | poppy field; river bank; lily pond; bridge; hay field
1845-1880 | Post-Impressionism | provence autumn fauve | swirl strokes | wheat field; sunflowers; sunflower field; hill road
1850-1885 | Pointillism | spring coral meadow | dots | river bank; beach; poppy field; harbour
1590-1920 | Still life | terracotta rose ochre emerald | canvas oil wash | vase of flowers; fruit bowl; jug and lemons; melons
1875-1900 | Still life, Cubism | ochre sepia terracotta | cubist | guitar table; jug and lemons; fruit bowl
1600-1900 | Portraiture | rose sepia autumn | oil canvas | lady in a hat; ruff portrait
1875-1930 | Portraiture, Expressionism | kiln fauve plum | knife ink | bold head; lady in a hat
1580-1660 | Baroque, Portraiture | tenebrist | oil | ruff portrait
1780-1900 | Nocturne | night lapis dusk | swirl oil | starry night; moonlit sea; northern lights; night street
1620-1920 | Townscape | terracotta mist ochre | gouache oil | hill town; canal; white town; bridge
1680-1740 | Veduta | sepia mist riviera | oil | lagoon city; bridge; canal
1840-1935 | Naïve art | spring coral meadow ice | ink gouache | village church; snow village; balloons; birds in a tree; daisy meadow
1865-1890 | Fauvism, Landscape | fauve kiln coral | strokes gouache | harbour; hill road; white town; poplar river
1890-1935 | Geometric abstraction | riviera emerald primary coral | gouache canvas | quilt; discs; floating shapes
1872-1900 | Neoplasticism | primary | canvas gouache | grid
1876-1900 | Suprematism | primary kiln | gouache | floating shapes
1904-1930 | Action painting | kiln storm primary fauve | gouache | drips
1900-1930 | Colour field | coral plum kiln emerald | canvas | color field
1906-1935 | Op art | primary lapis kiln | gouache | op waves
1871-1895 | Orphism | fauve riviera coral | canvas knife | discs
1900-1935 | Lyrical abstraction | mist plum rose | wash knife | ink clouds
1840-1875 | Tonalism, Landscape | mist sepia dusk | wash oil | sunset; poplar river; fjord
"""
_STYLE_ROWS = tuple(tuple(part.strip() for part in row.split("|")) for row in _STYLES.strip().splitlines())
_STRIDE = 37  # coprime to the names per nation: uses each name once, and separates similar ones


@lru_cache(maxsize=8192)
def artist_at(index: int) -> Artist:
    """Return the artist with this index, the same in a collection of any size."""
    return ARTISTS[index] if index < len(ARTISTS) else _generated(index - len(ARTISTS))


def _generated(number: int) -> Artist:
    nations = list(_NATIONS)
    nation = nations[number % len(nations)]
    women, men, stems, ends, places = (part.strip() for part in _NATIONS[nation].split(" / "))
    given = [(name, "she") for name in women.split()] + [(name, "he") for name in men.split()]
    families = [stem + end for stem in stems.split() for end in ends.split()]
    nth = number // len(nations) * _STRIDE % (len(given) * len(families))
    first, pronoun = given[nth % len(given)]
    rng = random.Random(f"generated/{number}")
    era, styles, palettes, finishes, scenes = rng.choice(_STYLE_ROWS)
    born = rng.randrange(*map(int, era.split("-")))
    subjects = scenes.split("; ")
    return Artist(
        name=f"{first} {families[nth // len(given)]}",
        years=f"{born} {rng.choice('----–')} {born + rng.randrange(38, 90)}",
        styles=tuple(styles.split(", ")),
        nationalities=(nation,),
        pronoun=pronoun,
        place=rng.choice(places.split(", ")),
        sound="",
        palette=rng.choice(palettes.split()),
        finish=rng.choice(finishes.split()),
        scenes=tuple(rng.sample(subjects, min(len(subjects), rng.choice((1, 2, 2, 3))))),
        hue=rng.gauss(0, 0.02),
    )
