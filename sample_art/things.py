"""Things drawn from tables: boats, buildings, people, animals. `stamps.Stamp` explains the notation."""

from __future__ import annotations

import math

from sample_art.canvas import Canvas
from sample_art.palettes import Ink
from sample_art.shapes import Pose, arc, box, smooth
from sample_art.stamps import Stamp, window

_SAILS = """
pick sail : light light+glow.5 accent second
pick jib : light second light+glow.4
pick hull : dark accent earth
fill sail+light.3 sail+water.3 : -.025,-1 .12,-.62 .34,-.19 -.025,-.16
line sail+water.35 .008 : -.02,-.79 .09,-.8 / -.02,-.58 .17,-.6 / -.02,-.37 .25,-.39
fill jib jib+water.3 : -.05,-.9 -.24,-.42 -.4,-.13 -.06,-.15
line dark .014 : -.04,-1 -.04,-.1 / -.04,-.15 .36,-.18
fill hull hull+dark.45 : -.38,-.11 .36,-.1 .27,.02 -.25,.025
line hull+light.6 .014 : -.38,-.11 .36,-.1
oval accent+second.5 .025 .045 : .1,-.145
"""
_WAKE = """
line sail+water.3 .035 : -.25,.05 .23,.05 / -.2,.12 .22,.12
line sail+water.5 .035 : -.19,.19 .17,.19 / -.14,.27 .16,.27
line sail+water.7 .03 : -.12,.34 .11,.34 / -.07,.42 .09,.42
"""
SHIP = Stamp(_SAILS)
SAILING_BOAT = Stamp(_SAILS + _WAKE)
FISHING_BOAT = Stamp("""
pick hull : accent second dark light water+light.4 leaf
line hull+water.45 .03 : -.4,.06 .38,.06 / -.3,.12 .32,.12 / -.24,.18 .22,.18
line dark .022 : -.05,-.1 -.05,-.95
line dark .008 : -.05,-.92 .42,-.2 / -.05,-.92 -.46,-.2
line light+earth.3 .06 : -.05,-.28 .36,-.33
fill hull hull+dark.5 : -.5,-.2 -.2,-.1 .2,-.1 .5,-.19 .36,.04 -.35,.04
line hull+light.65 .035 : -.5,-.2 -.2,-.1 .2,-.1 .5,-.19
""")
BARGE = Stamp("""
pick hull : dark accent leaf
curve hull hull+dark.5 : -.5,-.07 .5,-.07 .42,.06 -.42,.06
line hull+light.6 .03 : -.44,-.06 .44,-.06
fill light+glow.5 earth+light.3 : -.2,-.2 .15,-.2 .18,-.06 -.23,-.06
""")
GONDOLA = Stamp("""
line dark+water.6 .035 : -.4,.05 .4,.05
fill dark+water.1 dark : -.56,-.2 -.46,-.09 0,-.05 .44,-.08 .54,-.15 .4,.02 -.36,.02
fill accent : -.08,-.16 .12,-.16 .14,-.05 -.1,-.05
line dark .045 : .36,-.1 .36,-.2
line light .05 : .36,-.2 .34,-.29
oval skin+earth.2 .025 .03 : .34,-.34
line second .016 : .3,-.365 .38,-.365
line earth+dark.4 .01 : .26,-.26 .48,.04
""")
HOUSE = Stamp("""
pick wall : light light+glow.5 earth+light.5 accent+light.55
pick roof : accent accent+earth.5 earth+dark.4
pick glass : dark+sky.25
fill wall+dark.28 wall+dark.4 : -.5,-.42 .1,-.42 .1,0 -.5,0
fill wall wall+dark.1 : .1,-.42 .3,-.69 .5,-.42 .5,0 .1,0
fill roof roof+dark.3 : -.53,-.39 -.46,-.69 .3,-.7 .1,-.39
line roof+dark.4 .05 : .3,-.695 .53,-.39
window wall+light.5 glass .1 .11 : -.34,-.26 -.08,-.26 .3,-.36
fill roof+dark.55 : .24,-.18 .36,-.18 .36,0 .24,0
fill wall+dark.3 : -.3,-.78 -.22,-.78 -.22,-.62 -.3,-.62
""")
CHURCH = Stamp("""
pick wall : light+glow.4 glow+earth.2
pick roof : accent water+dark.4
pick glass : dark+water.3
fill wall+dark.25 wall+dark.36 : -.42,-.27 .1,-.27 .1,0 -.42,0
fill roof roof+dark.3 : -.435,-.26 -.37,-.44 .1,-.44 .1,-.26
arch glass .022 .03 .1 : -.33,-.17 -.21,-.17 -.09,-.17
fill wall wall+dark.1 : .015,-.56 .185,-.56 .185,0 .015,0
fill wall+dark.25 : .015,-.56 .06,-.56 .06,0 .015,0
fill roof+dark.12 roof : -.005,-.55 .1,-.97 .205,-.55
fill roof+dark.4 : -.005,-.55 .1,-.97 .08,-.55
arch glass .025 .035 .09 : .1,-.46
oval light+second.3 .03 : .1,-.27
arch roof+dark.6 .032 .04 .12 : .1,-.12
line dark .012 : .1,-1.05 .1,-.96 / .078,-1.02 .122,-1.02
""")
LIGHTHOUSE = Stamp("""
pick tower : light
pick stripe : accent accent water+dark.4
fill tower : -.117,-.16 .117,-.16 .125,0 -.125,0 / -.101,-.48 .101,-.48 .109,-.32 -.109,-.32
fill tower : -.085,-.8 .085,-.8 .093,-.64 -.093,-.64
fill stripe : -.109,-.32 .109,-.32 .117,-.16 -.117,-.16 / -.093,-.64 .093,-.64 .101,-.48 -.101,-.48
flat tower+dark.2 : -.117,-.16 -.05,-.16 -.055,0 -.125,0 / -.101,-.48 -.043,-.48 -.047,-.32 -.109,-.32
flat tower+dark.2 : -.085,-.8 -.036,-.8 -.04,-.64 -.093,-.64
flat stripe+dark.25 : -.109,-.32 -.047,-.32 -.05,-.16 -.117,-.16 / -.093,-.64 -.04,-.64 -.043,-.48 -.101,-.48
fill dark : -.11,-.8 .11,-.8 .1,-.77 -.1,-.77
fill second+light.5 : -.06,-.93 .06,-.93 .06,-.8 -.06,-.8
line dark .01 : -.055,-.93 -.055,-.8 / 0,-.93 0,-.8 / .055,-.93 .055,-.8
fill stripe stripe+dark.3 : -.085,-.92 0,-1.03 .085,-.92
arch dark .03 .04 .07 : 0,-.07
window tower+dark.2 dark .025 .05 : 0,-.4 0,-.7
""")
CASTLE = Stamp("""
pick stone : earth+light.35 light+earth.45
keep stone+dark.12 stone+dark.3 : -.5,-.34 .5,0
keep stone stone+dark.2 : -.58,-.5 -.42,0 / .42,-.46 .58,0 / -.23,-.66 -.01,0 / .11,-.8 .25,0
flat stone+dark.3 : -.58,-.5 -.53,-.5 -.53,0 -.58,0 / .42,-.46 .47,-.46 .47,0 .42,0
flat stone+dark.3 : -.23,-.66 -.16,-.66 -.16,0 -.23,0 / .11,-.8 .15,-.8 .15,0 .11,0
fill accent+dark.15 accent+dark.4 : -.6,-.5 -.5,-.74 -.4,-.5 / .4,-.46 .5,-.7 .6,-.46 / .09,-.8 .18,-1.04 .27,-.8
line dark .012 : -.12,-.66 -.12,-.86
fill accent : -.12,-.86 .02,-.82 -.12,-.77
window stone+dark.2 dark .025 .06 : -.48,-.38 .52,-.34 -.09,-.54 .2,-.66
arch dark .07 .1 .12 : .02,-.12
""")
TOWER = Stamp("""
pick stone : accent+earth.55
fill stone stone+dark.15 : -.065,-.66 .065,-.66 .075,0 -.075,0
flat stone+dark.3 : -.065,-.66 -.02,-.66 -.022,0 -.075,0
fill light light+earth.3 : -.075,-.8 .075,-.8 .075,-.655 -.075,-.655
fill dark : -.058,-.77 -.032,-.77 -.032,-.69 -.058,-.69 / -.013,-.77 .013,-.77 .013,-.69 -.013,-.69
fill dark : .032,-.77 .058,-.77 .058,-.69 .032,-.69
fill leaf+water.4 leaf+dark.4 : -.067,-.8 0,-1 .067,-.8
""")
BASILICA = Stamp("""
pick marble : light+glow.35
pick dome : water+light.35
fill marble marble+earth.3 : -.5,-.45 .5,-.45 .5,0 -.5,0
fill marble+earth.15 : -.47,-.47 -.25,-.47 -.25,-.4 -.47,-.4 / .25,-.47 .47,-.47 .47,-.4 .25,-.4
fill marble+earth.15 : -.27,-.58 .27,-.58 .27,-.4 -.27,-.4
form dome+dark.3 dome+light.4 : -.48,-.46 -.47,-.56 -.36,-.62 -.25,-.56 -.24,-.46 -.36,-.45
form dome+dark.3 dome+light.4 : .24,-.46 .25,-.56 .36,-.62 .47,-.56 .48,-.46 .36,-.45
form dome+dark.3 dome+light.4 : -.3,-.56 -.29,-.78 -.1,-.95 .1,-.95 .29,-.78 .3,-.56 0,-.54
line marble .035 : 0,-.9 0,-1.05 / -.36,-.58 -.36,-.68 / .36,-.58 .36,-.68
fill marble+earth.25 : -.25,-.42 0,-.56 .25,-.42
arch dark+earth.3 .045 .07 .2 : -.34,-.22 -.17,-.22 0,-.22 .17,-.22 .34,-.22
""")
WHITE_HOUSE = Stamp("""
pick white : light+glow.1
pick paint : water+blue.5 water+blue.5 accent
fill white+sky.45 white+sky.45+water.12 : -.5,-.8 .1,-.8 .1,0 -.5,0
fill white white+glow.3 : .1,-.8 .5,-.78 .5,0 .1,0
oval paint .05 .08 : -.2,-.5
fill paint : .23,-.4 .37,-.4 .37,0 .23,0
""")
WHITE_CHAPEL = Stamp("""
pick paint : water+blue.5
curve paint paint+dark.4 : -.38,-.75 -.36,-1.05 0,-1.3 .36,-1.05 .38,-.75
line paint+light.5 .06 : .06,-1.1 .17,-1.03 .22,-.9
line light .03 : 0,-1.2 0,-1.42 / -.07,-1.35 .07,-1.35
fill light+sky.45 light+sky.55 : -.5,-.8 .1,-.8 .1,0 -.5,0
fill light light+glow.3 : .1,-.8 .5,-.78 .5,0 .1,0
arch paint .06 .09 .3 : .3,-.3
""")
_MILL = Stamp("""
pick body : light earth accent+earth.4
pick cap : earth+dark.5
fill body body+dark.2 : -.13,-.8 .13,-.8 .21,0 -.21,0
flat body+dark.3 : -.13,-.8 -.03,-.8 -.06,0 -.21,0
fill cap cap+dark.3 : -.15,-.78 -.14,-.88 -.08,-.97 .02,-.99 .1,-.95 .14,-.86 .15,-.78
line earth+dark.4 .022 : -.24,-.3 .24,-.3
window body+light.5 dark .035 .06 : .03,-.15 .03,-.45 .03,-.62
""")
_MILL_SAIL = Stamp("""
pick wood : earth+dark.6
flat light+glow.4 : .13,0 .62,0 .62,.11 .13,.11
line wood .007 : .13,0 .13,.11 / .2,0 .2,.11 / .27,0 .27,.11 / .34,0 .34,.11 / .41,0 .41,.11 / .48,0 .48,.11
line wood .008 : .55,0 .55,.11 / .62,0 .62,.11 / .13,.11 .62,.11
line wood .02 : 0,0 .62,0
oval wood .03 : 0,0
""")
HAYSTACK = Stamp("""
pick straw : second+earth.35
glow dark+leaf.3 1.1 .25 .75 : -.6,0
form straw+dark.35 straw+light.45 : -.5,.03 -.56,-.3 -.3,-.8 0,-1.05 .3,-.8 .56,-.3 .5,.03
line straw+light.5 .012 : .1,-.8 .12,-.62 / .2,-.6 .24,-.42 / .05,-.5 .06,-.3 / .3,-.4 .35,-.22 / .15,-.25 .17,-.05
line straw+earth.5 .012 : -.1,-.8 -.13,-.6 / -.25,-.55 -.3,-.38 / -.1,-.4 -.12,-.2 / -.35,-.3 -.4,-.1
line straw+earth.4 .012 : -.2,-.2 -.22,-.04 / 0,-.9 .01,-.75 / .38,-.15 .41,-.02
""")
LADY = Stamp("""
pick dress : light sky+light.4 dark+water.4 accent accent+light.4
pick parasol : accent second light leaf+light.4
glow leaf+dark.7 .5 .08 .7 : -.3,0
curve dress dress+dark.3 : -.08,-.7 .08,-.7 .09,-.45 .27,0 -.25,0 -.09,-.45
oval skin .06 .08 : 0,-.8
oval second .11 .025 : 0,-.86
oval second .05 .04 : 0,-.88
line earth+dark.3 .025 : .04,-.6 .14,-.55 .16,-1.05
curve parasol parasol+dark.2 : -.18,-.94 -.1,-1.1 .14,-1.2 .38,-1.1 .46,-.94 .14,-.98
""")
GENTLEMAN = Stamp("""
pick coat : dark water dark+accent.3 earth+dark.4
glow leaf+dark.7 .5 .08 .7 : -.3,0
line coat+dark.3 .09 : -.05,-.36 -.06,0 / .05,-.36 .07,0
fill coat coat+dark.35 : -.12,-.74 .12,-.74 .12,-.34 -.12,-.34
oval skin .065 .085 : 0,-.83
fill dark : -.07,-1.06 .07,-1.06 .08,-.9 -.08,-.9
line earth+dark.5 .02 : .14,-.6 .2,-.3 .22,0
""")
UMBRELLA = Stamp("""
pick cloth : accent dark dark+accent.5 water
glow dark .35 .08 .6 : 0,0
curve dark dark : -.1,-.74 .1,-.74 .18,.02 -.18,.02
oval dark .075 .1 : 0,-.82
curve cloth cloth+dark.4 : -.38,-.88 -.28,-1.1 0,-1.22 .28,-1.1 .38,-.88 0,-.94
""")
BATHER = Stamp("""
pick cloth : accent second water leaf accent+light.4
glow earth+dark.5 .75 .16 .6 : -.3,0
fill light+second.3 : .1,-.05 .6,-.05 .7,.07 .15,.07
line cloth .08 : .27,-.02 .5,0
line skin+earth.3 .05 : .5,0 .64,.02 / .3,-.02 .24,-.02
oval skin+earth.3 .05 : .2,-.03
line earth+dark.3 .025 : 0,0 .08,-1
curve cloth cloth+dark.15 : -.46,-.58 -.42,-.8 -.1,-1.02 .1,-1.06 .32,-1.0 .58,-.78 .6,-.54 .06,-.68
flat light : .1,-1.04 -.12,-.98 -.3,-.64 -.16,-.64 / .1,-1.04 .12,-.68 .26,-.65 / .1,-1.04 .34,-.96 .5,-.6 .4,-.63
""")
ELEPHANT = Stamp("""
pick hide : dark+sky.35+earth.25
glow dark+earth.4 1 .14 .7 : 0,0
fill hide+dark.35 hide+dark.55 : -.36,-.55 -.16,-.55 -.19,0 -.35,0 / .28,-.55 .48,-.55 .45,0 .29,0
fill hide+dark.1 hide+dark.3 : -.48,-.55 -.28,-.55 -.31,0 -.47,0 / .16,-.55 .36,-.55 .33,0 .17,0
curve hide+light.18 hide+dark.25 : -.58,-.5 -.54,-.9 -.15,-1.04 .3,-1 .52,-.75 .42,-.38 -.1,-.34 -.42,-.36
line hide+dark.3 .03 : -.54,-.8 -.62,-.5 -.6,-.35
line hide+dark.08 .11 : .7,-.72 .8,-.45 .79,-.15 .86,-.04
curve hide+light.12 hide+dark.1 : .3,-.97 .55,-1.1 .82,-.97 .85,-.58 .62,-.48 .38,-.58
curve hide+light.22 hide+dark.2 : .3,-1 .52,-1 .58,-.7 .42,-.43 .22,-.6
line light .04 : .72,-.58 .86,-.46 .96,-.48
oval dark .022 : .68,-.84
""")
GIRAFFE = Stamp("""
pick coat : second+light.2
pick spot : earth+dark.35
glow dark+earth.4 .45 .06 .7 : 0,0
line coat+earth.3 .035 : -.13,-.4 -.12,0 / .17,-.4 .18,0
line coat+earth.1 .035 : -.2,-.4 -.19,0 / .1,-.4 .11,0
curve coat coat+earth.3 : -.26,-.35 -.24,-.56 .1,-.64 .26,-.59 .24,-.37 -.1,-.34
fill coat coat+earth.15 : .1,-.6 .33,-.97 .4,-.96 .24,-.5
curve coat : .28,-1.01 .4,-1.05 .56,-.93 .5,-.88 .33,-.91
line spot .014 : .33,-1 .32,-1.07 / .38,-1 .37,-1.07
oval spot .025 .022 : -.17,-.5 -.08,-.53 .02,-.55 .12,-.55 -.12,-.44 -.02,-.46 .08,-.48 .17,-.48 -.18,-.4 .03,-.4
oval spot .018 : .2,-.63 .24,-.7 .21,-.56 .28,-.77 .31,-.83 .34,-.9 .29,-.7
line spot .012 : -.23,-.5 -.28,-.3
oval dark .01 : .41,-.98
""")
SONGBIRD = Stamp("""
pick back : accent second water leaf sky accent+second.5 dark
pick breast : second accent light+accent.4 glow light+second.5
pick cap : water dark leaf accent water+dark.4
curve back+dark.4 cap+dark.3 : -.3,-.28 -.4,-.2 -.9,.12 -.75,.18 -.6,.15 -.2,-.1
line second+dark.4 .022 : -.02,-.06 0,.06 / .08,-.06 .1,.06
curve back+light.1 back+dark.12 : .1,-.7 .34,-.68 .41,-.48 .34,-.22 .14,0 -.1,0 -.4,-.18 -.34,-.34 -.06,-.5
form breast breast+light.5 : .32,-.52 .38,-.38 .32,-.2 .12,-.03 -.08,-.04 .03,-.3
curve cap cap+dark.2 : .03,-.6 .1,-.76 .29,-.76 .41,-.6 .24,-.57
curve cap+dark.12 cap+dark.4 : .12,-.46 .17,-.26 -.12,-.08 -.62,-.01 -.3,-.26 -.1,-.46
line cap+light.55 .02 : .06,-.34 -.18,-.2 / 0,-.3 -.26,-.155 / -.06,-.27 -.34,-.11 / -.12,-.235 -.42,-.065
fill second+accent.3 second+dark.5 : .36,-.6 .53,-.54 .36,-.5
oval light .045 : .27,-.57
oval dark .032 : .27,-.57
oval light .01 : .28,-.582
""")
GUITAR = Stamp("""
pick wood : earth+accent.25
curve wood+dark.6 : -.02,-.1 .12,-.12 .21,.02 .15,.12 .25,.26 .25,.38 .1,.47 -.07,.47 -.22,.38 -.2,.26 -.1,.12 -.17,.02
curve wood+glow.45 wood+dark.1 : -.08,-.12 .08,-.12 .2,0 .11,.12 .24,.27 .21,.42 0,.46 -.21,.42 -.24,.27 -.11,.12 -.2,0
curve wood+dark.12 wood+dark.35 : -.1,-.1 0,-.1 -.02,.44 -.19,.4 -.22,.28 -.09,.12 -.18,0
oval second+wood.4 .075 : 0,.08
oval dark .06 : 0,.08
fill dark+wood.3 : -.027,-.5 .027,-.5 .032,.02 -.032,.02
fill wood+dark.45 : -.045,-.62 .045,-.62 .03,-.49 -.03,-.49
oval light .011 : -.056,-.6 -.056,-.56 -.056,-.52 .056,-.6 .056,-.56 .056,-.52
line second .004 : -.028,-.44 .028,-.44 / -.028,-.36 .028,-.36 / -.028,-.28 .028,-.28 / -.028,-.2 .028,-.2
line light .003 : -.02,-.5 -.02,.29 / -.007,-.5 -.007,.29 / .007,-.5 .007,.29 / .02,-.5 .02,.29
fill dark : -.07,.28 .07,.28 .07,.305 -.07,.305
""")


