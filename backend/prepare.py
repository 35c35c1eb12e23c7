"""What must be true before anything is served: the newest schema, and in the demo its car parks.

``run.py`` runs this module in a process of its own, which is gone before the others start; what it
prints is what the operator should know.
"""

import sys

from sqlalchemy.exc import OperationalError

from backend import create_app
from backend.config import Settings
from backend.migrate import migrate_database


def main() -> None:
    """Migrate, load the demo once, and say how to sign in to it."""
    settings = Settings.load()
    app = create_app(settings)
    try:
        migrate_database(app)
    except OperationalError as error:
        reason = str(error.orig).strip().splitlines()[0]
        sys.exit(f"The database of DATABASE_URL does not answer: {reason}")
    if settings.demo:
        from backend.demo.loader import load_demo  # noqa: PLC0415 - nobody but the demo pays for it

        with app.app_context():
            for line in load_demo():
                sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    main()
