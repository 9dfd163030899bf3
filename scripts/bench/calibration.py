"""What other thresholds on the certainty would have given, and how far the chosen ones are from where they would fail."""

from collections import Counter

from voice import Heard, Pass
from world import median

# The thresholds of src/intent/sound.rs.
ASK, LIKELY, CERTAIN = 0.36, 0.93, 0.95


def calibration(done: Pass) -> str:
    """What thresholds on the certainty would have given, from the readings that were kept and passed over."""
    lines = ["| asked from | right act | wrong question | long edits asked | short edits asked |", "|---|---|---|---|---|"]

    def best(one: Heard) -> tuple[float, Heard]:
        reading = one.readings[0] if one.readings else one.passed_over
        return (reading["certainty"], Heard(one.phrase, one.voice, readings=[reading])) if reading else (0.0, one)

    for step in (0.2, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.85, 0.95):
        cells = []
        for kind, count in (
            ("control", lambda c, one: c >= step and one.right),
            ("control", lambda c, one: c >= step and not one.right),
            ("edit", lambda c, one: c >= step),
            ("short", lambda c, one: c >= step),
        ):
            rows = [best(one) for one in done.of(kind)]
            cells.append(f"{sum(bool(count(c, one)) for c, one in rows) / max(len(rows), 1):.1%}")
        lines.append(f"| {step:.2f} | {' | '.join(cells)} |")
    lines += ["", *margins(done, best)]
    certain = Counter((one.right, one.sure) for one in done.of("control") if one.act)
    lines += [
        "",
        "Sureness of right acts: "
        + " · ".join(f"{sure} {certain[True, sure]}" for sure in ("certain", "likely", "doubtful"))
        + "; of wrong ones: "
        + " · ".join(f"{sure} {certain[False, sure]}" for sure in ("certain", "likely", "doubtful"))
        + ".",
    ]
    return "\n".join(lines)


def margins(done: Pass, best) -> list[str]:
    """Between which cuts both bars would be met, and where the scores of what was said and not said lie."""
    controls = [best(one) for one in done.of("control")]
    right = sorted(c for c, one in controls if one.right)
    wrong = sorted((c for c, one in controls if one.readings and not one.right), reverse=True)
    short = sorted((best(one)[0] for one in done.of("short")), reverse=True)
    long = sorted((best(one)[0] for one in done.of("edit")), reverse=True)
    steps = [step / 100 for step in range(1, 100)]
    share = lambda rows, step: sum(c >= step for c in rows)  # noqa: E731
    good = [
        step
        for step in steps
        if share(right, step) >= 0.93 * len(controls) and share(short, step) <= 0.04 * len(short) and not share(long, step)
    ]
    lines = [
        f"Right acts score {right[len(right) // 20]:.2f} or more in 95 of 100 clips, {median(right):.2f} in the middle. The highest "
        f"scores of what was not said: wrong acts {', '.join(f'{c:.2f}' for c in wrong[:3]) or 'none'}; short edits "
        f"{', '.join(f'{c:.2f}' for c in short[:3])}; free edits {', '.join(f'{c:.2f}' for c in long[:3])}."
        if right
        else "No act was right."
    ]
    if good:
        lines.append(
            f"Both bars (≥ 93 % right, ≤ 4 % of short edits asked about) are met by cuts from {good[0]:.2f} to {good[-1]:.2f}; "
            f"chosen is {ASK:.2f}, {ASK - good[0]:+.2f} from the one end and {ASK - good[-1]:+.2f} from the other."
        )
    else:
        lines.append(f"No cut meets both bars; chosen is {ASK:.2f}.")
    likely = [c for c, one in controls if not one.right and c >= LIKELY]
    lines.append(
        f"Done at once: harmless acts from {LIKELY:.2f}, others from {CERTAIN:.2f} and only to the letter; of wrong acts "
        f"{len(likely)} score as much, of short edits {share(short, LIKELY)} (the highest is {LIKELY - short[0]:.2f} below)."
    )
    return lines