def windmill(c: Canvas, x: float, y: float, s: float) -> None:
    """A tower mill of height `s` with four lattice sails."""
    _MILL(c, x, y, s)
    turn = c.rng.uniform(0.2, 1.3)
    for k in range(4):
        _MILL_SAIL(c, x + c.sun * 0.02 * s, y - 0.86 * s, s, flip=1, turn=turn + k * math.pi / 2)


def balloon(c: Canvas, x: float, y: float, s: float, one: Ink, two: Ink) -> None:
    """A hot-air balloon of height `s`, its basket at (x, y), in gores or bands of two colors."""
    d, r = c.sun, s / 3.1
    top, basket = y - 2.15 * r, y - 0.2 * r
    gores = c.rng.random() < 0.66
    first, other = c.vary(one), c.color(two)
    # The crown is half a ball, the rest narrows to the mouth: (height, half the width) from top to foot.
    rows = [(top - r * math.cos(a), r * math.sin(a)) for a in (k * math.pi / 20 for k in range(10))]
    rows += [(top + 1.4 * r * t, r * (1 - 0.8 * t**1.7)) for t in (k / 8 for k in range(9))]
    for k in range(9):
        left, right = (math.sin(-math.pi / 2 + math.pi * j / 9) for j in (k, k + 1))
        tone = first if k % 2 or not gores else other
        light = math.sin(-math.pi / 2 + math.pi * (k + 0.5) / 9) * d
        tone = c.mix(tone, "light", 0.22 * light) if light > 0 else c.mix(tone, "dark", -0.38 * light)
        outline = [(x + h * left, yy) for yy, h in rows] + [(x + h * right, yy) for yy, h in reversed(rows)]
        c.flat(outline, tone)
    for low, high in () if gores else ((7, 9), (10, 13)):
        part = rows[low:high]
        band = [(x - h, yy) for yy, h in part] + [(x + h, yy) for yy, h in reversed(part)]
        c.fill(band, other, c.mix(other, "earth", 0.3))
    mouth, half = rows[-1]
    c.oval(x, top - 0.98 * r, 0.12 * r, 0.04 * r, c.mix(first, "dark", 0.3))
    c.flat(
        [(x - 0.05 * r, mouth + 0.1 * r), (x, mouth - 0.08 * r), (x + 0.05 * r, mouth + 0.1 * r)], "second"
    )
    for side in (-1, 1):
        c.stroke([(x + side * half, mouth), (x + side * 0.11 * r, basket)], 0.014 * r, "dark")
    basket_shape = Pose(x, y, r).of("-.14,-.2 .14,-.2 .11,0 -.11,0")
    c.fill(basket_shape, "earth+accent.2", "earth+dark.5")


