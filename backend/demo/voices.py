"""What the demo's drivers say of its car parks, and what is answered."""

from random import Random

_STARS = {5: 46, 4: 30, 3: 13, 2: 7, 1: 4}

_SAID = {
    5: (
        "Wide bays, bright lights, and out again in a minute. I will come back.",
        "The gate knew my plate before I had found the ticket. That is how it should be.",
        "Two minutes on foot to the theatre, and the bay was free as promised.",
        "Clean, quiet and easy to find. The signs to the exit are excellent.",
        "Booked on the train, parked ten minutes later. Nothing to complain about.",
        "My trolley and two children fitted through the lift without trouble.",
        "Very fair with the refund when my meeting was called off.",
        "",
    ),
    4: (
        "Good car park, only the ramp is a little steep.",
        "Easy to book and close to everything. The last level is a bit dark.",
        "All went well. The way from the third level to the exit could be signed better.",
        "Fair price for the inner city. The lift takes its time.",
        "Bay as booked, friendly man at the gate. Pillars stand close, though.",
        "Fine for an afternoon. I would have liked a second charging bay.",
        "",
    ),
    3: (
        "It does what it should. At noon one waits a while at the exit.",
        "The bay was fine, the stairs could do with a broom.",
        "A bit narrow for an estate car, but close to the shops.",
        "I needed two rounds to find my level. After that all was well.",
    ),
    2: (
        "The neighbour stood on the line, and I had to climb out on the other side.",
        "Ten minutes at the exit on a Saturday. The bay itself was all right.",
        "The lift was out of order, with luggage on the fourth level.",
    ),
    1: (
        "Puddles on the lowest level, and my shoes were wet.",
        "Somebody stood on my bay. I got another one, but was late all the same.",
    ),
}
_ANSWERED = {
    5: ("Thank you, it is good to have you with us.", "That pleases the whole team. Thank you!"),
    4: ("Thank you. We have passed it on to those who look after the house.",),
    3: ("Thank you for telling us. We have added a round of cleaning at noon.",),
    2: ("We are sorry about that. The exit gets a second lane this spring.",),
    1: ("We are sorry. The drain has been repaired since; please try us again.",),
}
_ANSWERED_SHARE = {5: 0.1, 4: 0.15, 3: 0.3, 2: 0.6, 1: 0.8}


def say(rng: Random) -> tuple[int, str]:
    """Make up stars and words."""
    stars = rng.choices(list(_STARS), list(_STARS.values()))[0]
    return stars, rng.choice(_SAID[stars])


def answer(stars: int, rng: Random) -> str | None:
    """Make up what the operator answers, if anything; those who were not content are answered more often."""
    return rng.choice(_ANSWERED[stars]) if rng.random() < _ANSWERED_SHARE[stars] else None
