"""From a record to a sample: encoded, and with its pictures decoded."""

from typing import Any

from lingshu_core.manifest import Manifest
from lingshu_core.messages import to_messages
from lingshu_core.records import RecordBase
from lingshu_train.encode import Encoded, Encoder, UnfitError
from lingshu_train.pictures import Picture, PictureReader


class Codec:
    """Everything that turns a record into a sample: tokenizer, picture reader, greatest length.

    Args:
        processor: As `AutoProcessor` loads it from the checkpoint.
        max_length: In tokens.
        shorten: Whether longer samples are cut; otherwise they do not fit.
    """

    def __init__(self, processor: Any, *, max_length: int, shorten: bool = True) -> None:
        self.pictures = PictureReader(processor.image_processor)
        self.encoder = Encoder(processor.tokenizer, self.pictures.merge)
        self.max_length = max_length
        self.shorten = shorten

    def identity(self) -> dict[str, object]:
        """Returns what decides the samples, for hashes."""
        return {
            "encoder": self.encoder.identity(),
            "pictures": self.pictures.identity(),
            "max_length": self.max_length,
            "shorten": self.shorten,
        }

    def encode(self, record: RecordBase) -> Encoded:
        """Encodes a record without opening its pictures, whose sizes it says.

        Raises:
            UnfitError: It cannot be learned from.
            DataError: It cannot be put as messages.
        """
        messages = to_messages(record)
        shown = [piece.image for message in messages for piece in message.content if piece.image]
        try:
            grids = [self.pictures.grid(image.width, image.height) for image in shown]
        except ValueError as error:
            raise UnfitError(str(error)) from None
        sample = self.encoder.encode(
            messages, grids, limit=self.max_length if self.shorten else None
        )
        if sample.tokens > self.max_length:
            raise UnfitError(f"{sample.tokens} tokens where {self.max_length} are the most")
        return sample

    def open(self, record: RecordBase, manifest: Manifest) -> list[Picture]:
        """Decodes a record's pictures in the order in which its messages show them.

        Raises:
            OSError, ValueError, SyntaxError, DataError: One of them is missing or damaged.
        """
        return [
            self.pictures.open(manifest.file(piece.image, record=record.id), piece.image)
            for message in to_messages(record)
            for piece in message.content
            if piece.image is not None
        ]