def town_house(
    c: Canvas, x: float, y: float, w: float, h: float, wall: Ink, gable: str, lit: Ink | None = None
) -> None:
    """A narrow house of a street front: its left foot at (x, y), its eave at height `h`; `lit` colors windows."""
    base = c.color(wall)
    trim = c.mix(base, "light", 0.65)
    profile = {
        "step": "0,0 0,-.13 .13,-.13 .13,-.26 .25,-.26 .25,-.39 .37,-.39 .37,-.52 .63,-.52 .63,-.39 .75,-.39 "
        ".75,-.26 .87,-.26 .87,-.13 1,-.13 1,0",
        "point": "0,0 .5,-.6 1,0",
        "bell": "0,0 .12,-.05 .24,-.34 .3,-.46 .42,-.55 .58,-.55 .7,-.46 .76,-.34 .88,-.05 1,0",
        "flat": "0,0 -.03,-.07 1.03,-.07 1,0",
    }[gable]
    top = Pose(x, y - h, w).of(profile)
    c.fill([*top, (x + w, y), (x, y)], base, c.mix(base, "dark", 0.15))
    c.stroke(top, 0.05 * w, trim)
    floors, columns = max(2, round(h / (0.5 * w))), 3 if w > 0.11 else 2
    for floor in range(floors):
        wy = y - h + h * (floor + 0.45) / floors
        for k in range(columns):
            wx = x + w * (k + 1) / (columns + 1)
            if floor == floors - 1 and k == 0:
                door = box(wx - 0.09 * w, wy - 0.12 * w, wx + 0.09 * w, y)
                c.fill(door, c.mix("accent", "dark", c.rng.uniform(0.2, 0.7)))
                continue
            glass = lit if lit and c.rng.random() < 0.6 else c.mix("dark", "sky", c.rng.uniform(0.1, 0.4))
            window(c, wx, wy, 0.15 * w, min(0.26 * w, 0.55 * h / floors), trim, glass)
    if gable != "flat":
        c.oval(x + w / 2, y - h - 0.14 * w, 0.06 * w, 0.07 * w, "dark+sky.2")


