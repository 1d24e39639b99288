"""Audio in and out: files, arrays and streams of it become samples, and samples become files and sound.

Nothing that a file says of itself is believed before it has been decoded.
"""

from sauropod._audio.formats import FORMATS, MEDIA_TYPES, AudioFormat
from sauropod._audio.limits import AudioLimits
from sauropod._audio.microphone import Microphone
from sauropod._audio.playback import Player, play
from sauropod._audio.reading import AudioSource, is_at_hand, open_audio, read_audio
from sauropod._audio.stream import AudioStream
from sauropod._audio.writing import AudioEncoder, encode_audio, write_audio

__all__ = [
    "FORMATS",
    "MEDIA_TYPES",
    "AudioEncoder",
    "AudioFormat",
    "AudioLimits",
    "AudioSource",
    "AudioStream",
    "Microphone",
    "Player",
    "encode_audio",
    "is_at_hand",
    "open_audio",
    "play",
    "read_audio",
    "write_audio",
]
