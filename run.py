"""The whole system in one process tree: ``python run.py``, or ``make run`` on a fresh machine."""

import argparse
import sys

from backend import create_app
from backend.config import BadSetting, Settings
from backend.process_tree import VITE_PORT, CannotRun, run_system, write_demo_settings

__all__ = ["create_app"]  # for `flask --app run …`


def main() -> int:
    """Run until Ctrl-C or SIGTERM; a bad setting or a taken port is one line."""
    parser = argparse.ArgumentParser(
        description="Run Vehicle Vault: web, live events, worker, beat and Valkey."
    )
    parser.add_argument(
        "--reload", action="store_true", help="start the processes again when a Python file changes"
    )
    parser.add_argument(
        "--vite",
        type=int,
        nargs="?",
        const=VITE_PORT,
        metavar="PORT",
        help=f"also serve the front end from its sources, by Vite on this port ({VITE_PORT})",
    )
    arguments = parser.parse_args()
    try:
        settings = Settings.load()
        if write_demo_settings(settings):
            settings = Settings.load()
        run_system(settings, reload=arguments.reload, vite_port=arguments.vite)
    except BadSetting as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except CannotRun as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
