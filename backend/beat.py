"""The scheduler behind beat: RedBeat, whose entries keep running when the machine's clock is set back."""

from datetime import datetime
from typing import Any

from redbeat.schedulers import RedBeatScheduler, RedBeatSchedulerEntry


class Scheduler(RedBeatScheduler):  # type: ignore[misc] # RedBeat ships no types
    """RedBeat that believes no entry which last ran at a time to come.

    RedBeat keeps in Valkey when each entry ran last. After the clock was set back by a day it would wait
    for that day to pass again, over any restart, and nothing would be swept meanwhile.
    """

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Run what is due; give the seconds until the next may be."""
        moment = self.app.now()
        for name in self.app.conf.beat_schedule:
            self._mend(name, moment)
        seconds: float = super().tick(*args, **kwargs)
        return seconds

    def _mend(self, name: str, moment: datetime) -> None:
        key = RedBeatSchedulerEntry.generate_key(self.app, name)
        try:
            entry = RedBeatSchedulerEntry.from_key(key, app=self.app)
        except KeyError:
            return  # another beat, of another version, took it out
        if entry.last_run_at is not None and entry.last_run_at > moment:
            # From now on, so that it runs a turn later.
            entry.reschedule(moment)
