"""Small pictures of images, made anew from their pixels: nothing of the uploaded bytes reaches a page."""

from __future__ import annotations

import io
import warnings
from typing import IO

from PIL import Image, ImageOps

from core.files import GIF, JPEG, PNG

PICTURES = frozenset({PNG, JPEG, GIF})
LONGEST_SIDE = 720
PIXELS_MAX = 50_000_000
QUALITY = 82


def preview_of(file: IO[bytes]) -> bytes | None:
    """Return a JPEG of at most 720 × 720 pixels, upright and without metadata; None if it is no image we can read."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(file, formats=("PNG", "JPEG", "GIF")) as image:
                if image.width * image.height > PIXELS_MAX:
                    return None
                upright = ImageOps.exif_transpose(image)
                upright.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
                return _jpeg(upright)
    except (
        OSError,
        SyntaxError,
        ValueError,
        Image.DecompressionBombWarning,
        Image.DecompressionBombError,
    ):
        return None


def _jpeg(image: Image.Image) -> bytes:
    with_alpha = image.convert("RGBA")
    flat = Image.new("RGB", with_alpha.size, "white")
    flat.paste(with_alpha, mask=with_alpha.getchannel("A"))
    made = io.BytesIO()
    flat.save(made, "JPEG", quality=QUALITY, optimize=True)
    return made.getvalue()
