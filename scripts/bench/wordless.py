"""Sounds without words: silence, hum, noise, clicks, keys, beeps and music, always the same."""

import array
import io
import math
import random
import wave

RATE = 16_000


def clips(count: int):
    """Silence, hum, noise, clicks, keys, beeps and music as WAV files in memory: always the same."""
    dice = random.Random(11)
    kinds = ["silence", "hum", "white noise", "brown noise", "clicks", "keys", "beeps", "music"]
    for number in range(count):
        kind = kinds[number % len(kinds)]
        length = RATE + dice.randrange(RATE * 2)
        level = dice.choice([0.003, 0.02, 0.08, 0.25, 0.6])
        samples = sound(dice, kind, length)
        peak = max(map(abs, samples)) or 1.0
        gain = 32_767 * (level if kind != "silence" else min(peak, 0.0003)) / peak
        made = io.BytesIO()
        with wave.open(made, "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE)
            file.writeframes(array.array("h", [int(sample * gain) for sample in samples]).tobytes())
        yield f"{kind} {number}", made.getvalue()


def sound(dice: random.Random, kind: str, length: int) -> list[float]:
    if kind == "silence":
        return [dice.uniform(-1e-4, 1e-4) for _ in range(length)]
    if kind == "white noise":
        return [dice.uniform(-1, 1) for _ in range(length)]
    if kind == "brown noise":
        value, samples = 0.0, []
        for _ in range(length):
            value = value * 0.998 + dice.uniform(-0.05, 0.05)
            samples.append(value)
        return samples
    samples = [0.0] * length
    if kind == "hum":
        base, gains = dice.choice([50, 60, 100, 120]), [dice.random() / (n + 1) for n in range(5)]
        return [
            sum(gain * math.sin(math.tau * base * (n + 1) * at / RATE) for n, gain in enumerate(gains)) for at in range(length)
        ]
    if kind in ("clicks", "keys"):
        every, long = (4_000, 40) if kind == "clicks" else (2_600, 400)
        at = dice.randrange(every)
        while at < length:
            for step in range(min(long, length - at)):
                samples[at + step] += dice.uniform(-1, 1) * (1 - step / long) ** 2
            at += every // 2 + dice.randrange(every)
        return samples
    if kind == "beeps":
        pitch, on = dice.uniform(400, 2_000), dice.randrange(1_500, 4_500)
        return [math.sin(math.tau * pitch * at / RATE) if at // on % 2 == 0 else 0.0 for at in range(length)]
    beat = dice.randrange(3_000, 7_000)
    for start in range(0, length, beat):
        for _ in range(3):
            pitch = 196 * 2 ** (dice.choice([0, 2, 4, 5, 7, 9, 11, 12]) / 12)
            for at in range(start, min(length, start + 2 * beat)):
                past = (at - start) / RATE
                samples[at] += math.sin(math.tau * pitch * past) * math.exp(-past * 4)
    return samples