def bridge(c: Canvas, y: float, top: float, count: int, stone: Ink, hump: float) -> None:
    """A stone bridge across the whole image: its road at `top`, the water at `y`, `count` arches."""
    base, w = c.color(stone), c.w

    def road(x: float) -> float:
        return top - hump * math.sin(math.pi * min(1.0, max(0.0, x / w)))

    span = w / count
    upper = [(x, road(x)) for x in (k / 30 * (w + 0.1) - 0.05 for k in range(31))]
    lower: list[tuple[float, float]] = []
    arches = [((k + 0.5) * span, (y - road((k + 0.5) * span)) * 0.72) for k in range(count)]
    for middle, rise in arches:
        curve = arc(middle, y, 0.4 * span, rise, math.pi, math.tau, 16)
        lower += [(middle - 0.51 * span, y), *curve, (middle + 0.49 * span, y)]
    c.fill([*upper, (w + 0.05, y), *reversed(lower), (-0.05, y)], base, c.mix(base, "dark", 0.35))
    for middle, rise in arches:
        rim = arc(middle, y, 0.41 * span, rise + 0.008, math.pi, math.tau, 16)
        c.stroke(rim, 0.014, c.mix(base, "light", 0.3))
    c.stroke(upper, 0.018, c.mix(base, "light", 0.35))
    for _ in range(60):
        x = c.rng.uniform(0, w)
        yy = road(x) + c.rng.uniform(0.015, 0.06)
        c.stroke([(x, yy), (x + 0.02, yy)], 0.007, c.vary(c.mix(base, "dark", 0.2), 0.06))


def rock(c: Canvas, x: float, y: float, s: float, stone: Ink = "earth+dark.45") -> None:
    """A boulder of half width `s`."""
    base = c.color(stone)
    shape = smooth(arc(x, y, s, s * 0.6, parts=7)[:-1])
    bent = [(px + c.rng.uniform(-0.1, 0.1) * s, py + c.rng.uniform(-0.07, 0.07) * s) for px, py in shape[::3]]
    c.form(smooth(bent), c.mix(base, "dark", 0.4), c.mix(base, "glow", 0.45), 5)


def street_lamp(c: Canvas, x: float, y: float, s: float) -> None:
    c.stroke([(x, y), (x, y - s)], 0.025 * s, "dark")
    c.glow(x, y - s, 0.55 * s, 0.55 * s, "second", 0.95)
    c.oval(x, y - s, 0.05 * s, 0.065 * s, "light+second.3")
    c.glow(x, y + 0.03, 0.5 * s, 0.12 * s, "second", 0.7)
