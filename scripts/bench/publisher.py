"""Runs inside the publisher's environment: transcribes a file each time a line comes, and prints the time.

Only the call of its Transcriber is timed: sound is already in memory, the model is loaded.
"""

import json
import sys
import time

from moonshine_voice import ModelArch, Transcriber
from moonshine_voice.utils import get_model_path, load_wav_file


def main() -> None:
    samples, rate = load_wav_file(sys.argv[1])
    # As it comes, and with everything switched off that a push-to-talk clip does not need.
    lean = {"identify_speakers": "false", "return_audio_data": "false"}
    models = {
        name: Transcriber(str(get_model_path("tiny-en")), ModelArch.TINY, options=options)
        for name, options in (("default", None), ("lean", lean))
    }
    for line in sys.stdin:
        # The name of a model, and another file after a tab.
        kind, _, path = line.rstrip("\n").partition("\t")
        if path:
            samples, rate = load_wav_file(path)
        model = models[kind]
        began, used = time.perf_counter(), time.process_time()
        transcript = model.transcribe_without_streaming(samples, rate)
        took, used = time.perf_counter() - began, time.process_time() - used
        text = " ".join(line.text for line in transcript.lines)
        print(json.dumps({"ms": took * 1000, "cpu": used * 1000, "text": text}), flush=True)


main()
