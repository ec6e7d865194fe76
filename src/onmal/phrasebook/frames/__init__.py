"""The frames: the patterns of sentence that the grammar knows, with their shares of the corpus."""

from typing import Final

from onmal.phrasebook.frames import (
    asking,
    comparing,
    counting,
    dating,
    describing,
    doing,
    greeting,
    joining,
    placing,
    relating,
)
from onmal.phrasebook.frames.doing import interacting
from onmal.phrasebook.frames.joining import LONG
from onmal.phrasebook.frames.speech import Frame

__all__ = ["FRAMES", "LONG", "Frame", "interacting"]

# name -> (share, maker)
FRAMES: Final[dict[str, tuple[int, Frame]]] = {
    **doing.FRAMES,
    **asking.FRAMES,
    **describing.FRAMES,
    **comparing.FRAMES,
    **placing.FRAMES,
    **counting.FRAMES,
    **dating.FRAMES,
    **greeting.FRAMES,
    **joining.FRAMES,
    **relating.FRAMES,
}
