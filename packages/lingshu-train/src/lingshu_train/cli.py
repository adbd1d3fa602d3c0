"""The command line of lingshu_train."""

from lingshu_core.console import new_app, run_app

app = new_app("To come.")


def main() -> None:
    """Runs the command line."""
    run_app(app)
