"""Amounts of money: integer minor units, their currency, rounding and writing."""

_NO_DIGITS = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"
_THREE_DIGITS = "BHD IQD JOD KWD LYD OMR TND"
_TWO_DIGITS = """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF
    CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL
    HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT
    MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB
    SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH
    USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG
"""

# ISO 4217. A code that is not here is refused rather than guessed at two digits.
_DIGITS = {
    code: digits
    for digits, codes in ((0, _NO_DIGITS), (2, _TWO_DIGITS), (3, _THREE_DIGITS))
    for code in codes.split()
}

# Only signs that name one currency to most readers; the others are written with their code.
_SYMBOLS = {"EUR": "€", "GBP": "£", "INR": "₹", "JPY": "¥", "KRW": "₩", "USD": "$"}


def currency_digits(code: str) -> int:
    """Say how many digits the minor unit of a currency has.

    Raises:
        ValueError: the code is not one of ISO 4217, in capitals.

    """
    digits = _DIGITS.get(code)
    if digits is None:
        raise ValueError(f"{code!r} is not a currency code of ISO 4217.")
    return digits


def round_half_up(numerator: int, denominator: int) -> int:
    """Divide whole numbers and round to the nearest, a half towards the greater."""
    if denominator <= 0:
        raise ValueError("The denominator must be greater than zero.")
    return (2 * numerator + denominator) // (2 * denominator)


def format_money(minor: int, currency: str) -> str:
    """Write an amount for people, such as ``₹1,23,456.00``, ``€12.00`` or ``¥1,200``."""
    digits = currency_digits(currency)
    major, fraction = divmod(abs(minor), 10**digits)
    number = _group_indian(major) if currency == "INR" else f"{major:,}"
    if digits:
        number += f".{fraction:0{digits}d}"
    sign = "-" if minor < 0 else ""
    return sign + _SYMBOLS.get(currency, f"{currency} ") + number


def _group_indian(number: int) -> str:
    """Group the last three digits, and those before them by two: lakh and crore."""
    thousands, rest = divmod(number, 1000)
    if not thousands:
        return str(rest)
    pairs: list[str] = []
    while thousands >= 100:
        thousands, pair = divmod(thousands, 100)
        pairs.append(f"{pair:02d}")
    return ",".join([str(thousands), *reversed(pairs), f"{rest:03d}"])
