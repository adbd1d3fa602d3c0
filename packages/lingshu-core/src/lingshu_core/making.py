"""What core's own commands were asked for: written beside what they made, to be known again."""

from importlib.metadata import version
from pathlib import Path

from pydantic import Field, ValidationError

from lingshu_core.console import say
from lingshu_core.digest import digest
from lingshu_core.errors import SettingsError
from lingshu_core.manifest import Producer
from lingshu_core.page import publish
from lingshu_core.panels import Panel, Stats
from lingshu_core.recipe import SETTINGS_NAME, Recipe

_PACKAGE = "lingshu-core"


class Making(Recipe):
    """A command, what it reads and its settings."""

    command: str
    inputs: tuple[str, ...]
    """Digests, in order."""
    settings: dict[str, str | int | float] = Field(default_factory=dict)

    def producer(self) -> Producer:
        """Returns the command as the producer of a manifest."""
        return Producer(
            package=_PACKAGE,
            version=version(_PACKAGE),
            command=self.command,
            settings=digest(self.settings),
        )

    def is_done(self, out: Path) -> bool:
        """Says whether `out` was made by this command from these inputs, and tells the user so.

        Raises:
            SettingsError: It was made in another way.
        """
        try:
            found = Making.model_validate_json((out / SETTINGS_NAME).read_bytes())
        except (OSError, ValidationError):
            return False
        if found != self:
            what = "inputs" if found.inputs != self.inputs else "settings"
            raise SettingsError(f"{out} was made with other {what}: remove it, or name another")
        say(f"{out} is there already, made by the same command from the same inputs")
        return True

    def publish(
        self,
        folder: Path,
        *,
        title: str,
        seconds: float,
        counts: dict[str, int],
        panels: tuple[Panel, ...] = (),
    ) -> None:
        """Writes settings, figures and page into the folder that is being made."""
        self.write(folder / SETTINGS_NAME)
        stats = Stats(
            title=title,
            package=_PACKAGE,
            version=version(_PACKAGE),
            command=self.command,
            seconds=round(seconds, 2),
            counts=counts,
            panels=panels,
        )
        publish(folder, stats)
