"""Chinese fonts of the PDF: a regular and a real bold, cut out of a package's variable font at set-up.

The machine needs no Chinese font of its own. The cut holds the characters of GB 2312, Latin, punctuation and the
symbols that reports use, which keeps WeasyPrint quick and files small (docs/adr/0005).
"""

from __future__ import annotations

from pathlib import Path

import manimgx_fonts_cjk
from django.conf import settings
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTCollection, TTFont

FAMILY = "Report Sans"
WEIGHTS = {"regular": 400, "bold": 700}
REGULAR = 400
CURVE_ERROR = 1.0  # units of the em square, far below what print can show
_SIMPLIFIED = "SC"
_EXTRA = "·—–‘’“”…‰′″℃→←↑↓≤≥≠≈×÷±√■□▲△●○★☆✓✗①②③④⑤⑥⑦⑧⑨⑩¥€£©®™、。〈〉《》「」『』【】〔〕！（），．：；？～￥"


def font_directory() -> Path:
    """Return where the cut fonts stand."""
    return Path(settings.FONTS_ROOT)


def font_file(weight: str) -> Path:
    """Return the font file of ``regular`` or ``bold``."""
    return font_directory() / f"report-{weight}.ttf"


def prepare_fonts() -> bool:
    """Cut the fonts if they are not there; return True if something was done."""
    missing = [weight for weight in WEIGHTS if not font_file(weight).exists()]
    if not missing:
        return False
    font_directory().mkdir(parents=True, exist_ok=True)
    source = _simplified_chinese()
    for weight in missing:
        target = font_file(weight)
        unfinished = target.with_suffix(".tmp")
        _cut(source, WEIGHTS[weight]).save(unfinished)
        unfinished.rename(target)
    return True


def _simplified_chinese() -> TTFont:
    """Open the collection's face for simplified Chinese."""
    source = next(Path(manimgx_fonts_cjk.__file__).parent.glob("*.ttc"))
    for font in TTCollection(source, lazy=True).fonts:
        name = str(font["name"].getDebugName(1))
        if name.endswith(f" {_SIMPLIFIED}") and "Mono" not in name:
            return font
    raise LookupError("the font package has no face for simplified Chinese")


def _cut(source: TTFont, weight: int) -> FontBuilder:
    """Draw the wanted characters at one weight into a static TrueType font, which every PDF reader knows."""
    wanted = characters()
    cmap = {code: name for code, name in source.getBestCmap().items() if chr(code) in wanted}
    glyphs = source.getGlyphSet(location={"wght": weight})
    order = [".notdef", *dict.fromkeys(cmap.values())]
    outlines, metrics = {}, {}
    for name in order:
        pen = TTGlyphPen(None)
        glyphs[name].draw(Cu2QuPen(pen, max_err=CURVE_ERROR, reverse_direction=True))
        outline = pen.glyph()
        outlines[name] = outline
        left = (
            min((x for x, _ in outline.coordinates), default=0) if outline.numberOfContours else 0
        )
        metrics[name] = (round(glyphs[name].width), left)
    builder = FontBuilder(source["head"].unitsPerEm, isTTF=True)
    builder.setupGlyphOrder(order)
    builder.setupCharacterMap(cmap)
    builder.setupGlyf(outlines)
    builder.setupHorizontalMetrics(metrics)
    ascent, descent = source["hhea"].ascent, source["hhea"].descent
    builder.setupHorizontalHeader(ascent=ascent, descent=descent)
    builder.setupNameTable(
        {"familyName": FAMILY, "styleName": "Bold" if weight > REGULAR else "Regular"}
    )
    builder.setupOS2(
        sTypoAscender=ascent,
        sTypoDescender=descent,
        usWinAscent=ascent,
        usWinDescent=-descent,
        usWeightClass=weight,
    )
    builder.setupPost(keepGlyphNames=False)
    return builder


def characters() -> set[str]:
    """Return the characters that the cut holds."""
    rows = range(0xA1, 0xFF)
    gb2312 = {
        bytes([high, low]).decode("gb2312", "ignore") for high in range(0xA1, 0xF8) for low in rows
    }
    return {c for c in gb2312 if c} | {chr(n) for n in range(0x20, 0x250)} | set(_EXTRA)
