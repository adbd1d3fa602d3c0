"""Odd, broken and missing pictures, over HTTP and in transformers: which are shown, which not."""

import io
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from _conftest import tests
from _flaky import Flaky
from _told import Told, answered, journaled, same, shortened, tell
from overhead import SOURCE, STEM
from PIL import Image as Pillow

from lingshu_core.manifest import Manifest, Producer
from lingshu_core.manifest_writer import ManifestWriter
from lingshu_core.records import Image, Option, Question

SIDE = 64
GOOD = 8
COLOURS = Pillow.merge("RGB", [Pillow.linear_gradient("L").resize((SIDE, SIDE))] * 3)


def pictures(place: Path) -> dict[str, Any]:
    """Returns what became of each kind of picture, and of the run when the files were put right."""
    kinds = files() | {f"good {n}": file_of(COLOURS.rotate(n), "PNG") for n in range(GOOD)}
    task = written(place / "shown", kinds)
    model = place / "model"
    tests().make_tiny(model)
    where = {record.id: task / record.images[0].path for record in Manifest(task)}
    ids = dict(zip(kinds, where, strict=True))
    asking: dict[str, Callable[[Path], Told]] = {
        "transformers": lambda out: tell(
            *("run", "--model", f"hf:{model}", "--tasks", f"manifest:{task}", "--out", str(out)),
            *("-s", "sampling.max_new_tokens=4"),
        )
    }
    with Flaky() as server:
        asking["http"] = lambda out: tell(
            *("run", "--model", "openai:any", "--tasks", f"manifest:{task}", "--out", str(out)),
            *("-s", f"endpoint.base_url={server.url}"),
        )
        calm = {name: place / f"calm-{name}" for name in asking}
        outs = {name: place / f"shown-{name}" for name in asking}
        for name, ask in asking.items():
            ask(calm[name])
        server.answered.clear()
        kept = {name: spoil(where[ids[name]], place) for name, spoil in SPOILED.items()}
        first = {name: ask(outs[name]) for name, ask in asking.items()}
        found = {name: journaled(out) for name, out in outs.items()}
        for name, data in kept.items():
            where[ids[name]].unlink(missing_ok=True)
            where[ids[name]].write_bytes(data)
        known = answered(outs["http"])
        again = {name: ask(outs[name]) for name, ask in asking.items()}
        repeated = server.repeated(known)
    return {
        "kinds": [
            {"picture": kind}
            | {name: shortened(found[name][ids[kind]] or "shown") for name in asking}
            for kind in kinds
            if not kind.startswith("good")
        ],
        "items": len(kinds),
        "exits": {name: [first[name].exit, again[name].exit] for name in asking},
        "mib_http": first["http"].mib,
        "repeated": repeated,
        "equal": all(same(outs[name], calm[name]) for name in asking),
    }


def files() -> dict[str, bytes]:
    """Returns files of pictures by what is odd about them."""
    deep = Pillow.new("I;16", (SIDE, SIDE))
    deep.putdata([9 * n for n in range(SIDE * SIDE)])
    glass = COLOURS.convert("RGBA")
    glass.putalpha(Pillow.radial_gradient("L").resize((SIDE, SIDE)))
    lying = Pillow.Exif()
    lying[0x0112] = 6
    lie = bytearray(file_of(COLOURS, "PNG"))
    lie[16:24] = (60_000).to_bytes(4, "big") * 2
    return {
        "CMYK": file_of(COLOURS.convert("CMYK"), "JPEG"),
        "16 bits a sample": file_of(deep, "PNG"),
        "moving, GIF": file_of(COLOURS, "GIF", save_all=True, append_images=[COLOURS.rotate(90)]),
        "moving, PNG": file_of(COLOURS, "PNG", save_all=True, append_images=[COLOURS.rotate(90)]),
        "see-through": file_of(glass, "PNG"),
        "a photograph on its side": file_of(COLOURS, "JPEG", exif=lying),
        "12,000 x 12,000 pixels in a small file": flat(12_000),
        "20,000 x 20,000 pixels in a small file": flat(20_000),
        "a head that says 60,000 x 60,000": bytes(lie),
        "cut in the middle": file_of(COLOURS, "PNG")[:90],
        "words": b"not a picture",
        "empty": b"",
        "missing": file_of(COLOURS.rotate(45), "PNG"),
        "changed after it was prepared": file_of(COLOURS.rotate(46), "PNG"),
        "a link out of the folder": file_of(COLOURS.rotate(47), "PNG"),
    }


def _lose(path: Path, place: Path) -> bytes:
    data = path.read_bytes()
    path.unlink()
    return data


def _change(path: Path, place: Path) -> bytes:
    data = _lose(path, place)
    path.write_bytes(file_of(COLOURS.rotate(11), "PNG"))
    return data


def _link(path: Path, place: Path) -> bytes:
    outside = place / "outside.png"
    shutil.copy(path, outside)
    data = _lose(path, place)
    path.symlink_to(outside)
    return data


SPOILED = {
    "missing": _lose,
    "changed after it was prepared": _change,
    "a link out of the folder": _link,
}
"""What happens to files after the manifest was written; each returns what was there."""


def file_of(picture: Pillow.Image, form: str, **more: Any) -> bytes:
    """Returns a picture as a file."""
    buffer = io.BytesIO()
    picture.save(buffer, form, **more)
    return buffer.getvalue()


def flat(side: int) -> bytes:
    """Returns a large white picture of one bit a pixel, which packs to almost nothing."""
    return file_of(Pillow.new("1", (side, side), 1), "PNG")


def written(out: Path, kinds: dict[str, bytes]) -> Path:
    """Writes a manifest with a question about each picture."""
    producer = Producer(package="bench", version="0", command="bench", settings="")
    with ManifestWriter(out, producer=producer) as writer:
        for number, data in enumerate(kinds.values()):
            ref = writer.add_file(data, suffix=".png")
            image = Image(path=ref.path, sha256=ref.sha256, width=SIDE, height=SIDE)
            writer.write(
                Question(
                    id=f"bench/{number:020x}",
                    source=SOURCE,
                    modality="xray",
                    images=(image,),
                    question=f"{number}: {STEM}",
                    options=tuple(Option(letter=one, text=f"the {one}") for one in "ABCD"),
                    answer="A",
                    answer_kind="choice",
                )
            )
    return out
